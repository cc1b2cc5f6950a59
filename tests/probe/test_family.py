"""Whoever is named, the tasks of its launch are found, and nobody else's."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.probe import broker, family, survey
from tests import real_launchers, support
from tests.foreigners import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fluxstart_tui.probe.family import Family

UP = "touch up; exec sleep 99"


@contextmanager
def instance(scene: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run an instance of embedded brokers in its own directory; wait for its program."""
    started = support.start(scene, "--headless", "--broker=embedded", *words, "sh", "-c", UP)
    try:
        support.wait_for((scene / "up").exists, "the program")
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        support.finish(started)


def ranks(found: Family) -> dict[int, int]:
    """Return pids by rank."""
    return {task.rank: task.pid for task in found.tasks}


def test_by_whatever_has_to_do_with_it(scene: Path) -> None:
    """The engine, a broker, what a broker runs, a socket, its URI, the rundir."""
    rundir = scene / "run"
    rundir.mkdir()
    with instance(scene, "-s3", f"--test-rundir={rundir}") as engine:
        found = family.of_process(engine.pid)
        assert (found.size, found.whole, found.launcher) == (3, True, "flux start")
        pids = ranks(found)
        assert pids.keys() == {0, 1, 2}
        for rank, pid in pids.items():
            assert broker.look(pid).local == f"{rundir}/local-{rank}"
            assert ranks(family.of_process(pid)) == pids
        assert [task.named for task in found.tasks] == [0, 1, 2]
        program = next(
            int(line.split()[0]) for line in support.processes_of(scene) if "sleep 99" in line
            and "fluxstart_tui" not in line
        )  # fmt: skip
        assert ranks(family.of_process(program)) == pids
        for name in (f"local://{rundir}/local-1", f"{rundir}/local-2", str(rundir)):
            by_name = survey.find(name)
            assert by_name is not None
            assert ranks(by_name) == pids


def test_two_launches_of_the_same_shell_are_two(scene: Path) -> None:
    """Nor is one of them the other's because they have the same parent and the same user."""
    (scene / "a").mkdir()
    (scene / "b").mkdir()
    with instance(scene / "a", "-s2") as first, instance(scene / "b", "-s3") as second:
        one, other = (ranks(family.of_process(each.pid)) for each in (first, second))
        assert (len(one), len(other)) == (2, 3)
        assert not set(one.values()) & set(other.values())


def test_under_hydra(scene: Path) -> None:
    """By the launcher and by a broker; each has a rundir of its own."""
    words = [*real_launchers.hydra(4), "-n", "3", *support.command("--headless")]
    words += ["--broker=embedded", "sh", "-c", UP]
    with running(scene, *words, tidy=False) as launcher:
        support.wait_for((scene / "up").exists, "the program")
        found = family.of_process(launcher.pid)
        assert (found.size, found.whole, found.launcher) == (3, True, "hydra")
        pids = ranks(found)
        assert pids.keys() == {0, 1, 2}
        assert ranks(family.of_process(pids[1])) == pids


def test_a_rank_that_never_becomes_a_broker(scene: Path) -> None:
    """What was started in its place is its process."""
    wrapper = support.script(
        scene / "wrap", '#!/bin/sh\nif [ "$PMI_RANK" = 1 ]; then exec sleep 98; fi\nexec "$@"\n'
    )
    words = support.command("--headless", "--broker=embedded", "-s3", f"--wrap={wrapper}", "true")
    with running(scene, *words) as started:
        support.wait_for_command(scene, "sleep 98")

        def brokers() -> list[bool]:
            return [task.is_broker for task in family.of_process(started.pid).tasks]

        # Where the others are still the wrapper, they are no brokers either.
        support.wait_for(lambda: brokers() == [True, False, True], "all ranks")


def test_who_is_of_no_launch(scene: Path) -> None:
    """One line each: ourselves, a pid that is nobody's, a job and a socket that are not there."""
    with pytest.raises(family.FamilyError, match=f"^{os.getpid()}: no broker on this host"):
        family.of_process(os.getpid())
    with pytest.raises(family.FamilyError, match=r"^4194304: no such process$"):
        family.of_process(4194304)
    with pytest.raises(family.FamilyError, match="no broker that we may look at listens there"):
        survey.find(f"local://{scene}/local-0")
    with pytest.raises(family.FamilyError, match=r"^slurm:12345678: "):
        survey.find("slurm:12345678")
    with pytest.raises(family.FamilyError, match="only local:// URIs"):
        survey.find("ssh://host/run/flux/local")
    assert survey.find(str(scene)) is None
    assert survey.find(f"{scene}/log") is None


def test_a_huge_environment(scene: Path) -> None:
    """It is read to a limit, and is nobody's."""
    env = {f"X{n}": "x" * 100_000 for n in range(18)}
    process = subprocess.Popen(["sleep", "99"], env={"HOME": str(scene), "PATH": "/bin"} | env)
    with pytest.raises(family.FamilyError, match="no broker on this host belongs to it"):
        family.of_process(process.pid)
    process.kill()
    process.wait()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_users(scene: Path) -> None:
    """What may not be looked at is said to be that."""
    with instance(scene, "-s2") as engine:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setuid(65534)
                family.of_process(engine.pid)
            except family.FamilyError as error:
                os.write(writer, str(error).encode())
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        said = os.read(reader, 1000).decode()
        os.close(reader)
        os.close(writer)
        assert said == f"{engine.pid}: another user's: only that user and root can look at it"
