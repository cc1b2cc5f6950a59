"""Descriptors, limits, signal state and closed or full stdio."""

from __future__ import annotations

import ast
import os
import pty
import re
import resource
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.session.reader import Session
from tests import support
from tests.support import PMI, broker

if TYPE_CHECKING:
    from pathlib import Path

LOOK = """
import resource, signal
print(repr((
    sorted(int(n) for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")),
    sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    [l.split()[1] for l in open("/proc/self/status") if l.startswith(("SigIgn", "SigBlk"))],
    os.getpgrp() == os.getpgid(os.getppid()), os.getsid(0) == os.getsid(os.getppid()),
    resource.getrlimit(resource.RLIMIT_NOFILE)[0], os.getcwd(),
)))
"""


def test_a_broker_gets_descriptors_and_signals_as_under_flux_start(scene: Path) -> None:
    """0, 1, 2 and PMI only; nothing blocked; in our group, session and directory."""
    extra = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(extra, True)
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    done = support.run(
        scene, broker(scene, LOOK, PMI), "-s1", pass_fds=[extra], start_new_session=True
    )
    os.close(extra)
    fds, blocked, masks, *rest = ast.literal_eval(done.out)
    assert fds == [0, 1, 2, 3]
    # Python itself ignores SIGPIPE and SIGXFSZ; nothing else may be ignored or blocked.
    python_ignores = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)
    assert blocked == []
    reset = (1 << (signal.SIGSYS - 1)) - 1  # the signals that flux start sets to their default
    assert [int(mask, 16) & reset & ~python_ignores for mask in masks] == [0, 0]
    assert rest == [True, True, soft, str(scene)]


def limit(soft: int, hard: int) -> object:
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_too_few_descriptors_are_named_before_anything_starts(scene: Path) -> None:
    """With a hard limit of 64, 64 brokers are refused with the need in the message."""
    done = support.run(scene, broker(scene, "touch ran"), "-s64", preexec_fn=limit(64, 64))
    assert done.code == 1
    need = re.fullmatch(
        r"fluxstart-tui: --test-size=64 needs (\d+) open files,"
        r" the hard limit \(ulimit -Hn\) is 64\n",
        done.err,
    )
    assert need
    assert int(need[1]) > 2 * 64
    assert not (scene / "ran").exists()


def test_the_soft_limit_is_raised_for_us_and_not_for_the_brokers(scene: Path) -> None:
    """A low soft limit is no obstacle, and brokers get the limit that we got."""
    done = support.run(scene, broker(scene, "ulimit -Sn"), "-s64", preexec_fn=limit(64, 4096))
    assert (done.code, set(done.out.split()), done.err) == (0, {"64"}, "")


def test_brokers_with_a_low_limit_are_heard(scene: Path) -> None:
    """Their descriptors are below it, whatever the numbers of ours."""
    done = support.run(
        scene, "--headless", "--record=session", "--broker=embedded", "-s20",
        "-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "true", preexec_fn=limit(64, 4096),
    )  # fmt: skip
    assert done.code == 0, done.err
    brokers = Session(str(scene / "session")).state.brokers
    steps = [[one.state for one in broker.transitions] for broker in brokers.values()]
    assert len(steps) == 20
    assert all("run" in states for states in steps)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("label", ["", "-l"])
def test_closed_stdio(scene: Path, closed: str, label: str) -> None:
    """A closed standard descriptor disturbs neither us nor PMI; brokers find /dev/null there."""
    body = "ask('cmd=get_appnum'); os.fstat(0); os.fstat(1); os.fstat(2); open('ran', 'w')"
    line = " ".join(support.command(broker(scene, body, PMI), "-s1", *label.split()))
    code = subprocess.call(
        ["sh", "-c", f"{line} {closed}"], env=support.environment(scene), cwd=scene
    )
    assert code == 0
    assert (scene / "ran").exists()


def test_full_stdout_with_labels_is_reported(scene: Path) -> None:
    """Labelled output that can not be written is said once and makes the exit code 1."""
    body = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done"
    with open("/dev/full", "wb") as full:
        done = support.run(scene, broker(scene, body), "-s2", "-l", "--no-summary", stdout=full)
    assert done.code == 1
    assert done.err == "fluxstart-tui: write error on stdout: No space left on device\n"


def test_full_stderr_is_nobodys_fault(scene: Path) -> None:
    """Messages that can not be written do not change the outcome."""
    with open("/dev/full", "wb") as full:
        assert support.run(scene, broker(scene, "exit 3"), "-s2", "-vv", stderr=full).code == 3


def test_a_reader_that_goes_away_ends_the_writers(scene: Path) -> None:
    """With labels, `| head` gives the brokers SIGPIPE, as without labels."""
    line = " ".join(support.command(broker(scene, "exec yes"), "-s2", "-l"))
    done = subprocess.run(
        ["bash", "-c", f"{line} | head -2; echo ${{PIPESTATUS[0]}}"],
        env=support.environment(scene),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=support.PATIENCE,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == str(128 + signal.SIGPIPE)
    assert "Broken pipe" in done.stderr


def test_a_paused_reader_of_messages_stalls_nothing(scene: Path) -> None:
    """With stderr's pipe full of trace, PMI is served on and a signal still ends us."""
    body = "for n in range(3000): ask('cmd=put kvsname=- key=k value=' + 'v' * 900)\n"
    body += "open('served', 'w')\ntime.sleep(99)"
    process = support.start(scene, broker(scene, body, PMI), "-s1", "-vv")
    support.wait_for((scene / "served").exists, "PMI to be served")
    process.terminate()
    support.wait_for(
        lambda: not [p for p in support.processes_of(scene) if "broker" in p.split()[-1]],
        "the broker's end",
    )
    done = support.finish(process)
    assert done.code == 143
    assert done.err.count("0: C: cmd=put") == 3000


def test_inherited_descriptors_count(scene: Path) -> None:
    """What our parent left open uses up the limit too, and the message says what is needed."""

    def crowd() -> None:
        for fd in range(10, 45):
            os.dup2(0, fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    done = support.run(scene, broker(scene, "touch ran"), "-s10", close_fds=False, preexec_fn=crowd)
    assert done.code == 1
    assert "needs" in done.err
    assert not (scene / "ran").exists()


def test_sigchld_ignored_by_our_parent(scene: Path) -> None:
    """Exit codes are not lost to a parent that ignores its children."""
    done = support.run(
        scene,
        broker(scene, "exit 3"),
        "-s2",
        preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
    )
    assert done.code == 3


def test_a_terminal_that_takes_no_output_stalls_nothing(scene: Path) -> None:
    """With labels and a terminal that nobody reads, a signal still ends us."""
    master, slave = pty.openpty()
    body = "touch up; exec yes 0123456789012345678901234567890123456789"
    process = support.start(scene, broker(scene, body), "-s1", "-l", stdout=slave)
    os.close(slave)
    support.wait_for((scene / "up").exists, "the broker")
    process.terminate()
    assert support.finish(process, 20).code == 143
    os.close(master)


def test_a_reader_that_never_reads_does_not_hold_up_an_end(scene: Path) -> None:
    """One signal ends an instance whose labelled output nobody takes."""
    process = support.start(scene, broker(scene, "touch up; exec yes"), "-s1", "-l")
    support.wait_for((scene / "up").exists, "the brokers")
    process.terminate()
    process.wait(20)
    assert process.returncode == 143
    support.finish(process)
