"""`--ctl`: how an instance is named, and what each verb does to it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui import control
from fluxstart_tui.control_verbs import VERBS
from fluxstart_tui.session import store
from fluxstart_tui.target import TargetError, resolve
from tests import support
from tests.engine.start_host import Host

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def host(scene: Path) -> Iterator[Host]:
    """Give a service over two processes."""
    with Host(scene) as one:
        yield one


def ctl(host: Host | str, *words: str) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of a command."""
    out: list[str] = []
    said: list[str] = []
    target = host if isinstance(host, str) else host.path
    code = control.main("fs", target, list(words), out.append, said.append)
    return code, "".join(out), "\n".join(said)


def test_status(host: Host) -> None:
    """A table of ranks and pids."""
    host.loop.do(lambda: host.signal(frozenset((1,)), 9, ""))
    assert ctl(host, "wait", "1")[0] == 137
    assert ctl(host, "status") == (0, f"RANK      PID\n   0 {host.pid(0):8}\n   1        -\n", "")


def test_info(host: Host) -> None:
    """A line for each thing known."""
    code, out, _ = ctl(host, "info")
    assert code == 0
    assert "program   fluxstart-tui test\nsize      2\nsession   null\n" in out


@pytest.mark.parametrize("name", ["TERM", "SIGTERM", "term", "15"])
def test_kill_and_wait(host: Host, name: str) -> None:
    """Signals have names and numbers; the exit code of wait is the broker's."""
    assert ctl(host, "kill", "1", name) == (0, "", "")
    assert ctl(host, "wait", "1") == (143, "", "")
    assert ctl(host, "run", "1") == (0, "", "")


def test_the_other_verbs(host: Host) -> None:
    """Each calls its method and says what has come of it."""
    host.terminal, host.remaining = True, 1.0
    assert ctl(host, "signal", "0-1", "WINCH") == (0, "signalled rank 0-1\n", "")
    assert ctl(host, "timer", "extend", "1m") == (0, "exit timer: 61.0 s left\n", "")
    assert ctl(host, "timer", "cancel") == (0, "", "")
    assert ctl(host, "hold", "0") == (0, "held: rank 0\n", "")
    assert ctl(host, "hold", "barrier") == (0, "held: rank 0 and the barrier\n", "")
    assert ctl(host, "release", "all") == (0, "held: nothing\n", "")
    assert ctl(host, "resize", "24", "80") == (0, "", "")
    assert ctl(host, "resize", "25", "81", "1") == (0, "", "")
    assert ctl(host, "continue", "1") == (0, "", "")
    assert ctl(host, "shutdown") == (0, "", "")
    assert ctl(host, "timer", "fire") == (0, "killed rank 0-1\n", "")
    assert ctl(host, "wait", "0")[0] == 137
    assert ctl(host, "wait", "1")[0] == 137
    assert ctl(host, "timer", "fire") == (0, "nobody was left to kill\n", "")
    assert ctl(host, "signal", "0", "9") == (1, "", "signal: none of the ranks 0 runs")


def test_input_waits_until_it_is_written(host: Host) -> None:
    """The command ends when the terminal has taken the text."""
    host.terminal = True
    done: list[tuple[int, str, str]] = []
    thread = threading.Thread(target=lambda: done.append(ctl(host, "input", "ls\n")))
    thread.start()
    assert host.asked.get(timeout=30) == ("input", 0, b"ls\n")
    assert not done
    host.loop.do(lambda: host.typing[0](0))
    thread.join()
    assert done == [(0, "", "")]


def test_watch(host: Host) -> None:
    """A line for each answer, until the instance ends."""
    host.grow(5, 0, 2)
    out: list[str] = []
    first = threading.Event()

    def print_it(text: str) -> None:
        out.append(text)
        first.set()

    codes: list[int] = []
    thread = threading.Thread(
        target=lambda: codes.append(control.main("fs", host.path, ["watch"], print_it, out.append))
    )
    thread.start()
    assert first.wait(30)
    host.loop.do(host.service._watchers.close)
    thread.join()
    assert (codes, out) == ([0], ["journal 5 segment 0 records 2\n"])


def test_help() -> None:
    """It needs no instance, and knows every verb."""
    code, out, said = ctl("nosuch", "help")
    assert (code, said) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[3:]] == list(VERBS)
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("", "--ctl needs one of status, info, run"),
        ("bogus", "--ctl: unknown verb 'bogus': one of status"),
        ("kill 1", "usage: fs --ctl=TARGET kill RANK SIGNAL"),
        ("status 1", "usage: fs --ctl=TARGET status"),
        ("timer", "usage: fs --ctl=TARGET timer extend|cancel|fire [DURATION]"),
        ("timer extend", "timer: extend DURATION, cancel or fire is needed"),
        ("timer cancel 5", "timer: extend DURATION, cancel or fire is needed"),
        ("timer extend inf", "timer: 'inf' is no duration such as 30s or 5m"),
        ("timer cancel", "timer: the exit timer does not run"),
        ("kill x 1", "kill: a rank must be a number, not 'x'"),
        ("kill -1 1", "kill: a rank must be a number, not '-1'"),
        ("kill 0 FOO", "kill: unknown signal 'FOO'"),
        ("kill 0 0", "kill: Invalid argument"),
        ("kill 9 TERM", "rank 9 broker process not found"),
        ("wait 9", "rank 9 broker process not found"),
        ("run 0", "run: rank 0 runs already"),
        ("signal 5 9", "signal: rank 5: there are 2 ranks"),
        ("signal x 9", "signal: 'x' is no idset: error parsing range 'x'"),
        ("hold ,", "hold: no ranks are given"),
        ("input x", "input: rank 0 has no terminal of ours"),
        ("input x 2", "input: rank 2: there are 2 ranks"),
        ("input x y", "input: a rank must be a number, not 'y'"),
        ("input x 1 2", "usage: fs --ctl=TARGET input TEXT [RANK]"),
        ("resize 0 0", "resize: 0x0 is no size of a terminal"),
        ("watch", "watch: nothing is recorded"),
    ],
)
def test_mistakes(host: Host, words: str, text: str) -> None:
    """Each is one clear line and exit code 1."""
    code, out, said = ctl(host, *words.split())
    assert (code, out) == (1, "")
    assert said.startswith(text)
    assert "\n" not in said


def test_somebody_else_waits(host: Host) -> None:
    """One client at a time may wait for a rank."""
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(ctl(host, "wait", "0")[0]))
    thread.start()
    support.wait_for(lambda: host.loop.do(lambda: bool(host.service._waits)), "the first to wait")
    assert ctl(host, "wait", "0")[2] == "wait: rank 0 is being waited for by somebody else"
    assert ctl(host, "kill", "0", "KILL")[0] == 0
    thread.join()
    assert done == [137]


def test_the_instance_goes(host: Host) -> None:
    """Its end in the middle of a wait is an error."""
    done: list[tuple[int, str, str]] = []
    thread = threading.Thread(target=lambda: done.append(ctl(host, "wait", "0")))
    thread.start()
    support.wait_for(lambda: host.loop.do(lambda: bool(host.service._waits)), "the wait")
    host.loop.do(host.service.close)
    thread.join()
    assert done == [(1, "", "wait: the instance has gone")]


def test_ways_to_name_an_instance(host: Host, scene: Path) -> None:
    """URI, socket, rundir, session, and the pids of its engine and of its processes."""
    session = scene / "session"
    session.mkdir()
    (session / "session.json").write_text(json.dumps({"start_uri": f"local://{host.path}"}))
    for target in (f"local://{host.path}", host.path, str(scene), str(session)):
        assert resolve(target) == host.path
    (session / "session.json").write_text(json.dumps({"rundir": str(scene)}))
    assert resolve(str(session)) == host.path
    assert resolve(str(os.getpid())) == host.path
    env = {**os.environ, "FLUX_START_URI": "local://rel/start"}
    child = subprocess.Popen(["sleep", "1000"], env=env, cwd=scene)
    try:
        # Its environment is there a moment after its program is.
        environ = Path(f"/proc/{child.pid}/environ")
        support.wait_for(environ.read_bytes, "the environment")
        assert resolve(str(child.pid)) == f"{scene}/rel/start"
    finally:
        child.kill()
        child.wait()


def test_an_engine_with_a_relative_rundir(scene: Path) -> None:
    """What its socket is bound to is relative to where it is."""
    code = (
        "import socket, sys, time\nwith socket.socket(socket.AF_UNIX) as s:\n"
        "    s.bind('start'); s.listen(); print(flush=True); sys.stdin.read()\n"
    )
    words = [sys.executable, "-c", code.replace("'start'", "'./start'")]
    with subprocess.Popen(
        words, cwd=scene, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as engine:
        assert engine.stdout is not None
        engine.stdout.readline()
        assert os.path.samefile(resolve(str(engine.pid)), scene / "start")


def test_last(host: Host, scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest session that is live on this host."""
    here = os.uname().nodename

    def entry(live: bool, **header: str) -> store.Entry:
        return store.Entry("name", str(scene), header, live, None)

    entries = [
        entry(live=False, rundir="/ended"),
        entry(live=True, rundir="/elsewhere", host=here + "x"),
        entry(live=True, rundir=str(scene), host=here),
        entry(live=True, rundir="/older", host=here),
    ]
    monkeypatch.setattr(store, "listing", lambda: entries)
    assert resolve("last") == host.path
    entries[2:] = []
    assert ctl("last", "status") == (1, "", "last: no session on this host is live")
    entries[:] = [entry(live=True)]
    with pytest.raises(TargetError, match="does not name its rundir"):
        resolve("last")


def test_what_is_no_instance(scene: Path) -> None:
    """Each is one clear line and exit code 1."""
    (scene / "file").touch()
    (scene / "torn").mkdir()
    (scene / "torn" / "session.json").write_text('{"a')
    with socket.socket(socket.AF_UNIX) as deserted:
        deserted.bind(str(scene / "deserted"))
    quiet = subprocess.Popen(["sleep", "1000"], env={"A": "b"}, cwd=scene)
    try:
        for target, text in [
            (f"{scene}/nosuch", "No such file or directory"),
            ("", "No such file or directory"),
            ("a\0b", "embedded null "),  # byte, or since Python 3.14 character
            (f"{scene}/file", "neither a rundir nor a socket"),
            (f"{scene}/torn", "torn/session.json: "),
            (str(scene), f"{scene}: No such file or directory"),
            (f"{scene}/deserted", "Connection refused"),
            (f"local://{scene}/nosuch", "No such file or directory"),
            ("local://" + "x" * 200, "can not be the path of a socket"),
            ("ssh://host/path", "only local:// URIs are known"),
            ("4194305", "4194305: no such process"),
            ("9" * 30, "no such process"),
            (str(quiet.pid), "the process is of no instance"),
        ]:
            os.environ["FLUX_LOCAL_CONNECTOR_RETRY_COUNT"] = "1"
            code, out, said = ctl(target, "status")
            assert (code, out) == (1, "")
            assert text in said
            assert "\n" not in said
    finally:
        del os.environ["FLUX_LOCAL_CONNECTOR_RETRY_COUNT"]
        quiet.kill()
        quiet.wait()


def test_output_goes_to_stdout_and_stderr(host: Host, capfd: pytest.CaptureFixture[str]) -> None:
    """Unless the caller has it otherwise."""
    assert control.main("fs", host.path, ["status"]) == 0
    assert capfd.readouterr().out.startswith("RANK ")
    assert control.main("fs", host.path, ["bogus"]) == 1
    assert capfd.readouterr().err.startswith("fs: --ctl: unknown verb")


@pytest.mark.real_flux
def test_a_real_flux_start(scene: Path) -> None:
    """Its own methods work; of ours, the user is told that it has none."""
    words = ["flux", "start", "-s2", "-Sbroker.rc1_path=", "-Sbroker.rc3_path="]
    words += ["--test-exit-mode=leader", "sh", "-c", "echo; read x"]
    with subprocess.Popen(
        words,
        env=support.environment(scene),
        cwd=scene,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as flux:
        assert flux.stdout is not None
        flux.stdout.readline()
        for target in (str(flux.pid), str(next(scene.glob("flux-*/start")).parent)):
            code, out, said = ctl(target, "status")
            assert (code, said) == (0, "")
            assert (code, len(re.findall(r"\d+ +\d+\n", out))) == (0, 2)
            assert ctl(target, "info")[2].endswith("flux start itself runs it")
        assert ctl(target, "run", "1")[2] == "run: rank 1 runs already"
        assert ctl(target, "kill", "1", "KILL")[0] == 0
        assert ctl(target, "wait", "1")[0] == 137
        assert ctl(target, "status")[1].endswith("1        -\n")
        flux.communicate(b"\n")
