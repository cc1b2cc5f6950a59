"""Signals to the engine: once is an orderly end, twice is the end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests import support
from tests.support import PMI, broker

if TYPE_CHECKING:
    from pathlib import Path

ALL = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

# A broker that notes its signals; it has no local-R socket, so it is signalled unasked.
NOTE = """
trap 'echo TERM >>got.$PMI_RANK; [ $PMI_RANK = 0 ] && exit 5' TERM
trap 'echo INT >>got.$PMI_RANK' INT
touch up.$PMI_RANK
while [ ! -e got.0 ]; do sleep 0.05; done; sleep 0.5
"""


def up(scene: Path, size: int) -> None:
    support.wait_for(lambda: len(list(scene.glob("up.*"))) == size, "the brokers")


@pytest.mark.parametrize("signum", ALL)
def test_one_signal_reaches_rank_0_as_one_term(scene: Path, signum: signal.Signals) -> None:
    """Whatever the signal was: rank 0 gets one SIGTERM, others none, the code is 128 + signal."""
    process = support.start(scene, broker(scene, NOTE), "-s2")
    up(scene, 2)
    process.send_signal(signum)
    done = support.finish(process)
    assert done.code == 128 + signum
    assert (scene / "got.0").read_text() == "TERM\n"
    assert not (scene / "got.1").exists()


def test_a_signal_to_the_group_is_not_repeated(scene: Path) -> None:
    """Brokers that had the signal with us are not sent another one at once."""
    body = NOTE.replace("[ $PMI_RANK = 0 ] && exit 5", ":")
    process = support.start(
        scene, broker(scene, body), "-s2", "--test-exit-timeout=5", start_new_session=True
    )
    up(scene, 2)
    # An answering rank 0 in RUN makes the difference; without one it is signalled after a while,
    # so what is looked at is the first half second.
    os.killpg(process.pid, signal.SIGINT)
    support.wait_for((scene / "got.1").exists, "the group's signal")
    done = support.finish(process)
    assert done.code == 130
    assert (scene / "got.0").read_text().startswith("INT\n")
    assert (scene / "got.1").read_text() == "INT\n"


@pytest.mark.parametrize("signum", ALL)
def test_two_signals_kill(scene: Path, signum: signal.Signals) -> None:
    """The second signal ends brokers that ignore everything, and what they run."""
    body = "trap '' TERM INT HUP; touch up.$PMI_RANK; setsid sleep 77 & while :; do sleep 1; done"
    process = support.start(scene, broker(scene, body), "-s2")
    up(scene, 2)
    process.send_signal(signum)
    time.sleep(0.3)  # closer together they would be one wish, as timeout(1) sends it
    assert process.poll() is None
    process.send_signal(signum)
    done = support.finish(process)
    assert done.code == 128 + signum
    assert done.err.count("Killed") == 2


def test_the_signal_itself_starts_the_exit_timer(scene: Path) -> None:
    """Brokers that ignore the wish are killed after the exit timeout without a second signal."""
    body = "trap '' TERM; touch up.$PMI_RANK; while :; do sleep 1; done"
    process = support.start(scene, broker(scene, body), "-s2", "--test-exit-timeout=0.5")
    up(scene, 2)
    process.terminate()
    done = support.finish(process)
    assert done.code == 143
    assert "Exit timeout: killed rank 0-1" in done.err


def test_brokers_in_pmi_are_released(scene: Path) -> None:
    """Brokers that wait in a barrier for a rank that never comes see their PMI socket end."""
    body = "open(f'up.{rank}', 'w')\nif rank == 2: time.sleep(99)\nask('cmd=barrier_in')"
    process = support.start(scene, broker(scene, body, PMI), "-s3", "--test-exit-timeout=1")
    up(scene, 3)
    process.terminate()
    done = support.finish(process)
    assert done.code == 143
    assert "0 (pid" in done.err
    assert done.err.count("exited with rc=1") >= 1
    assert "Exit timeout: killed rank 2" in done.err


def test_a_stopped_program_is_continued(scene: Path) -> None:
    """What a broker runs is continued, so that it can take the signal to end."""
    body = "setsid sh -c 'trap \"exit 0\" TERM; kill -STOP $$; touch went; kill -TERM 0' & pid=$!\n"
    body += "trap : TERM; touch up.$PMI_RANK; wait; wait"
    process = support.start(scene, broker(scene, body), "-s1")
    up(scene, 1)
    support.wait_for(lambda: stopped(scene), "the stopped program")
    process.terminate()
    assert support.finish(process).code == 143
    assert (scene / "went").exists()


def stopped(scene: Path) -> bool:
    pids = [line.split()[0] for line in support.processes_of(scene)]
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "T":
                    return True
        except OSError:
            continue
    return False


def test_background_children_are_ended_with_a_signal(scene: Path) -> None:
    """After an orderly end that a signal asked for, nothing of the instance stays."""
    body = "setsid sleep 77 & trap 'exit 0' TERM; touch up.$PMI_RANK; while :; do sleep 0.1; done"
    process = support.start(scene, broker(scene, body), "-s1")
    up(scene, 1)
    process.terminate()
    assert support.finish(process).code == 143
    assert support.processes_of(scene) == []


def test_an_ignored_signal_stays_ignored(scene: Path) -> None:
    """Under nohup a hangup is nobody's wish."""
    process = support.start(
        scene,
        broker(scene, "touch up.0; while [ ! -e end ]; do sleep 0.05; done"),
        "-s1",
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    up(scene, 1)
    process.send_signal(signal.SIGHUP)
    (scene / "end").touch()
    assert support.finish(process).code == 0


def test_timeout_is_one_wish(scene: Path) -> None:
    """timeout(1) signals its child and then the whole group: still an orderly end."""
    body = "trap 'sleep 0.4; touch ended; exit 0' TERM; while :; do sleep 0.05; done"
    done = subprocess.run(
        ["timeout", "1", *support.command(broker(scene, body), "-s1")],
        env=support.environment(scene),
        cwd=scene,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=support.PATIENCE,
    )
    assert done.returncode == 124
    assert (scene / "ended").exists()


def test_a_signal_before_anything_runs(scene: Path) -> None:
    """A signal during the start ends it cleanly, at whatever point it comes."""
    for delay in range(0, 180, 20):
        process = support.start(
            scene, broker(scene, "exec sleep 99"), "-s8", "--test-exit-timeout=0.1"
        )
        time.sleep(delay / 1000)
        process.send_signal(signal.SIGTERM)
        assert support.finish(process).code in (143, -signal.SIGTERM)
        support.assert_nothing_left(scene)
