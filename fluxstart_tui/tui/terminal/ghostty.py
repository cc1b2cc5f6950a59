"""The emulator of Ghostty, libghostty-vt, through pyghostty.

pyghostty's own classes cover little, so this drives the C API that it has complete. The API is
young: nothing but the three modules named ghostty knows it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from pyghostty import ffi, lib
from pyghostty.core import Terminal, check, init_sized, read_buf
from rich.style import Style

from fluxstart_tui.tui.terminal.emulator import (
    COLUMNS_MAX,
    COLUMNS_MIN,
    ROWS_MAX,
    ROWS_MIN,
    Cursor,
    Scroll,
)
from fluxstart_tui.tui.terminal.ghostty_input import Encoder
from fluxstart_tui.tui.terminal.ghostty_rows import Rows

if TYPE_CHECKING:
    from fluxstart_tui.tui.terminal.emulator import Row
    from fluxstart_tui.tui.terminal.keys import KeyPress, MousePress

_CELL = 8, 16
"""Pixels of a cell, for programs that ask."""

_SHAPES = {0: "bar", 1: "block", 2: "underline", 3: "hollow"}
_SCROLLS = "void(*)(GhosttyTerminal, struct ScrollTwin)"
_REPLIES_MAX = 64 << 10
"""Bytes that are answered at once at most: a file of questions must not become a flood."""

# cffi can not pass a union by value in this mode; a structure of the same layout can be passed.
ffi.cdef("struct ScrollTwin { int tag; intptr_t amount; uint64_t padding; };", override=True)
assert ffi.sizeof("struct ScrollTwin") == ffi.sizeof("GhosttyTerminalScrollViewport")


class GhosttyEmulator:
    """A terminal of Ghostty's.

    Args:
        columns: width in cells.
        rows: height in cells.
        scrollback: lines that are kept when they have been scrolled out.
    """

    def __init__(self, columns: int, rows: int, scrollback: int) -> None:
        self._scrollback = scrollback
        self._base = Style()
        self.bells = 0
        self._make(*_bounded(columns, rows))

    def _make(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._replies: list[bytes] = []
        self._replied = 0
        self._terminal: Any = Terminal(columns, rows, scrollback=self._scrollback)
        self._handle = self._terminal._t[0]
        self._terminal.on_reply(self._reply)
        self._bell = ffi.callback("GhosttyTerminalBellFn", self._rang)
        self._set("BELL", self._bell)
        self._asked = ffi.callback("GhosttyTerminalSizeFn", self._tell_size)
        self._set("SIZE", self._asked)
        # Pictures are not painted; with no room for any no program can have us read files either.
        self._set("KITTY_IMAGE_STORAGE_LIMIT", ffi.new("uint64_t*", 0))
        self._rows = Rows(self._handle)
        self._encoder = Encoder(self._handle)
        self.restyle(self._base)
        self._size()

    def _set(self, option: str, value: Any) -> None:
        # An option that a later library does not have any more is none that we need.
        with contextlib.suppress(AttributeError):
            number = getattr(lib, f"GHOSTTY_TERMINAL_OPT_{option}")
            lib.ghostty_terminal_set(self._handle, number, value)

    def _get(self, name: str, kind: str) -> Any:
        out = ffi.new(f"{kind}*")
        check(
            lib.ghostty_terminal_get(
                self._handle, getattr(lib, f"GHOSTTY_TERMINAL_DATA_{name}"), out
            ),
            name,
        )
        return out[0]

    def _reply(self, data: bytes) -> None:
        self._replied += len(data)
        if self._replied <= _REPLIES_MAX:
            self._replies.append(data)

    def _rang(self, *_: Any) -> None:
        self.bells += 1

    def _tell_size(self, _terminal: Any, _userdata: Any, size: Any) -> bool:
        size.rows, size.columns = self.rows, self.columns
        size.cell_width, size.cell_height = _CELL
        return True

    def feed(self, data: bytes) -> bytes:
        """Take output of the program; return what a terminal answers to it."""
        self._terminal.feed(data)
        return self._answer()

    def _answer(self) -> bytes:
        replies, self._replies, self._replied = self._replies, [], 0
        return b"".join(replies)

    def reset(self) -> None:
        """Forget everything but the size."""
        self._make(self.columns, self.rows)

    def resize(self, columns: int, rows: int) -> bytes:
        """Change the size; return what a terminal tells a program that wants to know."""
        self.columns, self.rows = _bounded(columns, rows)
        self._size()
        return self._answer()

    def _size(self) -> None:
        self._terminal.resize(self.columns, self.rows, *_CELL)
        self._encoder.resize(self.columns, self.rows, *_CELL)

    def restyle(self, base: Style) -> None:
        """Set the style of what has no colours of its own; programs that ask are told."""
        self._base = base
        self._rows.restyle(base)
        for option, color in (
            ("COLOR_FOREGROUND", base.color),
            ("COLOR_BACKGROUND", base.bgcolor),
        ):
            if color is not None and not color.is_default:
                r, g, b = color.get_truecolor()
                self._set(option, ffi.new("GhosttyColorRgb*", {"r": r, "g": g, "b": b}))

    def changed(self) -> list[tuple[int, Row]]:
        """Return the rows that differ from what was returned before, by their number."""
        return self._rows.changed()

    def cursor(self) -> Cursor | None:
        """Return the cursor, None if it is hidden or scrolled away; as of `changed`."""
        found = self._rows.cursor()
        if not found.visible or not found.viewport_has_value:
            return None
        x = found.viewport_x - (1 if found.wide_tail else 0)
        return Cursor(x, found.viewport_y, _SHAPES.get(found.visual_style, "block"))

    def mode(self, number: int) -> bool:
        """Tell whether the program has set a DEC private mode."""
        return bool(self._terminal.mode(number))

    @property
    def title(self) -> str:
        """What the program calls itself, "" if it has not said."""
        text = self._get("TITLE", "GhosttyString")
        raw = ffi.buffer(text.ptr, text.len)[:] if text.len else b""
        return "".join(c for c in raw.decode(errors="replace")[:200] if c.isprintable())

    @property
    def mouse(self) -> bool:
        """Whether the program wants the mouse."""
        return bool(self._get("MOUSE_TRACKING", "bool"))

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown, which has no scrollback."""
        shown = self._get("ACTIVE_SCREEN", "int")
        return bool(shown == lib.GHOSTTY_TERMINAL_SCREEN_ALTERNATE)

    def key(self, press: KeyPress) -> bytes:
        """Return what a terminal sends for a key."""
        kitty = self._get("KITTY_KEYBOARD_FLAGS", "uint8_t")
        return self._encoder.key(press, kitty=bool(kitty))

    def pointer(self, press: MousePress) -> bytes:
        """Return what a terminal sends for the mouse, b"" if the program does not want it."""
        return self._encoder.pointer(press)

    def paste(self, text: str) -> bytes:
        """Return what a terminal sends for text that is pasted."""
        return self._encoder.paste(text, bracketed=self.mode(2004))

    def focus(self, *, gained: bool) -> bytes:
        """Return what a terminal sends when it gets or loses the focus, mostly nothing."""
        if not self.mode(1004):
            return b""
        return b"\x1b[I" if gained else b"\x1b[O"

    def scroll(self, lines: int | None) -> None:
        """Show rows so much further down, which a negative number makes up; None: the last."""
        where = ffi.new("struct ScrollTwin*")
        if lines is None:
            where.tag = lib.GHOSTTY_SCROLL_VIEWPORT_BOTTOM
        else:
            where.tag, where.amount = lib.GHOSTTY_SCROLL_VIEWPORT_DELTA, lines
        function = ffi.addressof(lib, "ghostty_terminal_scroll_viewport")
        ffi.cast(_SCROLLS, function)(self._handle, where[0])

    @property
    def scrolled(self) -> Scroll:
        """Which rows are shown."""
        bar = self._get("SCROLLBAR", "GhosttyTerminalScrollbar")
        return Scroll(bar.total, bar.offset, bar.len)

    def select(self, x: int, y: int, what: str = "cell") -> None:
        """Begin a selection at a cell; `what` is cell, word or line."""
        ref = self._ref(x, y)
        selection = init_sized("GhosttySelection")
        selection.start = selection.end = ref[0]
        if what in ("word", "line"):
            options = init_sized(f"GhosttyTerminalSelect{what.title()}Options")
            options.ref = ref[0]
            chosen = getattr(lib, f"ghostty_terminal_select_{what}")
            if chosen(self._handle, options, selection):  # nothing is there
                return
        self._set("SELECTION", selection)

    def extend(self, x: int, y: int) -> None:
        """Have the selection reach to a cell."""
        selection = self._selection()
        if selection is not None:
            selection.end = self._ref(x, y)[0]
            self._set("SELECTION", selection)

    def unselect(self) -> None:
        """Select nothing."""
        self._set("SELECTION", ffi.NULL)

    def _ref(self, x: int, y: int) -> Any:
        x, y = min(max(x, 0), self.columns - 1), min(max(y, 0), self.rows - 1)
        return self._terminal.ref(x, y, "viewport")

    def _selection(self) -> Any:
        selection = init_sized("GhosttySelection")
        key = lib.GHOSTTY_TERMINAL_DATA_SELECTION
        return None if lib.ghostty_terminal_get(self._handle, key, selection) else selection

    def selected(self, y: int) -> tuple[int, int] | None:
        """Return the first and the last column that is selected in a row; as of `changed`."""
        return self._rows.selected.get(y)

    def selection(self) -> str:
        """Return the text that is selected, "" if there is none."""
        selection = self._selection()
        if selection is None:
            return ""
        options = init_sized("GhosttyTerminalSelectionFormatOptions")
        options.emit = lib.GHOSTTY_FORMATTER_FORMAT_PLAIN
        options.unwrap = options.trim = True
        options.selection = selection
        fill = lib.ghostty_terminal_selection_format_buf
        return str(read_buf(lambda *args: fill(self._handle, options[0], *args)))

    def text(self) -> str:
        """Return the text of the rows that are shown."""
        return "\n".join(self._rows.texts())


def _bounded(columns: int, rows: int) -> tuple[int, int]:
    return (
        min(max(columns, COLUMNS_MIN), COLUMNS_MAX),
        min(max(rows, ROWS_MIN), ROWS_MAX),
    )
