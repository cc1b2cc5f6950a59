"""Rows of a terminal of Ghostty's as segments.

A cell is a number of 64 bits from which its character and the number of its style follow. There
are few different ones, so each is taken apart once; for a row that has changed this leaves a
look-up a cell and some calls for each run of equal style.
"""

from __future__ import annotations

import unicodedata
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from pyghostty import ffi, lib
from pyghostty.core import check, init_sized
from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

if TYPE_CHECKING:
    from fluxstart_tui.tui.terminal.emulator import Row

_CACHED = 1 << 15
"""Different cells and styles that are remembered; a program can make any number of them."""

_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Categories of characters that no program may have written to the real terminal."""

_JOINERS = "\u200d\ufe0e\ufe0f"
_NO_STYLE = Style()


class _Cell(NamedTuple):
    text: str
    """"" for the second half of a wide character."""
    style: int | Style
    """A number that means something in this row only, or the style itself."""
    cluster: int = 0
    """Cells of a character that takes more than one code point, which the number does not hold."""


class Rows:
    """Reads what has changed on a terminal.

    Args:
        terminal: its handle.
    """

    def __init__(self, terminal: Any) -> None:
        self._terminal = terminal
        self._state = _new("GhosttyRenderState", "render_state")
        self._iterator = _new("GhosttyRenderStateRowIterator", "render_state_row_iterator")
        self._cells = _new("GhosttyRenderStateRowCells", "render_state_row_cells")
        for name, handle in (
            ("render_state", self._state),
            ("render_state_row_iterator", self._iterator),
            ("render_state_row_cells", self._cells),
        ):
            weakref.finalize(self, getattr(lib, f"ghostty_{name}_free"), handle[0])
        self._view = ffi.new("GhosttyCellsView*")
        self._style = init_sized("GhosttyStyle")
        self._y = ffi.new("uint16_t*")
        self._out = ffi.new("uint64_t*")
        self._span = init_sized("GhosttyRenderStateRowSelection")
        self._known: dict[int, _Cell] = {}
        self._styles: dict[bytes, Style] = {}
        self._base = _NO_STYLE
        self._all = True
        self.selected: dict[int, tuple[int, int]] = {}
        """First and last selected column, by row."""

    def restyle(self, base: Style) -> None:
        """Set the style of what has no colours of its own."""
        self._base = base
        self._known.clear()
        self._styles.clear()
        self._all = True

    def changed(self) -> list[tuple[int, Row]]:
        """Return the rows that have changed since, by their number."""
        state = self._state[0]
        check(lib.ghostty_render_state_update(state, self._terminal), "render_state_update")
        found = list(self._walk(every=self._all))
        self._all = False
        lib.ghostty_render_state_clean(state)
        return found

    def _walk(self, *, every: bool) -> Any:
        lib.ghostty_render_state_get(
            self._state[0], lib.GHOSTTY_RENDER_STATE_DATA_ROW_ITERATOR, self._iterator
        )
        rows, y = self._iterator[0], -1
        while True:
            if every:
                if not lib.ghostty_render_state_row_iterator_next(rows):
                    return
                y += 1
            else:
                if not lib.ghostty_render_state_row_iterator_next_dirty(rows, self._y):
                    return
                y = self._y[0]
            yield y, self._row(rows, y)

    def _row(self, rows: Any, y: int) -> Row:
        get = lib.ghostty_render_state_row_get
        get(rows, lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS_RAW, self._view)
        raw = ffi.unpack(self._view.ptr, self._view.len) if self._view.len else []
        self.selected.pop(y, None)
        if get(rows, lib.GHOSTTY_RENDER_STATE_ROW_DATA_SELECTION, self._span) == 0:
            self.selected[y] = self._span.start_x, self._span.end_x
        get(rows, lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS, self._cells)
        return self._segments(raw)

    def _segments(self, raw: list[int]) -> Row:
        known, segments = self._known, []
        pieces: list[str] = []
        begin, current = 0, None
        for x, number in enumerate(raw):
            text, style, cluster = known.get(number) or self._take_apart(number)
            if style != current:
                if pieces:
                    segments.append(Segment("".join(pieces), self._style_of(current, begin)))
                    pieces = []
                begin, current = x, style
            pieces.append(self._cluster(x, cluster) if cluster else text)
        if pieces and cell_len(pieces[-1]) > 1:  # a resize has cut its other half off
            pieces[-1] = " "
        if pieces:
            segments.append(Segment("".join(pieces), self._style_of(current, begin)))
        return segments

    def _take_apart(self, number: int) -> _Cell:
        def get(name: str) -> int:
            self._out[0] = 0
            lib.ghostty_cell_get(number, getattr(lib, f"GHOSTTY_CELL_DATA_{name}"), self._out)
            return int(self._out[0])

        tag, wide = get("CONTENT_TAG"), get("WIDE")
        style: int | Style = get("STYLE_ID")
        text, cluster = " ", 0
        if tag == lib.GHOSTTY_CELL_CONTENT_BG_COLOR_PALETTE:
            style = self._base + Style(bgcolor=Color.from_ansi(get("COLOR_PALETTE") & 0xFF))
        elif tag == lib.GHOSTTY_CELL_CONTENT_BG_COLOR_RGB:
            rgb = get("COLOR_RGB").to_bytes(8, "little")
            style = self._base + Style(bgcolor=Color.from_rgb(*rgb[:3]))
        elif wide == lib.GHOSTTY_CELL_WIDE_SPACER_TAIL:
            text = ""
        else:
            width = 2 if wide == lib.GHOSTTY_CELL_WIDE_WIDE else 1
            code = get("CODEPOINT")
            text = fitted(chr(code), width) if code else " " * width
            if tag == lib.GHOSTTY_CELL_CONTENT_CODEPOINT_GRAPHEME:
                cluster = width
        if len(self._known) >= _CACHED:
            self._known.clear()
        cell = self._known[number] = _Cell(text, style, cluster)
        return cell

    def _cluster(self, x: int, width: int) -> str:
        space = ffi.new("uint8_t[256]")
        buffer = ffi.new("GhosttyBuffer*", {"ptr": space, "cap": 256})
        lib.ghostty_render_state_row_cells_select(self._cells[0], x)
        failed = lib.ghostty_render_state_row_cells_get(
            self._cells[0], lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_UTF8, buffer
        )
        text = "" if failed else ffi.buffer(space, buffer.len)[:].decode(errors="replace")
        return fitted(text, width)

    def _style_of(self, style: int | Style | None, x: int) -> Style:
        if isinstance(style, Style):
            return style
        if not style:
            return self._base
        lib.ghostty_render_state_row_cells_select(self._cells[0], x)
        lib.ghostty_render_state_row_cells_get(
            self._cells[0], lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_STYLE, self._style
        )
        key = ffi.buffer(self._style)[:]
        known = self._styles.get(key)
        if known is None:
            if len(self._styles) >= _CACHED:
                self._styles.clear()
            known = self._styles[key] = self._base + _rich(self._style)
        return known

    def cursor(self) -> Any:
        """Return the library's account of the cursor."""
        cursor = init_sized("GhosttyRenderStateCursor")
        key = lib.GHOSTTY_RENDER_STATE_DATA_CURSOR
        lib.ghostty_render_state_get(self._state[0], key, cursor)
        return cursor

    def texts(self) -> list[str]:
        """Return the text of all rows, as of `changed`."""
        rows = self._walk(every=True)
        return ["".join(segment.text for segment in row).rstrip() for _, row in rows]


def _new(kind: str, name: str) -> Any:
    handle = ffi.new(f"{kind}*")
    check(getattr(lib, f"ghostty_{name}_new")(ffi.NULL, handle), name)
    return handle


def _rich(style: Any) -> Style:
    return Style(
        color=_color(style.fg_color),
        bgcolor=_color(style.bg_color),
        bold=style.bold or None,
        italic=style.italic or None,
        dim=style.faint or None,
        blink=style.blink or None,
        reverse=style.inverse or None,
        conceal=style.invisible or None,
        strike=style.strikethrough or None,
        overline=style.overline or None,
        underline=style.underline > 0 or None,
        underline2=style.underline == 2 or None,
    )


def _color(color: Any) -> Color | None:
    if color.tag == lib.GHOSTTY_STYLE_COLOR_PALETTE:
        return Color.from_ansi(color.value.palette)
    if color.tag == lib.GHOSTTY_STYLE_COLOR_RGB:
        return Color.from_rgb(color.value.rgb.r, color.value.rgb.g, color.value.rgb.b)
    return None


def fitted(text: str, width: int) -> str:
    """Return text that takes so many cells, whatever others think of the width of its characters.

    Control and format characters, which would reach the real terminal, become replacements.
    """
    text = "".join(
        "\ufffd" if unicodedata.category(c) in _UNSAFE and c not in _JOINERS else c for c in text
    )
    text = text.rstrip("\u200d")  # which would join what comes after it
    length = cell_len(text)
    if length > width or text[:1] in _JOINERS:
        text = text[:1] if cell_len(text[:1]) == width and text[0] not in _JOINERS else "\ufffd"
        length = cell_len(text)
    elif length == 0:  # a combining character without a base
        return " " * width
    return text + " " * (width - length)
