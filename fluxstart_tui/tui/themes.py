"""The themes: all colours of the UI, and of what programs print, are here and nowhere else.

Widgets paint in tones (widgets/paint.py), which are made of a theme's colours, and rows in the
sixteen colours of terminals by name; those are the terminal's own in the theme `ansi`, and what
stands below in the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.terminal_theme import TerminalTheme
from textual.theme import BUILTIN_THEMES, Theme

if TYPE_CHECKING:
    from typing import Any

    from textual.app import App

_DARK = {
    "black": "#1b1f27", "red": "#ff7b86", "green": "#7fd088", "yellow": "#e8c46a",
    "blue": "#7ab0ff", "magenta": "#d59bf0", "cyan": "#62cfd8", "white": "#e3e6ec",
}  # fmt: skip
_DARK_BRIGHT = {
    "black": "#8b93a3", "red": "#ff9aa2", "green": "#9be6a2", "yellow": "#f7dc8f",
    "blue": "#a3c9ff", "magenta": "#e6bcf7", "cyan": "#8fe6ec", "white": "#ffffff",
}  # fmt: skip
_LIGHT = {
    "black": "#1d2129", "red": "#b3202c", "green": "#1f6f2e", "yellow": "#7d5300",
    "blue": "#1f55b5", "magenta": "#86309f", "cyan": "#0b6771", "white": "#f4f5f7",
}  # fmt: skip
_LIGHT_BRIGHT = {
    "black": "#5b6270", "red": "#c2303b", "green": "#24782f", "yellow": "#855a00",
    "blue": "#2a62c6", "magenta": "#943fae", "cyan": "#0f6f79", "white": "#ffffff",
}  # fmt: skip


def _theme(name: str, colors: dict[str, str], *, dark: bool, grounds: tuple[str, ...]) -> Theme:
    background, surface, panel = grounds
    return Theme(
        name, primary=colors["blue"], secondary=colors["cyan"], accent=colors["magenta"],
        warning=colors["yellow"], error=colors["red"], success=colors["green"],
        foreground=colors["white" if dark else "black"], background=background, surface=surface,
        panel=panel, dark=dark,
        variables={"text-disabled": (_DARK_BRIGHT if dark else _LIGHT_BRIGHT)["black"],
                   **{f"scrollbar-{part}": surface for part in _TRACK},
                   **{f"text-{tone}": colors[color] for tone, color in _TEXTS.items()}},
    )  # fmt: skip


_TEXTS = {
    "primary": "blue", "secondary": "cyan", "accent": "magenta", "warning": "yellow",
    "error": "red", "success": "green",
}  # fmt: skip

_TRACK = ("background", "background-hover", "background-active", "corner-color")
"""What of a scrollbar is its ground."""

THEMES = (
    _theme("dark", _DARK, dark=True, grounds=("#11141a", "#171b23", "#222835")),
    _theme("light", _LIGHT, dark=False, grounds=("#fbfbfc", "#f1f2f5", "#e4e7ed")),
    Theme(**{**vars(BUILTIN_THEMES["ansi-dark"]), "name": "ansi"}),
)


def _terminal(normal: dict[str, str], bright: dict[str, str], ground: str) -> TerminalTheme:
    def rgb(color: str) -> tuple[int, int, int]:
        return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)

    foreground = normal["white" if normal is _DARK else "black"]
    return TerminalTheme(
        rgb(ground), rgb(foreground), [*map(rgb, normal.values())], [*map(rgb, bright.values())]
    )


ANSI_DARK = _terminal(_DARK, _DARK_BRIGHT, "#11141a")
"""What the sixteen colours of terminals are in the dark theme."""
ANSI_LIGHT = _terminal(_LIGHT, _LIGHT_BRIGHT, "#fbfbfc")

_BARS = {
    "spawn": "#4b5263",
    "init": "#2c7a8c",
    "put": "#35804c",
    "barrier": "#8c6f14",
    "get": "#3a66a8",
    "finalize": "#4b5263",
    "closed": "#b03040",
    "load-builtins": "#4b5263",
    "join": "#86702c",
    "config-sync": "#4b5263",
    "rc1": "#1f6f9f",
    "quorum": "#565f75",
    "run": "#2b6b47",
    "cleanup": "#6a4c93",
    "shutdown": "#7d4a86",
    "rc3": "#8f4470",
    "goodbye": "#4b5263",
    "unload-builtins": "#4b5263",
}
"""Grounds of bars by phase: dark enough for white in every theme."""


def bar(phase: str) -> tuple[str, str]:
    """Return the styles of a phase's bar: of the name on it, and of what fills it."""
    return f"bold #ffffff on {_BARS[phase]}", f"#a8b0c0 on {_BARS[phase]}"


def install(app: App[Any], wanted: str) -> None:
    """Give an app the themes.

    Args:
        app: it has no other ones then.
        wanted: the name of the one it begins with; "" for what fits the terminal: its own colours
            where there are but sixteen.
    """
    for name in app.available_themes:
        if name != app.theme:
            app.unregister_theme(name)
    for theme in THEMES:
        app.register_theme(theme)
    app.ansi_theme_dark, app.ansi_theme_light = ANSI_DARK, ANSI_LIGHT
    former = app.theme
    few = app.no_color or app.console.color_system in (None, "standard")
    app.theme = wanted or ("ansi" if few else "dark")
    app.unregister_theme(former)
