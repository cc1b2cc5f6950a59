"""SIGKILL to the engine, at any moment: within 5 s nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from fluxstart_tui.engine import processes
from tests import support
from tests.support import broker

BODY = "setsid sh -c 'sleep 77 & sleep 78' & setsid sleep 79 & touch up.$PMI_RANK; exec sleep 99"


def up(scene: Path, size: int) -> None:
    support.wait_for(lambda: len(list(scene.glob("up.*"))) == size, "the brokers")


def helpers(comm: str = "flux-") -> set[int]:
    """Return the pids of all live guardians and witnesses, or of one kind."""
    found = set()
    for process in processes.table().values():
        try:
            name = Path(f"/proc/{process.pid}/comm").read_text()
        except OSError:
            continue
        if name in ("flux-guardian\n", "flux-witness\n") and name.startswith(comm):
            found.add(process.pid)
    return found


def helpers_of(engine: int, comm: str = "flux-") -> set[int]:
    """Return those of one engine."""
    found = {pid: processes.read(pid) for pid in helpers(comm)}
    return {pid for pid, one in found.items() if one is not None and one.ppid == engine}


@pytest.mark.parametrize("where", ["engine", "group"])
@pytest.mark.parametrize("rundir", [(), ("--rundir=rd",)], ids=["own", "relative"])
def test_sigkill_leaves_nothing(scene: Path, where: str, rundir: tuple[str, ...]) -> None:
    """Brokers, what they run, the rundir and our own helpers are gone within 5 seconds."""
    process = support.start(scene, broker(scene, BODY), "-s3", *rundir, start_new_session=True)
    up(scene, 3)
    support.wait_for(lambda: len(helpers_of(process.pid)) == 2, "both helpers")
    mine = helpers_of(process.pid)
    if where == "engine":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    assert support.finish(process).code == -signal.SIGKILL
    support.assert_nothing_left(scene, timeout=5)
    support.wait_for(lambda: not (scene / "rd").exists(), "the rundir to go", timeout=5)
    support.wait_for(lambda: not mine & helpers(), "the helpers' end", timeout=5)


def test_sigkill_at_any_moment_of_the_start(scene: Path) -> None:
    """The rundir is known to the guardian before it exists, brokers as soon as they do."""
    for delay in range(0, 160, 8):
        process = support.start(scene, broker(scene, BODY), "-s6")
        time.sleep(delay / 1000)
        process.kill()
        support.finish(process)
        support.assert_nothing_left(scene, timeout=5)


def test_timeout_k(scene: Path) -> None:
    """With -k, timeout(1) ends an instance that ignores SIGTERM, with all that it runs."""
    body = "trap '' TERM; " + BODY.replace("exec sleep 99", "while :; do sleep 1; done")
    done = subprocess.run(
        ["timeout", "-k", "0.5", "1", *support.command(broker(scene, body), "-s2")],
        env=support.environment(scene),
        cwd=scene,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=support.PATIENCE,
    )
    assert done.returncode in (137, -signal.SIGKILL)
    support.assert_nothing_left(scene, timeout=5)


@pytest.mark.parametrize("label", [(), ("-l",)])
def test_a_reader_of_our_output_is_not_left_hanging(scene: Path, label: tuple[str, ...]) -> None:
    """After SIGKILL, `| cat` ends: no helper of ours holds the pipe."""
    process = support.start(scene, broker(scene, BODY), "-s2", *label)
    up(scene, 2)
    process.kill()
    assert process.stdout is not None
    started = time.monotonic()
    process.stdout.read()
    assert time.monotonic() - started < 5
    support.finish(process)


def test_a_preexisting_rundir_survives(scene: Path) -> None:
    """A directory that we did not make is not removed, but the socket in it is."""
    (scene / "rd").mkdir()
    (scene / "rd" / "mine").touch()
    process = support.start(scene, broker(scene, BODY), "-s1", "--test-rundir=rd")
    up(scene, 1)
    process.kill()
    support.finish(process)
    support.assert_nothing_left(scene, timeout=5)
    support.wait_for(lambda: not (scene / "rd" / "start").exists(), "the socket to go", timeout=5)
    assert (scene / "rd" / "mine").exists()


def test_a_killed_guardian_is_replaced(scene: Path) -> None:
    """Killing the guardian first, twice even, and the engine then does not help."""
    process = support.start(scene, broker(scene, BODY), "-s3")
    up(scene, 3)
    seen: set[int] = set()
    for turn in range(3):
        new = support.wait_for(
            lambda: helpers_of(process.pid, "flux-guardian") - seen,  # noqa: B023 - called at once
            "a guardian",
        )
        seen |= new
        if turn < 2:
            for pid in new:
                os.kill(pid, signal.SIGKILL)
    process.kill()
    support.finish(process)
    support.assert_nothing_left(scene, timeout=5)


@pytest.mark.parametrize("cleanup", [(), ("--test-rundir-cleanup",)])
def test_a_successor_in_the_same_rundir_is_spared(scene: Path, cleanup: tuple[str, ...]) -> None:
    """A supervisor may start the next instance at once, in the directory of the one that died."""
    (scene / "rd").mkdir()
    rd = f"--test-rundir={scene}/rd"
    first = support.start(scene, broker(scene, BODY), "-s2", rd, *cleanup)
    up(scene, 2)
    (guardian,) = support.wait_for(lambda: helpers_of(first.pid, "flux-guardian"), "the guardian")
    os.kill(guardian, signal.SIGSTOP)  # or it may be done before the other has begun
    first.kill()
    body = "touch second; until [ -e go ]; do sleep 0.05; done"
    second = support.start(scene, broker(scene, body), "-s2", rd)
    support.wait_for((scene / "second").exists, "the successor")
    os.kill(guardian, signal.SIGCONT)
    support.wait_for(lambda: guardian not in helpers(), "the guardian's end")
    (scene / "go").touch()
    support.finish(first)
    assert support.finish(second) == (0, "", "")


def test_an_inner_guardian_does_its_work(scene: Path) -> None:
    """When an instance is killed with one inside it, the inner rundir goes too."""
    inner = " ".join(support.command(broker(scene, BODY), "-s2"))
    outer = "--broker=" + support.script(scene / "outer", f"#!/bin/sh\nexec setsid {inner}\n")
    process = support.start(scene, outer, "-s1")
    up(scene, 2)
    assert len(support.rundirs(scene)) == 2
    process.kill()
    support.finish(process)
    support.assert_nothing_left(scene, timeout=5)


def test_strangers_are_spared(scene: Path) -> None:
    """A process that carries the tag but is older than the instance is none of ours."""
    (scene / "rd").mkdir()
    uri = f"local://{scene}/rd/start"
    stranger = subprocess.Popen(["sleep", "99"], env={"FLUX_START_URI": uri})
    process = support.start(scene, broker(scene, BODY), "-s1", f"--test-rundir={scene}/rd")
    up(scene, 1)
    process.kill()
    support.finish(process)
    support.wait_for(
        lambda: (
            not [
                line for line in support.processes_of(scene) if line.split()[0] != str(stranger.pid)
            ]
        ),
        "the instance's end",
        timeout=5,
    )
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
