"""Whole instances, with the embedded broker and, where there is one, with the real flux-broker."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests import support

KINDS = ["embedded", pytest.param("flux", marks=pytest.mark.real_flux)]
QUIET = ("-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "-Sstatedir=state")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return f"--broker={request.param}"


def ended(scene: Path) -> str:
    path = scene / "ended"
    return path.read_text() if path.exists() else ""


def wait_up(scene: Path) -> None:
    support.wait_for((scene / "up").exists, "the initial program")


def broker_pid(scene: Path, rank: int) -> int:
    """Return the pid of a rank's broker, which names itself flux-broker-R."""

    def look() -> int:
        for line in support.processes_of(scene):
            pid = int(line.split()[0])
            try:
                if Path(f"/proc/{pid}/comm").read_text() == f"flux-broker-{rank}\n":
                    return pid
            except OSError:
                continue
        return 0

    return support.wait_for(look, f"broker {rank}")


@pytest.mark.parametrize("size", [1, 2, 16])
def test_exit_code_of_the_initial_program(scene: Path, kind: str, size: int) -> None:
    """The program's code is ours, and rank 0 is named with it."""
    done = support.run(scene, kind, f"-s{size}", *QUIET, "sh", "-c", "echo hi; exit 3")
    assert (done.code, done.out) == (3, "hi\n")
    assert re.search(r"^fluxstart-tui: 0 \(pid \d+\) exited with rc=3$", done.err, re.MULTILINE)


@pytest.mark.parametrize(
    ("program", "code"),
    [
        (("true",), 0),
        (("exit 9",), 9),
        (("sh", "-c", "kill -INT $$"), 130),
        (("sh", "-c", "kill -KILL $$"), 137),
        (("/nonexistent",), 127),
        (("/etc/passwd",), 126),
        (("nonexistent-command", "arg"), 127),
    ],
)
def test_statuses_of_the_initial_program(
    scene: Path, kind: str, program: tuple[str, ...], code: int
) -> None:
    """Success, failure, death by signal, and programs that are none."""
    assert support.run(scene, kind, "-s2", *QUIET, *program).code == code


def test_no_program_and_no_terminal(scene: Path, kind: str) -> None:
    """Rank 0 refuses at once, and the others are ended by the timer."""
    done = support.run(scene, kind, "-s2", *QUIET, "--test-exit-timeout=0.3")
    assert done.code == 137
    assert "stdin is not a tty - can't run interactive shell" in done.err
    assert "Exit timeout: killed rank 1" in done.err


def test_environment_of_the_initial_program(scene: Path, kind: str) -> None:
    """It gets the URIs of its broker and of the start service, and no PMI variables."""
    done = support.run(scene, kind, "-s2", *QUIET, "env")
    given = dict(line.partition("=")[::2] for line in done.out.splitlines())
    rundir = given["FLUX_START_URI"].removeprefix("local://").removesuffix("/start")
    assert given["FLUX_URI"] == f"local://{rundir}/local-0"
    assert not [name for name in given if name.startswith(("PMI_", "LC_CTYPE"))]


RC3 = ("-Sbroker.rc1_path=", "-Sstatedir=state", "-Sbroker.rc3_path=sleep 0.3; echo rc3 >>ended")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("where", ["engine", "group"])
def test_one_signal_ends_in_order(
    scene: Path, kind: str, signum: signal.Signals, where: str
) -> None:
    """The program is ended, and rc3 is left to finish on every rank, wherever the signal went."""
    process = support.start(
        scene, kind, "-s3", *RC3, "sh", "-c", "touch up; exec sleep 99", start_new_session=True
    )
    wait_up(scene)
    if where == "engine":
        process.send_signal(signum)
    else:
        os.killpg(process.pid, signum)
    done = support.finish(process, 20)
    assert done.code == 128 + signum
    assert ended(scene) == "rc3\n" * 3
    assert "Killed" not in done.err


def test_a_signal_during_rc3_lets_it_finish(scene: Path, kind: str) -> None:
    """When the program has ended already, rank 0 is not signalled: that would abort its rc3."""
    rc3 = "touch up; sleep 1; echo rc3 >>ended"
    process = support.start(
        scene, kind, "-s1", "-Sbroker.rc1_path=", f"-Sbroker.rc3_path={rc3}", "true"
    )
    wait_up(scene)
    process.terminate()
    assert support.finish(process, 20).code == 143
    assert ended(scene) == "rc3\n"


def test_a_signal_during_rc1(scene: Path, kind: str) -> None:
    """rc1 is aborted, and the instance ends without the timer."""
    process = support.start(
        scene, kind, "-s2", "-Sbroker.rc1_path=touch up; sleep 99", "-Sbroker.rc3_path=", "true"
    )
    wait_up(scene)
    process.terminate()
    done = support.finish(process, 15)
    assert done.code == 143


def test_a_program_that_ignores_hup_is_ended_by_the_timer(scene: Path, kind: str) -> None:
    """The signal itself starts the timer; what the program has started goes with it."""
    process = support.start(
        scene, kind, "-s2", *QUIET, "--test-exit-timeout=1",
        "sh", "-c", "trap '' HUP; touch up; sleep 77 & while :; do sleep 1; done",
    )  # fmt: skip
    wait_up(scene)
    process.terminate()
    done = support.finish(process, 15)
    assert done.code == 143
    assert "Exit timeout: killed rank 0-1" in done.err
    assert support.processes_of(scene) == []


def test_a_stopped_program_is_continued(scene: Path, kind: str) -> None:
    """A program that is stopped takes the hangup once it is continued."""
    process = support.start(scene, kind, "-s2", *QUIET, "sh", "-c", "touch up; kill -STOP $$")
    wait_up(scene)
    process.terminate()
    done = support.finish(process, 15)
    assert done.code == 143
    assert "Exit timeout" not in done.err


def test_background_children_are_ended(scene: Path, kind: str) -> None:
    """Nothing that the program started is left after an orderly end that a signal asked for."""
    process = support.start(
        scene, kind, "-s2", *QUIET,
        "sh", "-c", "nohup sleep 77 & setsid sleep 78 & touch up; exec sleep 79",
    )  # fmt: skip
    wait_up(scene)
    process.terminate()
    assert support.finish(process, 15).code == 143
    assert support.processes_of(scene) == []


def test_a_second_signal_kills(scene: Path, kind: str) -> None:
    """An rc3 that takes for ever is cut short by the second signal."""
    rc3 = "-Sbroker.rc3_path=trap '' HUP; touch ended; while :; do sleep 1; done"
    process = support.start(
        scene,
        kind,
        "-s2",
        "-Sbroker.rc1_path=",
        "-Sstatedir=state",
        rc3,
        "sh",
        "-c",
        "touch up; exec sleep 99",
    )
    wait_up(scene)
    process.terminate()
    support.wait_for((scene / "ended").exists, "rc3")
    process.terminate()
    done = support.finish(process, 15)
    assert done.code == 143
    assert "Killed" in done.err
    assert support.processes_of(scene) == []


def test_timeout_is_an_orderly_end(scene: Path, kind: str) -> None:
    """timeout(1) signals us and then our group: rc3 is not aborted by the second one."""
    program = [kind, "-s2", *RC3, "sh", "-c", "touch up; exec sleep 99"]
    done = subprocess.run(
        ["timeout", "2", *support.command(*program)],
        env=support.environment(scene),
        cwd=scene,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=support.PATIENCE,
    )
    assert done.returncode == 124
    assert ended(scene) == "rc3\n" * 2


def test_a_sticky_rundir(scene: Path, kind: str) -> None:
    """Brokers make directories of their own in a sticky rundir; a signal is still one wish."""
    (scene / "rd").mkdir()
    (scene / "rd").chmod(0o1777)
    process = support.start(
        scene, kind, "-s2", "--test-rundir=rd", *RC3, "sh", "-c", "touch up; exec sleep 99",
        start_new_session=True,
    )  # fmt: skip
    wait_up(scene)
    os.killpg(process.pid, signal.SIGTERM)
    assert support.finish(process, 20).code == 143
    assert ended(scene) == "rc3\n" * 2


def test_a_broker_in_a_group_of_its_own(scene: Path, kind: str) -> None:
    """A signal to our group does not reach a broker that a wrapper has taken out of it."""
    process = support.start(
        scene, kind, "-s1", "--wrap=setsid", *RC3, "sh", "-c", "touch up; exec sleep 99",
        start_new_session=True,
    )  # fmt: skip
    wait_up(scene)
    os.killpg(process.pid, signal.SIGTERM)
    assert support.finish(process, 15).code == 143
    assert ended(scene) == "rc3\n"


def test_two_signals_at_once_are_one_wish(scene: Path, kind: str) -> None:
    """SIGHUP right after SIGTERM, as systemd may send it, does not cut rc3 short."""
    process = support.start(scene, kind, "-s1", *RC3, "sh", "-c", "touch up; exec sleep 99")
    wait_up(scene)
    process.terminate()
    process.send_signal(signal.SIGHUP)
    assert support.finish(process, 15).code in (129, 143)
    assert ended(scene) == "rc3\n"


def test_a_signal_at_any_moment_of_the_start(scene: Path, kind: str) -> None:
    """Whatever the brokers are doing, one signal ends them long before the timer would."""
    for delay in range(0, 600, 30):
        process = support.start(scene, kind, "-s4", *QUIET, "sleep", "99")
        time.sleep(delay / 1000)
        process.terminate()
        done = support.finish(process, 15)
        assert done.code in (143, -signal.SIGTERM), delay
        support.assert_nothing_left(scene)


def test_the_exit_timer_ends_what_the_program_started(scene: Path, kind: str) -> None:
    """After a broker's death the others are killed, and so is all that they run."""
    process = support.start(
        scene, kind, "-s2", *QUIET, "--test-exit-timeout=0.5",
        "sh", "-c", "touch up; sleep 77 & sleep 78",
    )  # fmt: skip
    wait_up(scene)
    os.kill(broker_pid(scene, 1), signal.SIGKILL)
    done = support.finish(process, 15)
    assert done.code == 137
    assert "Exit timeout: killed rank 0" in done.err
    assert support.processes_of(scene) == []


@pytest.mark.parametrize("where", ["engine", "group"])
def test_sigkill_leaves_nothing(scene: Path, kind: str, where: str) -> None:
    """Within 5 seconds no broker, no program and no rundir is left."""
    process = support.start(
        scene, kind, "-s4", *QUIET, "sh", "-c", "sleep 77 & touch up; sleep 78",
        start_new_session=True,
    )  # fmt: skip
    wait_up(scene)
    if where == "engine":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    support.finish(process)
    support.assert_nothing_left(scene, timeout=5)


def test_cliques_and_hosts(scene: Path, kind: str) -> None:
    """Each way to place brokers on nodes boots."""
    for clique in ("single", "per-broker", "none", "[[0,2,2,1]]", "0,2;1,3"):
        options = (f"--test-pmi-clique={clique}", "--test-hosts=h[0-3]", "-Stbon.interface-hint=lo")
        done = support.run(scene, kind, "-s4", *QUIET, *options, "echo", "ok")
        assert (done.code, done.out) == (0, "ok\n"), clique


def test_a_rundir_that_is_no_text(scene: Path) -> None:
    """A directory whose name is not UTF-8 is a directory like any other."""
    odd = os.fsdecode(os.fsencode(scene) + b"/\xff")
    os.mkdir(odd)
    done = support.run(scene, "--broker=embedded", "-s3", "echo", "ok", env={"TMPDIR": odd})
    assert done == (0, "ok\n", "")
    os.rmdir(odd)


def test_64_brokers(scene: Path, kind: str) -> None:
    """64 brokers give the program's code and leave nothing."""
    assert support.run(scene, kind, "-s64", *QUIET, "sh", "-c", "exit 3").code == 3
    assert support.rundirs(scene) == []


def test_pmi_trace_has_the_recorded_form(scene: Path, kind: str) -> None:
    """-vv -s4: each rank makes the requests that were recorded from the original, in its order."""
    done = support.run(scene, kind, "-s4", *QUIET, "-vv", "echo", "hi")
    recorded = (Path(__file__).parent / "data" / "start-s4-vv.txt").read_text()
    assert done.out == "hi\n"
    for rank in range(4):
        assert trace(done.err, rank) == trace(recorded, rank)


def trace(text: str, rank: int) -> list[str]:
    """Return a rank's trace lines without what differs from run to run."""
    lines = [line for line in text.splitlines() if re.match(rf"{rank}: [CS]: ", line)]
    rundir = re.compile(r"/tmp/(?:fs-\w+/)?flux-\w+")
    pubkey = re.compile(r'"pubkey":"[^"]{40}"')
    host = re.compile(r'"host":"[^"]*"')
    return [host.sub("HOST", pubkey.sub("KEY", rundir.sub("RUNDIR", line))) for line in lines]


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, scene: Path, *args: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(scene)
            env = support.environment(scene, {"PS1": "$ "})
            os.execve(support.command()[0], support.command("--headless", *args), env)
        self.seen = ""

    def expect(self, pattern: str) -> None:
        """Read until the output matches."""
        deadline = time.monotonic() + support.PATIENCE
        while not re.search(pattern, self.seen):
            assert time.monotonic() < deadline, (pattern, self.seen)
            if select.select([self.fd], [], [], 1)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    break
        assert re.search(pattern, self.seen), (pattern, self.seen)
        self.seen = ""

    def type(self, text: str) -> None:
        """Type text."""
        os.write(self.fd, text.encode())

    def end(self) -> int:
        """Wait for the program's end and return its exit code."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    time.sleep(0.02)
        raise AssertionError(f"still running: {self.seen}")


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_interactive_shell(scene: Path, kind: str) -> None:
    """A shell as the initial program has its terminal and job control, and its code is ours."""
    terminal = Terminal(scene, kind, "-s2", *QUIET, "bash", "--norc")
    terminal.expect(r"\$ ")
    terminal.type("echo jobs-$-\n")
    terminal.expect(r"jobs-\w*m\w*\r")
    terminal.type("sleep 99\n")
    terminal.expect("sleep 99\r\n")
    time.sleep(0.3)  # bash prints nothing when a job has the terminal
    terminal.type("\x03")
    terminal.expect(r"\$ ")
    terminal.type("exit 3\n")
    assert terminal.end() == 3


def test_interrupt_at_the_terminal(scene: Path, kind: str) -> None:
    """^C while a program runs that does not read the terminal: an orderly end, code 130."""
    terminal = Terminal(scene, kind, "-s2", *RC3, "sh", "-c", "echo up; exec sleep 99")
    terminal.expect("up\r\n")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert ended(scene) == "rc3\n" * 2


def test_the_terminal_is_restored(scene: Path, kind: str) -> None:
    """Settings that the program leaves behind are undone, also if it is killed."""
    import termios

    for end in ("exit 0", "kill -KILL $PPID; sleep 9"):
        terminal = Terminal(
            scene, kind, "-s1", *QUIET, "sh", "-c", f"stty -echo raw; echo up; sleep 0.2; {end}"
        )
        before = termios.tcgetattr(terminal.fd)
        terminal.expect("up")
        assert termios.tcgetattr(terminal.fd) != before
        keep = os.dup(terminal.fd)
        terminal.end()
        assert termios.tcgetattr(keep) == before
        os.close(keep)


def test_a_closed_terminal_is_an_orderly_end(scene: Path, kind: str) -> None:
    """When the terminal goes away, the instance ends as after a hangup, and leaves nothing."""
    terminal = Terminal(scene, kind, "-s2", *RC3, "sh", "-c", "echo up; exec sleep 99")
    terminal.expect("up\r\n")
    os.close(terminal.fd)
    _, status = os.waitpid(terminal.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    assert ended(scene) == "rc3\n" * 2
