"""Output and log records: the newest lines as text, and all that fit as data for the script."""

from __future__ import annotations

from fluxstart_tui.report.html.markup import Markup, data, join, tag
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.report.newest import Newest, Said

_STATIC = 200
"""Lines that are there without the script."""


def section(name: str, what: str, found: Newest, kinds: tuple[str, ...]) -> Markup:
    """Return lines with a form that filters them.

    Args:
        name: what ids of elements begin with.
        what: what the lines are.
        found: the lines.
        kinds: the kinds of lines there may be; those that there are can be chosen.
    """
    if not found.lines:
        return tag("p", f"There are no {what}.")
    there = {one.kind for one in found.lines}
    choices = [tag("option", "all", value="")]
    choices += [tag("option", kind, value=kind) for kind in kinds if kind in there]
    left = f" {found.left_out:,} bytes of older {what} are left out." if found.left_out else ""
    newest = found.lines[-_STATIC:]
    return join((
        tag("p", f"{len(found.lines):,} {what}.{left}"),
        tag(
            "form",
            _field(f"{name}-ranks", "Ranks", placeholder="0-3,5", size="9"),
            _field(f"{name}-find", "Search", type="search", placeholder="text"),
            tag("label", "Kind ", tag("select", *choices, id=f"{name}-kind")),
            tag("output", id=f"{name}-count", aria_live="polite"),
            tag("button", "Older", type="button", id=f"{name}-older"),
            role="search", aria_label=f"Filter {what}", hidden=True, data_viewer=name,
        ),
        tag("div", *map(_line, newest), class_="lines", id=f"{name}-lines", tabindex="0",
            role="region", aria_label=what.capitalize()),
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
