"""What the Output view says about itself, and what of it goes to the clipboard and to files."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from typing import TYPE_CHECKING

from fluxstart_tui.rfc import idset
from fluxstart_tui.tui import keymap
from fluxstart_tui.tui.lines_block import LAUNCHER, SHOWN
from fluxstart_tui.tui.lines_severity import Severity
from fluxstart_tui.tui.widgets import lines_select
from fluxstart_tui.tui.widgets.lines_bars import Tool
from fluxstart_tui.tui.widgets.lines_paint import plain_row
from fluxstart_tui.tui.widgets.paint import fit

if TYPE_CHECKING:
    from typing import Any

    from textual.app import App

    from fluxstart_tui.tui.views.output_options import Options
    from fluxstart_tui.tui.views.output_pane import OutputPane
    from fluxstart_tui.tui.widgets.paint import Part

KEYS = [
    ("{output.search}  {output.next-hit}  {output.previous-hit}", "search; next, previous hit"),
    ("{output.ranks}", "only some ranks, such as 0-3,7"),
    ("{output.streams}", "all streams, stdout (│), stderr (▌), the launcher's own lines (»)"),
    ("{output.levels}", "all lines, warnings and errors, errors"),
    ("{output.filter}  {output.inverse}", "only lines with an expression; only those without"),
    ("{output.no-filter}", "no filter"),
    ("{output.follow}", "follow what comes, or stay"),
    ("{output.wrap}", "wrap long lines"),
    ("{output.times}", "times: none, absolute, since the start, since the line before"),
    ("{output.merge}", "merge equal lines of several ranks"),
    ("{output.cap}", "cap each rank's lines in a second, so that none drowns the others"),
    ("{output.beside}", "two to four ranks beside each other"),
    ("{output.select}  {output.copy}", "select rows by arrows; copy what is selected"),
    ("{output.save}", "save what is shown to a file (colours kept in NAME.ansi)"),
    (
        "{lines.up} {lines.down} {lines.left} {lines.right}  {lines.top}  {lines.bottom}",
        "scroll; first row; last row",
    ),
    ("{output.back}", "no selection, no search"),
]

QUESTIONS = {
    "search": "search: a regular expression",
    "filter": "only lines with: a regular expression; nothing for all",
    "ranks": "only ranks: 0-3,7 or nothing for all",
    "beside": "two to four ranks side by side: 0,3",
    "save": "save to file",
}

_STREAMS = {
    frozenset(SHOWN): ("all streams", "streams"),
    frozenset((0,)): ("stdout only", "stdout"),
    frozenset((1,)): ("stderr only", "stderr"),
    frozenset((LAUNCHER,)): ("launcher only", "launcher"),
}
_LEVELS = {
    None: ("all levels", "levels"),
    Severity.WARNING: ("warnings, errors", "warn+"),
    Severity.ERROR: ("errors only", "errors"),
}
_SLICE = 0.01


def former(what: str, options: Options) -> str:
    """Return what was answered before."""
    wanted = options.wanted
    if what == "ranks":
        return idset.encode(wanted.ranks) if wanted.ranks else ""
    if what == "filter":
        return wanted.matcher.pattern if wanted.matcher else ""
    return "output.txt" if what == "save" else ""


def tools(options: Options, *, wide: bool) -> list[Tool]:
    """Return how the tools are set."""
    wanted, looks = options.wanted, options.looks
    short = 0 if wide else 1
    ranks = ("all ranks", "ranks")[short]
    if wanted.ranks is not None:
        ranks = fit("rank " * wide + idset.encode(wanted.ranks), 20 if wide else 8).strip()
    pattern = ("no filter", "filter")[short]
    if wanted.matcher is not None:
        pattern = "not " * wanted.inverse + wanted.matcher.pattern
        pattern = fit(pattern, 24 if wide else 10).strip()
    times = {"no": ("no times", "times"), "delta": ("delta", "delta")}
    return [
        Tool("ranks", ranks, wanted.ranks is not None, "ask('ranks')"),
        Tool("streams", _STREAMS[wanted.streams][short], len(wanted.streams) == 1,
             "switch('streams')"),
        Tool("levels", _LEVELS[wanted.worst][short], wanted.worst is not None, "switch('levels')"),
        Tool("filter", pattern, wanted.matcher is not None, "ask('filter')"),
        Tool("wrap", "wrap", looks.wrap, "switch('wrap')"),
        Tool("times", times.get(looks.times, (looks.times, looks.times[:3] + "."))[short],
             looks.times != "no", "switch('times')"),
        Tool("merge", ("merge equal", "merge")[short], options.merged, "switch('merge')"),
        Tool("cap", ("cap chatty", "cap")[short], options.fair, "switch('fair')"),
        Tool("beside", ("beside", "beside")[short], bool(options.beside), "beside"),
    ]  # fmt: skip


def status(pane: OutputPane, said: str, asking: str) -> tuple[list[Part], list[Part]]:
    """Return how much there is, and what is going on."""
    rows, lines, keys = pane.rows, pane.lines, keymap.of(pane.app)
    total, shown = len(rows.store), len(rows)
    left: list[Part] = []
    if said:
        return [(said, "bad")], []
    if pane.rank is not None:
        left.append((f"rank {pane.rank}: ", "title"))
    if not total and pane.model.terminals:
        text = "no lines yet: what ranks on terminals print is in {app.terminal} Terminal"
        left.append((keys.text(text), "dim"))
    elif not total and pane.model.header.get("mode") == "observed":
        left.append(("what it prints, only those see who have started it", "dim"))
    elif rows.plain:
        left.append((f"{total:,} line{'s' * (total != 1)}", "strong"))
    else:
        what = "rows of" if rows.merged or rows.fair else "of"
        left += [(f"{shown:,}", "strong"), (f" {what} {total:,} lines", "dim")]
    if rows.store.behind:
        left.append((" …reading", "info"))
    elif not rows.done:
        left.append((f" …{rows.progress:.0%}", "info"))
    if pane.search is not None:
        at, count = pane.hits
        pattern = fit(pane.search.matcher.pattern, 24).rstrip()
        more = "" if pane.search.done else "…"
        left += [("   /" + pattern + " ", "title")]
        if not count and not more:
            left.append(("not found", "warn"))
        else:
            where = f"hit {at:,} of {count:,}" if at else f"{count:,} hit{'s' * (count != 1)}"
            left.append((where + more, "strong"))
    if asking:
        return left, [(QUESTIONS[asking] + " ", "title")]
    if lines.selection is not None:
        number = lines.selection.rows
        text = f"{number:,} row{'s' * (number != 1)} selected"
        return left, [(text, "strong"), (keys.text(" {output.copy}"), "title"), (" copies ", "dim")]
    right: list[Part] = pane.loud.tell(pane)
    if lines.follow:
        end = ("▼ the end ", "dim") if pane.model.ended else ("▼ following ", "good")
        return left, [*right, end]
    fresh = max(0, shown - lines.seen)
    right.append(("‖ paused ", "warn"))
    if fresh:
        right.append((f"{fresh:,} new ▼ ", "info strong"))
    return left, [*right, (keys.text("{output.follow}"), "title"), (" follows ", "dim")]


def copy(app: App[Any], pane: OutputPane) -> str:
    """Copy what is selected to the clipboard and to a file; return what to tell."""
    lines = pane.lines
    assert lines.selection is not None
    text = lines_select.text_of(lines.selection, lines.rows, lines.painter, lines.looks)
    number = text.count("\n") + 1
    what = f"{number:,} lines" if number > 1 else f"{len(text):,} characters"
    if lines.selection.rows > number:
        what = f"The first {what}"
    path = lines_select.cache_file("copied.txt")
    try:
        lines_select.keep(text, path)
    except OSError as error:
        path = f"(no file: {error.strerror})"
    if len(text.encode()) > lines_select.OSC52:
        return f"{what} are too much for a terminal's clipboard; they are in {path}"
    app.copy_to_clipboard(text)
    return f"{what} copied; also in {path}"


def free(path: str, *, overwrite: bool) -> str:
    """Return a path that may be written.

    Raises:
        OSError: it may not; that something is there is only said once.
    """
    full = os.path.expanduser(path)
    if not path:
        raise OSError(errno.ENOENT, "what is its name to be?")
    if os.path.lexists(full) and not (overwrite and os.path.isfile(full)):
        again = "is there; Enter again overwrites it" if os.path.isfile(full) else "is no file"
        raise OSError(errno.EEXIST, again)
    with open(full, "ab"):
        return full


async def save(app: App[Any], pane: OutputPane, path: str) -> None:
    """Write all rows of a pane to a file, in slices."""
    rows, lines = pane.rows, pane.lines
    raw = path.endswith(".ansi")
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            until = time.perf_counter() + _SLICE
            total = len(rows)
            for at in range(total):
                cell = lines.painter.cell(rows, at, rows.row(at), lines.looks)
                text = plain_row(cell, ranks=lines.looks.ranks)
                if raw and not cell.fold and text.endswith(cell.text.text):
                    text = text[: len(text) - len(cell.text.text)]
                    text += cell.line.data.decode(errors="replace") + "\x1b[0m"
                file.write(text + "\n")
                if time.perf_counter() >= until:
                    await asyncio.sleep(0)
                    until = time.perf_counter() + _SLICE
    except OSError as error:
        app.notify(f"{path}: {error.strerror}", severity="error", markup=False)
    else:
        app.notify(f"{total:,} rows saved to {path}", markup=False)
