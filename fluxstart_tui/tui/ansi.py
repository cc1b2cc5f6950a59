"""Bytes of one line as text and colours; nothing in them can do anything to the terminal."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 16 << 10
"""Bytes of a line that are looked at; the rest shows as an ellipsis."""

_EMOJI = "\ufe0f"
"""Has the character before it shown as an emoji, which may be wider (variation selector 16)."""

_TAB = 8
_NONE = Style()

_TOKEN = re.compile(
    r"\x1b(?:\[([0-?]*)[ -/]*([@-~])"  # CSI
    r"|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS...: a title, a link
    r"|[ -/]*[0-Z\\`-~]?)"
    # C0 and C1, and what turns the direction of text, ends lines or takes no place.
    r"|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_SGR = {
    1: Style(bold=True), 2: Style(dim=True), 3: Style(italic=True), 4: Style(underline=True),
    5: Style(bold=True), 6: Style(bold=True),  # nothing blinks here
    7: Style(reverse=True), 9: Style(strike=True), 21: Style(underline=True),
    22: Style(bold=False, dim=False), 23: Style(italic=False), 24: Style(underline=False),
    27: Style(reverse=False), 29: Style(strike=False),
    39: Style(color="default"), 49: Style(bgcolor="default"),
}  # fmt: skip
for _at in range(8):
    _SGR[30 + _at] = Style(color=Color.from_ansi(_at))
    _SGR[40 + _at] = Style(bgcolor=Color.from_ansi(_at))
    _SGR[90 + _at] = Style(color=Color.from_ansi(8 + _at))
    _SGR[100 + _at] = Style(bgcolor=Color.from_ansi(8 + _at))


class Painted(NamedTuple):
    """Text with colours."""

    text: str
    """Without any control characters."""
    runs: tuple[tuple[int, int, Style], ...]
    """Begin, end and style of what is not plain."""
    width: int
    """In cells."""

    def segments(self, base: Style, marks: Iterable[tuple[int, int, Style]] = ()) -> list[Segment]:
        """Return it for the screen.

        Args:
            base: the style of what is plain.
            marks: begin, end and style of what is put on top, later ones last.
        """
        layers = [*self.runs, *marks]
        if not layers:
            return [Segment(self.text, base)] if self.text else []
        end = len(self.text)
        cut = {min(at, end) for layer in layers for at in layer[:2]}
        segments = []
        for begin, stop in pairwise(sorted({0, end, *cut})):
            style = base
            for low, high, own in layers:
                if low <= begin and stop <= high:
                    style += own
            segments.append(Segment(self.text[begin:stop], style))
        return segments


def plain(data: bytes) -> str:
    """Return what a line says, without colours."""
    return paint(data).text


def paint(data: bytes) -> Painted:
    """Return a line with its colours; it never raises, whatever the bytes are.

    A carriage return takes what follows to the beginning of the line, as progress bars do: what was
    written last is seen.
    """
    cut = len(data) > LONGEST
    text = (data[:LONGEST] if cut else data).decode(errors="replace")
    if cut:
        text += "…"
    if text.isascii() and text.isprintable():
        return Painted(text, (), len(text))
    text = text.rstrip("\r")
    if "\r" in text:
        text = _overwritten(text)
    return _tokens(text)


def _overwritten(text: str) -> str:
    """Leave the last part after a carriage return that has something to read in it."""
    for part in reversed(text.split("\r")):
        if _TOKEN.sub("", part).strip():
            return part
    return text.rpartition("\r")[2]


def _tokens(text: str) -> Painted:
    parts: list[str] = []
    runs: list[tuple[int, int, Style]] = []
    style, begin, length, at = _NONE, 0, 0, 0
    for match in _TOKEN.finditer(text):
        if match.start() > at:
            parts.append(text[at : match.start()])
            length += match.start() - at
        at = match.end()
        if match[2] == "m":
            if style and length > begin:
                runs.append((begin, length, style))
            style, begin = _sgr(match[1], style), length
            continue
        shown = _control(match[0], parts)
        if shown:
            parts.append(shown)
            length += len(shown)
    parts.append(text[at:])
    plain_text = "".join(parts)
    if style and len(plain_text) > begin:
        runs.append((begin, len(plain_text), style))
    width = len(plain_text) if plain_text.isascii() else cell_len(plain_text)
    return Painted(plain_text, tuple(runs), width)


def _control(char: str, before: list[str]) -> str:
    """Return what is shown for a control character."""
    if char == "\t":
        column = cell_len("".join(before))
        return " " * (_TAB - column % _TAB)
    if char[0] == "\x1b" or char in "\x00\x07\x0e\x0f" or char >= "\u200b":
        return ""
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)  # the picture of the control character
    return "␡" if code == 0x7F else "\ufffd"


@lru_cache(maxsize=1024)
def _sgr(parameters: str, style: Style) -> Style:
    """Apply the parameters of a select graphic rendition to a style."""
    codes = [
        [int(part) if part.isdigit() and len(part) < 6 else 0 for part in code.split(":")]
        for code in parameters.split(";")
    ]
    at = 0
    while at < len(codes):
        code, *rest = codes[at]
        at += 1
        if code in (38, 48):
            if not rest and at < len(codes):
                take = {5: 2, 2: 4}.get(codes[at][0], 1)
                rest = [one[0] for one in codes[at : at + take]]
                at += take
            color = _color(rest)
            if color is not None:
                style += Style(color=color) if code == 38 else Style(bgcolor=color)
        elif code == 0:
            style = _NONE
        elif code == 4 and rest == [0]:
            style += _SGR[24]
        elif code in _SGR:
            style += _SGR[code]
    return style


def _color(codes: list[int]) -> Color | None:
    """Return the colour that follows 38 or 48: 5;N or 2;R;G;B (2::R:G:B with colons)."""
    if len(codes) >= 2 and codes[0] == 5 and codes[1] < 256:
        return Color.from_ansi(codes[1])
    if len(codes) >= 4 and codes[0] == 2 and all(code < 256 for code in codes[-3:]):
        return Color.from_rgb(*codes[-3:])
    return None


def cuts(painted: Painted, width: int) -> list[int]:
    """Return where the rows of a line begin that is wrapped at a width; the first is 0."""
    if painted.width <= width or width < 2:
        return [0]
    text = painted.text
    if text.isascii():
        return list(range(0, len(text), width))
    found, used = [0], 0
    for at in range(len(text)):
        size = _cells(text, at)
        if used + size > width:
            found.append(at)
            used = 0
        used += size
    return found


def _cells(text: str, at: int) -> int:
    """Return the cells of a character, with what makes an emoji of it if that follows."""
    return cell_len(text[at : at + 2] if text.startswith(_EMOJI, at + 1) else text[at])


def column(painted: Painted, cell: int, begin: int = 0) -> int:
    """Return the character at a cell, counted from where a row begins; len behind the end."""
    text = painted.text
    if text.isascii():
        return min(begin + max(cell, 0), len(text))
    used = 0
    for at in range(begin, len(text)):
        used += _cells(text, at)
        if used > cell:
            return at
    return len(text)
