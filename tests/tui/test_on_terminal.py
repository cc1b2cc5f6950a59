"""The whole program on a terminal: started, looked at, driven, left and killed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("pyghostty", reason="there is no emulator to look at a terminal with")

from fluxstart_tui.session.events import Winsize
from fluxstart_tui.session.reader import Session
from tests import support
from tests.tui.on_terminal import OnTerminal

EMPTY = ("-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "-Sstatedir=state")
EMBEDDED = ("--broker=embedded", *EMPTY)
BROKERS = ["embedded", pytest.param("flux", marks=pytest.mark.real_flux)]


def session(scene: Path) -> Session:
    """Open the one session there is."""
    root = scene / "state/fluxstart-tui/sessions"
    support.wait_for(lambda: list(root.glob("*/session.json")), "the session")
    (path,) = root.iterdir()
    return Session(str(path))


@pytest.mark.parametrize("broker", BROKERS)
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_an_instance_is_seen_and_shut_down(scene: Path, broker: str, size: tuple[int, int]) -> None:
    """It runs, all views open, q asks, and the exit code and the summary come at the end."""
    ui = OnTerminal(scene, f"--broker={broker}", *EMPTY, "-s4", "sleep", "99", size=size)
    ui.expect("4 brokers", "program runs", "4 run")
    for key, text in (
        ("3", "COMMAND"),
        ("4", "OVERLAY"),
        ("5", "RANK"),
        ("6", "SEV"),
        ("2", "lines"),
    ):
        ui.type(key)
        ui.expect(text)
    ui.type("1")
    ui.expect("rank 0")
    ui.type("q")
    ui.expect("4 of 4 brokers run", "shut down")
    ui.type("s")
    assert ui.end() == 128 + signal.SIGTERM
    assert "SHUT DOWN by the UI" in ui.text
    sizes = [event for _, event in session(scene).events() if isinstance(event, Winsize)]
    columns, rows = size
    assert sizes == [Winsize(0, rows - 7, columns - 2)], "it did not begin with its pane's size"


def test_the_shell_goes_on_when_the_disk_is_full(scene: Path) -> None:
    """It is typed to and seen, events too, and what is wrong is said; the end comes as ever."""
    state = scene / "state"
    state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(state)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        ui = OnTerminal(scene, *EMBEDDED, "-s2", "bash", "--norc")
        ui.expect("program runs")
        ui.type("7")
        ui.expect("keys go to the program", "$ ")
        ui.type(f"head -c 4M /dev/zero > {state}/fill; seq 100000 | tail -n 3\r")
        ui.expect("99999", "$ ")
        for number in range(3):
            ui.type(f"seq 1 $((3000 + {number})); echo seen$(({number} + 40))here\r")
            ui.expect(f"seen{number + 40}here")
        ui.expect("the disk takes no more")
        ui.type("exit 7\r")
        ui.expect("ended after", "exit code 7")
        ui.type("\x1d")
        ui.type("q")
        assert ui.end() == 7
    finally:
        subprocess.run(["umount", "-l", str(state)], check=True)


def test_without_any_room_the_session_is_in_memory(scene: Path) -> None:
    """The UI shows the instance all the same, and says in the end where the session is."""
    (scene / "state").write_text("no directory")
    ui = OnTerminal(scene, *EMBEDDED, "-s2", "sh", "-c", "echo go on; read x; exit 7")
    ui.expect("program runs", "recorded in memory only")
    ui.type("7")
    ui.expect("go on", "ctrl+] leaves")
    ui.type("\r")
    ui.expect("exit code 7")
    ui.type("\x1d")
    ui.type("q")
    assert ui.end() == 7
    found = re.search(r"the session is in memory: (/\S+) \(", ui.text)
    assert found is not None
    shutil.rmtree(found[1])


def test_the_shell_in_the_terminal(scene: Path) -> None:
    """Bash is the initial program: it is typed to, resized, and its exit code is ours."""
    ui = OnTerminal(scene, *EMBEDDED, "-s2", "bash", "--norc")
    ui.expect("program runs")
    ui.type("7")
    ui.expect("keys go to the program", "$ ")
    ui.type("echo in$((40+2))side; stty size\r")
    ui.expect("in42side")
    ui.resize(100, 30)

    def resized() -> bool:
        ui.type("stty size\r")
        return "23 98" in ui.look()

    support.wait_for(resized, "the new size")
    ui.type("sleep 99\r")
    support.wait_for_command(scene, "sleep 99")
    ui.type("\x03")
    ui.type("echo after\r")
    ui.expect("after")
    ui.type("exit 7\r")
    ui.expect("exit code 7")
    ui.type("\x1d")
    ui.type("q")
    assert ui.end() == 7
    assert "initial program exited with code 7" in ui.screen()


def test_success_is_quiet_but_stays(scene: Path) -> None:
    """When the instance has ended the screen stays, until q returns its exit code."""
    ui = OnTerminal(scene, *EMBEDDED, "-s2", "echo", "done")
    ui.expect("ended: exit code 0")
    ui.type("2")
    ui.type("q")
    assert ui.end() == 0


def test_a_launch_error_is_one_line(scene: Path) -> None:
    """What keeps the engine from starting is said on the normal screen."""
    ui = OnTerminal(scene, *EMBEDDED, "-s2", "--test-rundir=/nowhere", "true")
    assert ui.end() == 1
    assert "fluxstart-tui: /nowhere: No such file or directory" in ui.screen()
    assert "Traceback" not in ui.screen()


def test_what_can_not_be_run_is_named(scene: Path) -> None:
    """The engine says why, in its session, and its exit code is everywhere the same."""
    (scene / "broker").write_text("no program")
    (scene / "broker").chmod(0o755)
    ui = OnTerminal(scene, f"--broker={scene}/broker", "-s4", "true", size=(80, 24))
    ui.expect("ended: exit code 1", "✗ flux_exec: Exec format error")
    ui.type("q")
    assert ui.end() == 1
    assert "first failure flux_exec: Exec format error" in ui.text


def test_an_engine_that_is_killed(scene: Path) -> None:
    """The time stands still, what has happened is said, to all who look, and nothing is left."""
    ui = OnTerminal(scene, *EMBEDDED, "-s2", "sleep", "99")
    ui.expect("program runs")
    other = OnTerminal(scene, "--attach")
    other.expect("program runs")
    os.kill(session(scene).header["pid"], signal.SIGKILL)
    other.expect("ended after", "its engine is gone", "all views show", "plays it")
    other.type("t")
    other.expect("takes no commands")
    other.type("q")
    assert other.end() == 0
    ui.expect("ended after", "its engine is gone", "exit code 137")
    ui.type("q")
    assert ui.end() == 128 + signal.SIGKILL
    assert "before its end" in ui.text
    support.assert_nothing_left(scene, timeout=20)


STOPS = """
import os, signal
print("before", flush=True)
input()
os.kill(os.getpid(), signal.SIGSTOP)
print("after", flush=True)
input()
"""


@pytest.mark.parametrize("broker", BROKERS)
def test_a_stopped_program_is_said_to_be_and_continued(scene: Path, broker: str) -> None:
    """In the header and on its terminal, with the key that continues it."""
    program = (sys.executable, "-c", STOPS)
    ui = OnTerminal(scene, f"--broker={broker}", *EMPTY, "-s2", *program, size=(80, 24))
    ui.expect("program runs")
    ui.type("7")
    ui.expect("before", "ctrl+] leaves")
    ui.type("\r")
    ui.expect("‖ program is stopped", "the program is stopped · ctrl+] c continues it")
    ui.type("\x1d")
    ui.expect("the program is stopped · c continues it")
    ui.type("c")
    ui.expect("after", "● program runs", "the program goes on", gone="stopped")
    ui.type("\r")  # keys go to the program again
    ui.expect("ctrl+] leaves")
    ui.type("\r")
    ui.expect("ended: exit code 0")
    ui.type("\x1d")
    ui.type("q")
    assert ui.end() == 0


@pytest.mark.parametrize("how", ["int", "term", "hup", "close"])
def test_when_the_ui_is_gone_so_is_the_instance(scene: Path, how: str) -> None:
    """Ended or its terminal closed: brokers end in order, and the record says why."""
    ui = OnTerminal(scene, *EMBEDDED, "-s2", "sleep", "99")
    before = ui.modes()
    ui.expect("program runs")
    assert ui.modes() != before
    if how == "close":
        ui.close()
    else:
        number = getattr(signal, f"SIG{how.upper()}")
        ui.signal(number)
    if how in ("int", "term", "hup"):
        support.wait_for(lambda: ui.modes() == before, "the terminal to be restored")
        assert ui.end() == 128 + number
    else:
        assert ui.end() != 0
    support.assert_nothing_left(scene, timeout=20)
    state = session(scene).state
    assert state.end is not None
    assert any("the UI is gone" in one.by for _, one in state.signals)


def test_a_terminal_that_is_not_read_and_then_closed(scene: Path) -> None:
    """The UI, which waits for it to be read, ends all the same."""
    flood = "i=0; while :; do i=$((i+1)); echo $i >&2; sleep 0.01; done"
    ui = OnTerminal(scene, *EMBEDDED, "--pty=1", "-s2", "sh", "-c", flood)
    ui.expect("program runs")
    ui.type("2")
    ui.expect("following")
    support.wait_for(lambda: stands_still(ui.pid), "the UI to wait for its terminal")
    ui.close()
    assert ui.end() != 0
    support.assert_nothing_left(scene, timeout=20)


def stands_still(pid: int) -> bool:
    """Tell whether a process's main thread uses no CPU."""

    def used() -> list[str]:
        return Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]

    before = used()
    time.sleep(0.5)
    return used() == before


def test_leave_it_running_and_attach_again(scene: Path) -> None:
    """It can be left to itself; --attach shows it again, live, and its commands work."""
    ui = OnTerminal(scene, *EMBEDDED, "-s2", "sleep", "99")
    ui.expect("program runs")
    ui.type("q")
    ui.expect("leave running")
    ui.type("l")
    assert ui.end() == 0
    assert "runs on: --attach=" in ui.screen()
    assert session(scene).live
    again = OnTerminal(scene, "--attach")
    again.expect("program runs", "2 run")
    again.type("q")
    assert again.end() == 0
    env = {"XDG_STATE_HOME": str(scene / "state")}
    assert support.run(scene, "--ctl=last", "shutdown", env=env).code == 0
    support.wait_for(lambda: not session(scene).live, "the end")


def test_the_exit_timer_is_extended_and_fires(scene: Path) -> None:
    """A killed rank arms it; t names whom it kills, e extends it, k lets it kill now."""
    ui = OnTerminal(scene, *EMBEDDED, "-s3", "--test-exit-timeout=50", "sleep", "99")
    ui.expect("program runs", "3 run")
    pid = support.now(one := session(scene)).broker(2).pid
    os.kill(pid, signal.SIGKILL)
    ui.expect("exit timer")
    ui.type("t")
    ui.expect("It runs since rank 2 was killed")
    ui.type("e")
    ui.expect("extended", gone="It runs since")
    support.wait_for(lambda: support.now(one).timer.action == "extended", "more time")  # type: ignore[union-attr] # it is armed
    ui.type("t")
    ui.expect("It runs since rank 2 was killed")
    ui.type("k")
    ui.expect("ended: exit code 137")
    ui.type("q")
    assert ui.end() == 137
    state = support.now(one)
    assert {state.broker(rank).exit.cause for rank in (0, 1)} == {"user"}  # type: ignore[union-attr] # they have ended


def test_a_question_goes_away_with_the_instance(scene: Path) -> None:
    """What was asked of it can not be done any more once all brokers have ended."""
    ui = OnTerminal(scene, *EMBEDDED, "-s3", "--test-exit-timeout=50", "sleep", "99")
    ui.expect("program runs", "3 run")
    pids = [support.now(session(scene)).broker(rank).pid for rank in range(3)]
    os.kill(pids.pop(), signal.SIGKILL)
    ui.expect("exit timer")
    ui.type("t")
    ui.expect("It runs since rank 2 was killed")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    ui.expect("ended: exit code 137", gone="It runs since")
    ui.type("q")
    assert ui.end() == 137


def test_a_rank_that_hangs_is_named(scene: Path) -> None:
    """The header says in words who is waited for."""
    ui = OnTerminal(
        scene,
        *EMBEDDED,
        "-s4",
        "-Sfault.init=2:hang",
        "--test-exit-timeout=0.5",
        "true",
        size=(100, 30),
    )
    ui.expect("waiting in PMI barrier 1 for rank 2")
    ui.type("q")
    ui.expect("shut down")
    ui.type("s")
    assert ui.end() == 143


def test_replay_plays(scene: Path) -> None:
    """A record is shown as it was at any time."""
    path = scene / "recorded"
    words = ("--headless", f"--record={path}", "-s2", *EMBEDDED)
    assert support.run(scene, *words, "sh", "-c", "echo hello; sleep 1").code == 0
    ui = OnTerminal(scene, f"--replay={path}")
    ui.expect("2 brokers", "exit code 0")
    ui.type(" ")
    ui.expect(gone="exit code 0")
    ui.expect("exit code 0")
    ui.type("2")
    ui.expect("hello")
    ui.type("q")
    assert ui.end() == 0


def test_256_brokers(scene: Path) -> None:
    """A large instance fits on the smallest screen."""
    ui = OnTerminal(scene, *EMBEDDED, "-s256", "sleep", "99", size=(80, 24))
    ui.expect("256 brokers", "256 run")
    ui.type("q")
    ui.expect("256 of 256 brokers run")
    ui.type("k")
    assert ui.end() == 137
    assert session(scene).header["size"] == 256


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("theme = 'pink'", "theme: 'pink' is none of dark, light, ansi"),
        ("[keys]\napp.quit = '1'", "keys.app.quit: '1' is the key of app.brokers"),
        ("[keys", "not TOML: "),
    ],
)
def test_a_wrong_file_of_settings_is_one_line(scene: Path, text: str, said: str) -> None:
    """It names the file and the setting, before a screen opens or a broker starts."""
    path = scene / "config/fluxstart-tui/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    ui = OnTerminal(scene, *EMBEDDED, "-s2", "sleep", "99")
    assert ui.end() == 1
    shown = "".join(ui.screen().split())
    assert f"fluxstart-tui:{path}:{said}".replace(" ", "") in shown
    assert b"\x1b" not in ui.written
    assert not (scene / "state").exists()
    support.assert_nothing_left(scene)


def test_a_file_of_settings_is_used(scene: Path) -> None:
    """Its view is shown first, its key quits, and what it says of recording the engine gets."""
    path = scene / "mine.toml"
    path.write_text("[defaults]\nview='log'\nkeep=2\nrecord-limit='5MiB'\n[keys]\napp.quit='f10'\n"
                    "terminal.leave='ctrl+a'")  # fmt: skip
    ui = OnTerminal(scene, *EMBEDDED, "-s2", "sleep", "99", env={"FLUXSTART_TUI_CONFIG": str(path)})
    ui.expect("SEV", "f10 Quit", "program runs")
    options = session(scene).header["options"]
    assert (options["keep"], options["record_limit"]) == (2, 5 << 20)
    ui.type("7")
    ui.expect("keys go to the program · ctrl+a leaves")
    ui.type("\x01")
    ui.expect("Enter or click: keys go to the program")
    ui.type("\x1b[21~")
    ui.expect("shut down")
    ui.type("s")
    assert ui.end() == 128 + signal.SIGTERM


def test_keys_of_the_app_are_the_programs_while_the_terminal_has_the_keyboard(scene: Path) -> None:
    """Ctrl+p opens no palette and ctrl+q asks nothing; after ctrl+] they do."""
    program = ("sh", "-c", "stty -ixon; echo go on; exec cat")
    ui = OnTerminal(scene, *EMBEDDED, "-s1", *program)
    ui.expect("program runs")
    ui.type("7")
    ui.expect("go on", "ctrl+] leaves")
    ui.type("\x10\x11")
    ui.expect("^P^Q")
    ui.type("\x1d")
    ui.expect("keys go to the program")
    ui.type("\x11")
    ui.expect("1 of 1 brokers run")
    ui.type("k")
    assert ui.end() == 128 + signal.SIGKILL


def ui_of(scene: Path) -> int:
    """Return the pid of a UI that a shell has started: its engine is a child of its own."""
    stat = Path(f"/proc/{session(scene).header['pid']}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def test_a_ui_that_is_killed_leaves_the_terminal_as_it_was(scene: Path) -> None:
    """The shell that has started it is seen and typed to again."""
    words = shlex.join(support.command(*EMBEDDED, "-s1", "sleep", "99"))
    ui = OnTerminal(scene, "--norc", program=("/bin/bash",), env={"ROOT": str(support.ROOT)})
    ui.expect("$")
    ui.type(f"echo $((40+2))here; PYTHONPATH=$ROOT {words}\r")
    ui.expect("program runs")
    os.kill(ui_of(scene), signal.SIGKILL)
    ui.expect("42here", "fluxstart-tui was killed", gone="program runs")
    ui.type("echo again$((40+2)); stty -a\r")
    ui.expect("again42", "isig icanon iexten echo ", " icrnl ")
    for mode in (1000, 1003, 1049, 25):
        last = re.findall(rb"\x1b\[\?(?:\d+;)*%d(?:;\d+)*([hl])" % mode, ui.written)[-1]
        assert last == (b"h" if mode == 25 else b"l"), mode
    ui.type("exit\r")
    assert ui.end() == 0
    support.assert_nothing_left(scene, timeout=20)
    assert any("the UI is gone" in one.by for _, one in session(scene).state.signals)


def test_a_terminal_that_is_not_read_does_not_keep_the_ui_from_ending(scene: Path) -> None:
    """SIGTERM ends it within seconds, and who reads the terminal again finds it restored."""
    flood = "i=0; while :; do i=$((i+1)); echo $i >&2; sleep 0.01; done"
    program = ("/bin/sh", "-c", 'PYTHONPATH=$ROOT "$@"; read x', "sh", *support.command())
    words = (*EMBEDDED, "--pty=1", "-s2", "sh", "-c", flood)
    ui = OnTerminal(scene, *words, program=program, env={"ROOT": str(support.ROOT)})
    before = ui.modes()
    ui.expect("program runs")
    ui.type("2")
    ui.expect("following")
    pid = ui_of(scene)
    support.wait_for(lambda: stands_still(pid), "the UI to wait for its terminal")
    os.kill(pid, signal.SIGTERM)
    support.wait_for(lambda: not Path(f"/proc/{pid}").exists(), "its end", timeout=20)
    assert session(scene).state.end is not None
    ui.expect(gone="following")
    assert ui.modes() == before
    ui.type("\r")
    assert ui.end() == 0
