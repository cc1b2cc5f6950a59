"""Normal mode on a terminal: the UI on one supervised singleton."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyghostty", reason="there is no emulator to look at a terminal with")

from fluxstart_tui.diagnose import progress
from fluxstart_tui.session.state import initial
from fluxstart_tui.tui.widgets import strip
from tests import support
from tests.engine.test_singleton import BROKERS, EMBEDDED, EMPTY
from tests.tui.on_terminal import OnTerminal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("broker", BROKERS)
def test_a_shell_on_a_singleton(scene: Path, broker: str) -> None:
    """All views open, PMI is not waited for, the shell is typed to, its exit code is ours."""
    ui = OnTerminal(scene, f"--broker={broker}", *EMPTY, "bash", "--norc", size=(80, 24))
    screen = ui.expect("1 broker ", "normal", "program runs")
    assert "init" not in screen
    assert "barrier" not in screen
    for key, text in (("3", "speaks no PMI"), ("4", "OVERLAY"), ("5", "RANK"), ("6", "SEV")):
        ui.type(key)
        ui.expect(text)
    ui.type("7")
    ui.expect("keys go to the program", "$ ")
    ui.type("echo in$((40+2))side\r")
    ui.expect("in42side")
    ui.type("sleep 99\r")
    support.wait_for_command(scene, "sleep 99")
    ui.type("\x03")
    ui.type("exit 7\r")
    ui.expect("exit code 7")
    ui.type("\x1d")
    ui.type("q")
    assert ui.end() == 7
    assert "initial program exited with code 7" in ui.screen()


def test_without_any_argument_there_is_a_shell(scene: Path) -> None:
    """As flux start: $SHELL, interactive."""
    ui = OnTerminal(scene, "--broker=embedded")
    ui.expect("1 broker ", "normal", "program runs", "7: type to the shell")
    ui.type("7")
    ui.expect("keys go to the program", "$ ")
    ui.type("exit\r")
    ui.expect("ended: exit code 0")
    ui.type("\x1d")
    ui.type("q")
    assert ui.end() == 0


def test_the_programs_own_options_are_left_alone(scene: Path) -> None:
    """The UI sets --record of its own, which says nothing of the program's."""
    script = 'echo "<$*>" >words'
    ui = OnTerminal(scene, "--record=here", *EMBEDDED, "sh", "-c", script, "x", "--record", "-s2")
    ui.expect("1 broker ", "ended: exit code 0")
    ui.type("q")
    assert ui.end() == 0
    assert (scene / "words").read_text() == "<--record -s2>\n"
    assert (scene / "here/session.json").exists()


def test_shutting_it_down_returns_the_brokers_code(scene: Path) -> None:
    """The program was ended by SIGHUP, as it is by a SIGTERM to flux start's broker."""
    ui = OnTerminal(scene, *EMBEDDED, "sleep", "99")
    ui.expect("program runs")
    ui.type("q")
    ui.expect("1 of 1 broker", "shut down")
    ui.type("s")
    assert ui.end() == 128 + signal.SIGHUP
    assert "SHUT DOWN by the UI" in ui.text


@pytest.mark.parametrize("how", ["term", "kill", "close"])
def test_when_the_ui_is_gone_so_is_the_broker(scene: Path, how: str) -> None:
    """In order; what does not want to end is killed by the exit timer, which only the UI has."""
    words = ("--killer-timeout=2", *EMBEDDED, "sh", "-c", "trap '' HUP; while :; do sleep 1; done")
    ui = OnTerminal(scene, *words)
    ui.expect("program runs")
    if how == "close":
        ui.close()
    else:
        ui.signal(getattr(signal, f"SIG{how.upper()}"))
    code = ui.end()
    assert code == 128 + signal.SIGTERM if how == "term" else code != 0
    support.assert_nothing_left(scene, timeout=20)


def test_it_is_attached_to_and_replayed(scene: Path) -> None:
    """A headless one that is recorded, while it runs and when it has ended."""
    path = scene / "recorded"
    script = "echo hello; until [ -e go ]; do sleep 0.05; done"
    words = ("--headless", f"--record={path}", *EMBEDDED, "sh", "-c", script)
    process = support.start(scene, *words)
    support.session(path)
    ui = OnTerminal(scene, f"--attach={path}")
    ui.expect("1 broker ", "normal", "program runs")
    (scene / "go").touch()
    ui.expect("ended: exit code 0")
    ui.type("q")
    assert ui.end() == 0
    assert support.finish(process).code == 0
    ui = OnTerminal(scene, f"--replay={path}")
    ui.expect("1 broker ", "normal", "exit code 0")
    ui.type("2")
    ui.expect("hello")
    ui.type("q")
    assert ui.end() == 0


def test_the_strip_of_few_phases_fits() -> None:
    """No name is cut, however wide the screen is."""
    phases = progress.phases(initial({"size": 1, "mode": "normal"}))
    for width in range(60, 220):
        drawn = strip.draw(phases, width, 0.0, ended=False)
        assert drawn.cells[-1].end <= width
