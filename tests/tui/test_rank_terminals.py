"""Terminals of many ranks and of helper programs, as their user sees them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyghostty", reason="there is no emulator to look at a terminal with")

from fluxstart_tui.tui.terminal import keys, switch
from fluxstart_tui.tui.terminal.keys import MousePress
from fluxstart_tui.tui.terminal.switch import Label
from tests import support
from tests.tui.on_terminal import OnTerminal

EMPTY = ("-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "-Sstatedir=state")
BROKERS = ["embedded", pytest.param("flux", marks=pytest.mark.real_flux)]
WRAPPER = Path(__file__).parents[1] / "engine/terminal_wrapper.py"
WRAP = f"--wrap={sys.executable},{WRAPPER}"
LEAVE = "\x1d"


@pytest.mark.parametrize("broker", BROKERS)
def test_wrapped_ranks_have_terminals(scene: Path, broker: str) -> None:
    """Each wrapper is talked to in its own; it has the view's size; its screen is kept."""
    ui = OnTerminal(scene, f"--broker={broker}", *EMPTY, "-s3", WRAP, "cat")
    ui.expect("3 brokers")
    ui.type("7")
    ui.expect("keys go to the program", "rank 0:")
    ui.type("look\r")
    ui.expect("rank 0: 32x118 same=True leads=True")
    ui.type(f"{LEAVE}]")
    ui.expect("Terminal · rank 1 · Enter or click", "rank 1:")
    ui.type("\rlook\r")
    ui.expect("rank 1 · ⌨ keys go to the program", "rank 1: 32x118")
    ui.type("\x03")
    ui.expect("rank 1: interrupted")
    ui.type(f"go\r{LEAVE}]")
    ui.expect("Terminal · rank 2", gone="interrupted")
    ui.type(f"\rgo\r{LEAVE}]")
    ui.expect("Terminal · Enter", "rank 0: 32x118")
    ui.type("\rgo\r")
    ui.expect("program runs")
    ui.type(f"{LEAVE}[")
    ui.expect("Terminal · rank 2")
    ui.type("[")
    ui.expect("Terminal · rank 1", "rank 1: interrupted", "rank 1: running")
    ui.type("[")
    ui.expect("Terminal · Enter")
    ui.type("\r\x04")
    ui.expect("ended: exit code 0")
    ui.type(f"{LEAVE}q")
    assert ui.end() == 0
    again = OnTerminal(scene, "--replay", _session(scene))
    again.type("7")
    again.expect("as recorded")
    again.type("]")
    again.expect("Terminal · rank 1 · as recorded")
    again.type("}" * 60)
    again.expect("rank 1: interrupted")
    again.type("q")
    assert again.end() == 0


def _session(scene: Path) -> str:
    (path,) = (scene / "state/fluxstart-tui/sessions").iterdir()
    return str(path)


def test_by_mouse_and_from_the_detail_of_a_rank(scene: Path) -> None:
    """A click on a name brings it to the front, as ctrl+t does for the rank under the cursor."""
    ui = OnTerminal(scene, "--broker=embedded", *EMPTY, "-s3", "--pty=all", WRAP, "sleep", "99")
    ui.expect("3 brokers")
    ui.type("7")
    rows = ui.expect("rank 0:", "keys go to the program", "○ 2").splitlines()
    row = next(at for at, line in enumerate(rows) if line.startswith(" rank "))
    column = rows[row].rindex("2")
    for action in (keys.PRESS, keys.RELEASE):
        ui.type(ui._emulator.pointer(MousePress(action, 1, column, row)).decode())
    ui.expect("Terminal · rank 2")
    ui.type("d")
    ui.expect("Overview", "ctrl+t terminal")
    ui.type("]")
    ui.expect(" rank 1 ")
    ui.type("\x14")
    ui.expect("rank 1 · ⌨ keys go to the program")
    kill(ui)


def kill(ui: OnTerminal) -> None:
    """Leave the terminal, kill the instance and quit."""
    ui.type(f"{LEAVE}q")
    ui.expect("What becomes of them?")
    ui.type("k")
    assert ui.end() == 128 + signal.SIGKILL


def test_a_rank_without_a_terminal(scene: Path) -> None:
    """It is said how it would have one; without a wrapper there is only rank 0's, and no line."""
    ui = OnTerminal(scene, "--broker=embedded", *EMPTY, "-s2", "sh", "-c", "read x")
    ui.expect("program runs")
    ui.type("d")
    ui.expect("Overview")
    ui.type("]")
    ui.expect(" rank 1 ")
    ui.type("\x14")
    ui.expect("--pty gives it one")
    ui.type("7")
    ui.expect("keys go to the program", gone=" rank  ")
    ui.type("\r")
    ui.expect("ended: exit code 0")
    ui.type(f"{LEAVE}q")
    assert ui.end() == 0


def test_a_helper_program_has_a_tab(scene: Path) -> None:
    """A shell in the instance: it has job control, its tab stays until it is closed."""
    ui = OnTerminal(scene, "--broker=embedded", *EMPTY, "-s2", "sh", "-c", "read x")
    ui.expect("program runs")
    ui.type("d")
    ui.expect("! shell")
    ui.type("!")
    ui.expect("shell · ⌨ keys go to the program")
    ui.type("stty size; echo uri=$FLUX_URI\r")
    ui.expect("32 118", "uri=local://", "$ shell")
    ui.type("sleep 99\r")
    support.wait_for_command(scene, "sleep 99")
    ui.type("\x03exit 3\r")
    ui.expect("has ended with code 3 · x closes")
    ui.type("x")
    ui.expect("Terminal · Enter or click", gone="shell")
    ui.type("d")
    ui.expect("! shell")
    ui.type("!")
    ui.expect("shell · ⌨ keys go to the program")
    ui.type("echo pid=$$ again\r")
    told = support.wait_for(lambda: re.search(r"pid=(\d+) again", ui.look()), "its pid")
    assert told is not None
    kill(ui)
    support.wait_for(lambda: not os.path.exists(f"/proc/{told[1]}"), "the shell's end")


@pytest.mark.real_flux
@pytest.mark.skipif(shutil.which("gdb") is None, reason="there is no gdb")
def test_a_broker_under_gdb(scene: Path) -> None:
    """Rank 1 waits at gdb's prompt until it is told to run; the instance waits for it."""
    wrap = ("--wrap=gdb,-nx,-q,--args", "--wrap-ranks=1")
    ui = OnTerminal(scene, "--broker=flux", *EMPTY, "-s2", *wrap, "cat")
    ui.expect("2 brokers")
    ui.type("7")
    ui.expect("keys go to the program")
    ui.type(f"{LEAVE}]")
    ui.expect("(gdb)")
    ui.type("\r\x03")
    ui.expect("Quit")
    # flux-broker that leads a process group sends itself SIGHUP at its end.
    ui.type("handle SIGHUP nostop noprint\rrun\r")
    ui.expect("program runs")
    ui.type(f"{LEAVE}[")
    ui.expect("Terminal · Enter")
    ui.type(f"\r\x04{LEAVE}]")
    ui.expect("exited normally")
    ui.type("\rquit\r")
    ui.expect("ended: exit code 0")
    ui.type(f"{LEAVE}q")
    assert ui.end() == 0


def test_the_line_shows_the_page_of_the_current_one() -> None:
    """Whatever does not fit is reached by arrows; labels stay where they are within a page."""
    labels = [Label(f"● {rank}", "good", f"rank-{rank}") for rank in range(64)]

    def line(current: int) -> str:
        items = switch.items(labels, f"rank-{current}", 60)
        assert sum(len(text) for text, *_ in items) <= 60
        assert [name for _, _, on, name in items if on] == [f"rank-{current}"]
        return "".join(text for text, *_ in items)

    assert line(0) == line(3)
    assert line(0).rstrip().endswith("▸")
    assert "◂" not in line(0)
    assert "◂" in line(30)
    assert "▸" in line(30)
    assert line(63).rstrip().endswith("● 63")
    for current in range(64):
        assert f" ● {current} " in line(current)
