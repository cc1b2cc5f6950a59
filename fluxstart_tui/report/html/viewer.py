"""Output and log records: the newest lines as text, and all that fit as data for the script."""

from __future__ import annotations

from fluxstart_tui.diagnose.words import capital
from fluxstart_tui.report.html.markup import Markup, data, join, tag
from fluxstart_tui.report.newest import SEVERITIES
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.report.newest import Newest, Said

_FIRST, _DETAIL = "info", "debug"
_STATIC = 200
"""Lines that are there without the script."""


def section(name: str, one: str, what: str, found: Newest, kinds: tuple[str, ...]) -> Markup:
    """Return lines with a form that filters them.

    Args:
        name: what ids of elements begin with.
        one: what a line is called.
        what: what lines they are, put after that.
        found: the lines.
        kinds: the kinds of lines there may be; those that there are can be chosen. Of severities
            those are shown that are as bad or worse, `info` at first.
    """
    if not found.lines:
        return tag("p", f"There are no {one}s {what}.".replace(" .", "."))
    there = {one.kind for one in found.lines}
    severe = kinds == SEVERITIES
    lines = found.lines
    if severe:  # without the script, what it does not show at first
        lines = [line for line in lines if line.kind != _DETAIL]
    choices = [tag("option", "all", value="")]
    choices += [
        tag("option", f"{kind} or worse" if severe else kind, value=kind,
            selected=severe and kind == _FIRST)
        for kind in kinds if kind in there or (severe and kind == _FIRST)
    ]  # fmt: skip
    number = f"{len(found.lines):,} {one}{'' if len(found.lines) == 1 else 's'} {what}".rstrip()
    many = f"{one}s {what}".rstrip()
    left = f" {found.left_out:,} bytes of older {many} are left out." if found.left_out else ""
    return join((
        tag("p", f"{number}.{left}"),
        tag(
            "form",
            _field(f"{name}-ranks", "Ranks", placeholder="0-3,5", size="9"),
            _field(f"{name}-find", "Search", type="search", placeholder="text"),
            tag("label", "Kind ", tag("select", *choices, id=f"{name}-kind",
                                      data_order=",".join(kinds) if severe else None)),
            tag("output", id=f"{name}-count", aria_live="polite"),
            tag("button", "Older", type="button", id=f"{name}-older"),
            role="search", aria_label=f"Filter {many}", hidden=True, data_viewer=name,
        ),
        tag("div", *map(_line, lines[-_STATIC:]), class_="lines", id=f"{name}-lines", tabindex="0",
            role="region", aria_label=capital(many)),
        data(f"{name}-data", [[round(one.t, 4), idset.encode(one.ranks), one.kind, one.text]
                              for one in found.lines]),
    ))  # fmt: skip


def _field(name: str, label: str, **attributes: str) -> Markup:
    return tag(
        "label", f"{label} ",
        tag("input", id=name, autocomplete="off", spellcheck="false", **attributes),
    )  # fmt: skip


def _line(one: Said) -> Markup:
    return tag(
        "div",
        tag("span", f"{one.t:.3f}", class_="t"),
        tag("span", idset.encode(one.ranks), class_="r"),
        tag("span", one.kind, class_="s"),
        tag("span", one.text, class_="x"),
        class_=one.kind,
    )
