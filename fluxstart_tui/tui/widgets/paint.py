"""How widgets paint rows: tones by name, so that themes decide on colours, and text that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Part = tuple[str, str]
    """Text and its tone."""

TONES = (
    "plain", "dim", "faint", "strong", "title", "good", "info", "warn", "bad", "alarm",
    "head", "cursor", "chosen", "bar",
)  # fmt: skip


class Painter(Widget):
    """A widget that paints itself line by line in tones.

    A tone is a component class; `head`, `cursor`, `chosen` and `bar` are backgrounds as well.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"paint--{tone}" for tone in TONES}
    DEFAULT_CSS = """
    Painter {
        & > .paint--dim { color: $text-muted; }
        & > .paint--faint { color: $text-disabled; }
        & > .paint--strong { text-style: bold; }
        & > .paint--title { color: $text-primary; text-style: bold; }
        & > .paint--good { color: $text-success; }
        & > .paint--info { color: $text-primary; }
        & > .paint--warn { color: $text-warning; text-style: bold; }
        & > .paint--bad { color: $text-error; text-style: bold; }
        & > .paint--alarm { color: $text-error; text-style: bold reverse; }
        & > .paint--head { background: $panel; color: $foreground; }
        & > .paint--cursor { background: $primary 45%; text-style: bold; }
        & > .paint--chosen { background: $primary 20%; }
        & > .paint--bar { color: $primary; }
        &:ansi {
            & > .paint--dim, & > .paint--faint { text-style: dim; }
            & > .paint--head { text-style: underline; }
            & > .paint--cursor { background: $background; text-style: reverse; }
            & > .paint--chosen { background: $background; text-style: underline; }
        }
        &:nocolor {
            & > .paint--head { text-style: underline; }
            & > .paint--cursor { text-style: reverse; }
            & > .paint--chosen { text-style: underline; }
        }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._tones: dict[tuple[str, str], Style] = {}

    def notify_style_update(self) -> None:
        """Forget styles: a theme has changed."""
        super().notify_style_update()
        self._tones.clear()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave a key to the app if it plays a replay."""
        if action == "choose_unless_replay":
            return getattr(getattr(self.app, "model", None), "replay", None) is None
        return super().check_action(action, parameters)

    async def action_choose_unless_replay(self) -> None:
        """Choose; in a replay this key plays it."""
        await self.run_action("choose")

    def tone(self, name: str, on: str = "") -> Style:
        """Return the style of a tone.

        Args:
            name: one of TONES; several may be joined by blanks, the last colour counts.
            on: a tone that gives the background; "" for the widget's own.
        """
        key = name, on
        if key not in self._tones:
            base = self.rich_style
            if on:
                base += self.get_component_rich_style(f"paint--{on}")
            for one in name.split():
                if on == "cursor" and one in ("dim", "faint"):  # hardly legible on its ground
                    continue
                own = self.get_component_rich_style(f"paint--{one}")
                # Where a background is made by reversing, colours would make a patchwork of it.
                if one != "plain" and not base.reverse:
                    base += Style(
                        color=own.color, bold=own.bold, dim=own.dim, reverse=own.reverse,
                        underline=own.underline,
                    )  # fmt: skip
            self._tones[key] = base
        return self._tones[key]

    def row(self, parts: Iterable[Part], width: int, on: str = "") -> Strip:
        """Return a line of exactly `width` cells."""
        segments = [Segment(text, self.tone(tone, on)) for text, tone in parts if text]
        return Strip(segments).adjust_cell_length(width, self.tone("plain", on))

    def refresh_changed(self, old: Sequence[object], new: Sequence[object]) -> None:
        """Repaint the lines that differ."""
        if len(old) != len(new):
            self.refresh()
            return
        lines = [y for y, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
        if lines:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in lines))


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return a text as exactly `width` cells, with … where it was cut."""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else text[:width]
    return " " * (width - length) + text if right else text + " " * (width - length)


def span(seconds: float) -> str:
    """Return a span of time in at most six cells; whole seconds are those that are over."""
    if seconds < 0.0995:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{int(seconds + 0.05)} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours < 100 else f"{hours // 24}d"


def clock(seconds: float) -> str:
    """Return a time since the beginning as 0:07 or 1:02:03."""
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def memory(kib: int) -> str:
    """Return KiB in at most five cells, as MiB if it is less than ten GiB."""
    mib = kib / 1024
    if mib < 10_000:
        return f"{mib:.1f}M" if mib < 9.95 else f"{mib:.0f}M"
    return f"{mib / 1024:.1f}G" if mib < 102_400 else f"{mib / 1024:.0f}G"
