"""--diagnose and --attach of an instance that somebody else has started, whatever it hangs in."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import pytest

from fluxstart_tui import foreign
from fluxstart_tui.diagnose.launch import rules
from fluxstart_tui.diagnose.launch.finding import PATIENCE
from fluxstart_tui.probe import family
from tests import real_launchers, support
from tests.foreigners import running
from tests.tui.on_terminal import OnTerminal

if TYPE_CHECKING:
    from pathlib import Path

EMBEDDED = ("--headless", "--no-summary", "--broker=embedded")


class Case(NamedTuple):
    """What an instance is told to do wrong, and what is to be found."""

    fault: str
    id: str
    ranks: str
    words: str


CASES = [
    Case("fault.init=1:stop", "S3", "1", "suspended by a signal"),
    Case("fault.barrier1=2:stop", "S4", "2", "ranks 0-1,3 wait for it in PMI"),
    Case("fault.barrier2=2:stop", "S4", "2", "ranks 0-1,3 wait for it in PMI"),
    Case("fault.barrier1=1:hang", "S4", "1", "is elsewhere"),
    Case("fault.finalized=2:stop", "Q2", "2", "suspended by a signal"),
    Case("fault.unconnected=3", "N0", "3", "never reached the parent"),
    Case("fault.rc1=0:hang", "R2", "0", "ranks 1-3 wait for it in join"),
    Case("fault.rc1=2:hang", "R3", "2", "rank 0 waits in quorum"),
]


def findings(pid: int) -> list[tuple[str, str]]:
    """Return ids and sentences of what is found now."""
    try:
        log = foreign.look(str(pid))
    except family.FamilyError:  # there is no broker yet
        return []
    assert log is not None
    return [(one.id, one.sentence) for one in rules.diagnose(log.launch, log.now)]


def diagnosed(folder: Path, case: Case) -> support.Done:
    """Run a case until something is found, and have it diagnosed."""
    folder.mkdir()
    words = support.command(*EMBEDDED, "-s4", f"-S{case.fault}", "sleep", "99")
    with running(folder, *words) as engine:
        support.wait_for(lambda: findings(engine.pid), f"a finding with {case.fault}")
        return support.run(folder, f"--diagnose={engine.pid}", "--json")


def test_the_culprit_is_named(scene: Path) -> None:
    """By its own words where it can be asked, and by how its process looks."""
    with ThreadPoolExecutor(len(CASES)) as pool:  # they wait for a stall most of the time
        folders = (scene / str(number) for number in range(len(CASES)))
        ends = list(pool.map(diagnosed, folders, CASES))
    for case, done in zip(CASES, ends, strict=True):
        report = json.loads(done.out)
        assert len(report["findings"]) == 1, case
        found = report["findings"][0]
        assert (done.code, found["id"], found["ranks"]) == (1, case.id, case.ranks)
        assert case.words in found["sentence"]
        assert any(line["text"].startswith("process ") for line in found["evidence"])
        assert (report["size"], report["running"], report["launcher"]) == (4, True, "flux start")


def test_a_healthy_instance(scene: Path) -> None:
    """Its program is silent for long, and that is nothing wrong."""
    words = support.command(*EMBEDDED, "-s4", "sh", "-c", "touch up; exec sleep 99")
    with running(scene, *words) as engine:
        support.wait_for((scene / "up").exists, "the program")
        time.sleep(PATIENCE + 1)  # as long as a stall has to last to be one
        done = support.run(scene, f"--diagnose={engine.pid}")
    assert done.code == 0, done.out
    assert "flux start, size 4" in done.out.splitlines()[0]
    assert "nothing wrong so far" in done.out.splitlines()[0]
    assert "run" in done.out.splitlines()[-1]


def test_under_hydra(scene: Path) -> None:
    """The launcher's pid will do; Markdown may be pasted into an issue."""
    words = [*real_launchers.hydra(4), "-n", "3", *support.command(*EMBEDDED)]
    words += ["-Sfault.barrier1=1:stop", "true"]
    with running(scene, *words, tidy=False) as launcher:
        support.wait_for(lambda: findings(launcher.pid), "a finding")
        done = support.run(scene, f"--diagnose={launcher.pid}", "--markdown")
    assert done.code == 1
    assert "### S4: rank 1" in done.out
    assert "| 1 | suspended by a signal" in done.out


@pytest.mark.real_flux
@pytest.mark.parametrize(
    ("when", "signum", "id_", "said"),
    [
        ("before PMI", signal.SIGSTOP, "S2", "suspended by a signal"),
        ("in rc1", 0, "R2", "rc1 is still running on rank 0"),
        ("up", signal.SIGSTOP, "X4", "rank 2"),
        ("up", signal.SIGKILL, "X1", "rank 2"),
    ],
)
def test_a_real_flux_start(scene: Path, when: str, signum: int, id_: str, said: str) -> None:
    """With a rank that is stopped or killed, or an rc1 that does not end."""
    stop = '#!/bin/sh\nif [ "$PMI_RANK" = 2 ]; then kill -STOP $$; fi\nexec "$@"\n'
    wrap = f"--wrap={support.script(scene / 'wrap', stop)}"
    rc1 = "sleep 99" if when == "in rc1" else ""
    words = ["flux", "start", "-s4", f"-Sbroker.rc1_path={rc1}", "-Sbroker.rc3_path="]
    words += [wrap] if when == "before PMI" else []
    words += ["sh", "-c", "touch up; exec sleep 99"]
    with running(scene, *words, tidy=False) as started:
        if when == "up":
            support.wait_for((scene / "up").exists, "the program")
            os.kill(family.of_process(started.pid).tasks[2].pid, signum)
        found = support.wait_for(lambda: findings(started.pid), "a finding")
        assert found[0][0] == id_
        assert said in found[0][1]


def test_nobody_is_there(scene: Path) -> None:
    """One line, and exit code 2."""
    for target in ("4194304", str(os.getpid()), f"local://{scene}/local-0", "slurm:x", "ssh://a/b"):
        done = support.run(scene, f"--diagnose={target}")
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"fluxstart-tui: --diagnose: {target.removeprefix('local://')}:")
        assert done.err.count("\n") == 1


def test_attach_watches_and_leaves_all_alone(scene: Path) -> None:
    """Its brokers, states and what hinders it are seen; it runs on when the UI has gone."""
    words = support.command(*EMBEDDED, "-s4", "-Sfault.rc1=2:hang", "sleep", "99")
    with running(scene, *words) as engine:
        support.wait_for(lambda: findings(engine.pid), "a finding")
        before = {task.pid for task in family.of_process(engine.pid).tasks}
        ui = OnTerminal(scene, f"--attach={engine.pid}")
        ui.expect("4 brokers", "rc1 is still running on rank 2")
        ui.type("s")
        ui.expect("takes no commands")
        ui.type("q")
        assert ui.end() == 0
        assert {task.pid for task in family.of_process(engine.pid).tasks} == before
        assert engine.poll() is None
    sessions = list((scene / "state").glob("**/session.json"))
    assert len(sessions) == 1
    assert json.loads(sessions[0].read_text())["mode"] == "observed"
