"""Normal mode, supervised: a singleton that is recorded ends as one that took our place."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.engine import launch
from fluxstart_tui.session.reader import Session
from tests import support
from tests.support import broker

if TYPE_CHECKING:
    from pathlib import Path

EMPTY = ("-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "-Sstatedir=state")
EMBEDDED = ("--broker=embedded", *EMPTY)
BROKERS = ["embedded", pytest.param("flux", marks=pytest.mark.real_flux)]
RECORD = ("--record=session", "--no-summary")
ASK = """#!/bin/sh
echo "$@"
env | grep -E '^(PMI|FLUX)' | sort
test -e /proc/$$/fd/3 && echo PMI
exit 7
"""


def watched(scene: Path, body: str) -> str:
    """Make a program that does not begin before the broker is watched, if it is to be."""
    wait = "until grep -q boot-method session/events.jsonl; do sleep 0.05; done"
    head = f'#!/bin/sh\nif [ -n "$FLUX_START_URI" ]; then {wait}; fi\n'
    return support.script(scene / "program", head + body)


def ctl(scene: Path, *words: str) -> support.Done:
    return support.run(scene, f"--ctl={scene}/session", *words)


@pytest.mark.parametrize("kind", BROKERS)
def test_recorded_it_is_what_it_would_be(scene: Path, kind: str) -> None:
    """Same output, same exit code; beside it there is a session that knows all states."""
    program = watched(scene, "echo hello; echo again >&2; exit 3")
    words = (f"--broker={kind}", *EMPTY, program)
    plain, recorded = (support.run(scene, *more, *words) for more in ((), RECORD))
    assert (recorded.code, recorded.out) == (3, "hello\n") == (plain.code, plain.out)
    for done in (plain, recorded):
        assert "again\n" in done.err
        assert f"{program} Exited (rc=3)" in done.err
        assert "fluxstart-tui" not in done.err
    session = Session(str(scene / "session"))
    assert (session.header["mode"], session.header["size"]) == ("normal", 1)
    states = [step.state for step in session.state.broker(0).transitions]
    assert {"init", "quorum", "run", "cleanup", "shutdown"} <= set(states)
    assert session.state.attributes["broker.boot-method"] == "single"


@pytest.mark.real_flux
@pytest.mark.parametrize(
    "words",
    [
        ("-v", "-o,-v", "true"),
        ("--wrap=env,A=b", "sh", "-c", "echo $A; cat; pwd; kill -9 $$"),
        ("-Stbon.topo=kary:2", "flux", "getattr", "tbon.topo"),
        ("nosuchprogram",),
        (),
        ("-Snosuch=1", "true"),
        ("--conf=x", "true"),
        ("--recovery=/nonexistent", "true"),
        ("--sysconfig", "true"),
    ],
)
def test_it_is_flux_start(scene: Path, words: tuple[str, ...]) -> None:
    """Output, messages and exit code of the real one, but for times and what shows the rundir."""
    done = support.run(scene, "--broker=flux", *RECORD, *EMPTY, *words)
    real = subprocess.run(
        ["flux", "start", *EMPTY, *words],
        env=support.environment(scene),
        cwd=scene,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.code, done.out) == (real.returncode, real.stdout)
    varying = re.compile(r"^\w{3} \d.*? UTC \d+ |-Srundir=\S+ | [\d.]+m?s$", re.MULTILINE)
    theirs = real.stderr.replace("flux-start", "fluxstart-tui")
    assert varying.sub("", done.err) == varying.sub("", theirs)


def test_the_broker_is_started_as_ever(scene: Path) -> None:
    """Only the rundir comes before what the user wants, and the start service's address."""
    words = ("-Sa=b", "-o-v,--x", "-cconf", "--conf=c=1", "--wrap=env,V=1", "prog", "x y")
    done = support.run(scene, broker(scene, "", ASK), *RECORD, *words)
    rundir = Session(str(scene / "session")).header["rundir"]
    line = f"-Srundir={rundir} -Sa=b -v --x -cconf --conf=c=1 prog x y\n"
    assert done == (7, f"{line}FLUX_START_URI=local://{rundir}/start\n", "")


def test_verbose_shows_the_words(scene: Path) -> None:
    """As in normal mode they are shown without a rank; with -X that is all."""
    done = support.run(scene, broker(scene, "", ASK), *RECORD, "-vX", "-Sa=b", "true")
    assert done.code == 0
    assert done.err.startswith(f"fluxstart-tui: {scene}/broker -Srundir={scene}/flux-")
    assert done.err.endswith(" -Sa=b true\n")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("option", ["-Srundir={}", "-o--setattr=rundir={}", "-o-S,rundir={}"])
def test_the_users_rundir(scene: Path, option: str) -> None:
    """It is the broker's, it is watched there, and the broker removes what it has made."""
    place = scene / "mine"
    words = (*EMBEDDED, option.format(place), watched(scene, 'echo "$FLUX_URI"'))
    done = support.run(scene, *RECORD, *words)
    assert (done.code, done.out) == (0, f"local://{place}/local-0\n")
    session = Session(str(scene / "session"))
    assert session.header["rundir"] == str(place)
    assert session.state.broker(0).transitions
    assert not place.exists()


@pytest.mark.parametrize("kind", BROKERS)
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_brokers_own_code(scene: Path, kind: str, signum: int) -> None:
    """The broker ends its program by SIGHUP; that is told in both ways of running it."""
    words = (f"--broker={kind}", *EMPTY, "sh", "-c", "echo >up; exec sleep 99")
    for more in ((), RECORD):
        process = support.start(scene, *more, *words)
        support.wait_for((scene / "up").exists, "the program")
        (scene / "up").unlink()
        process.send_signal(signum)
        assert support.finish(process).code == 128 + signal.SIGHUP
    end = Session(str(scene / "session")).state.end
    assert end is not None
    assert (end.code, end.signum) == (129, signum)


def test_there_is_no_exit_timer(scene: Path) -> None:
    """What a signal has begun takes the time that it takes."""
    rc3 = "-Sbroker.rc3_path=sleep 1; touch done"
    words = ("--killer-timeout=0.1", *EMBEDDED, rc3, "sh", "-c", "echo >up; exec sleep 99")
    process = support.start(scene, *RECORD, *words)
    support.wait_for((scene / "up").exists, "the program")
    process.send_signal(signal.SIGTERM)
    assert support.finish(process).code == 129
    assert (scene / "done").exists()


def test_a_second_signal_kills(scene: Path) -> None:
    """So whatever hangs can be ended."""
    script = "trap '' HUP TERM INT; echo >up; while :; do sleep 1; done"
    process = support.start(scene, *RECORD, *EMBEDDED, "sh", "-c", script)
    support.wait_for((scene / "up").exists, "the program")
    process.send_signal(signal.SIGTERM)
    one = support.session(scene / "session")
    support.wait_for(lambda: len(support.now(one).signals) == 2, "SIGTERM to us and to the broker")
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert support.finish(process).code == 137


def test_a_broker_that_is_killed(scene: Path) -> None:
    """The code is a shell's for it, and what the broker ran goes too."""
    words = (*EMBEDDED, "sh", "-c", "sleep 99 & kill -9 $PPID; wait")
    assert support.run(scene, *RECORD, *words) == (137, "", "")
    end = Session(str(scene / "session")).state.broker(0).exit
    assert end is not None
    assert (end.signum, end.cause) == (signal.SIGKILL, "sender")


def test_a_broker_that_can_not_be_executed(scene: Path) -> None:
    """The line and the code are normal mode's."""
    done = support.run(scene, broker(scene, ""), *RECORD, "--wrap=/nonexistent", "true")
    assert done == (1, "", "fluxstart-tui: error execing broker: No such file or directory\n")


def test_it_takes_commands_but_none_for_pmi(scene: Path) -> None:
    """The start service is there."""
    process = support.start(scene, *RECORD, *EMBEDDED, "sh", "-c", "echo >up; exec sleep 99")
    support.wait_for((scene / "up").exists, "the program")
    assert ctl(scene, "status").code == 0
    done = ctl(scene, "hold", "0")
    assert done.code == 1
    assert "the broker is a singleton" in done.err
    assert ctl(scene, "shutdown").code == 0
    assert support.finish(process).code == 129


def test_under_a_launcher_nothing_is_recorded(scene: Path) -> None:
    """The broker has to be the launcher's child; one line says so."""
    done = support.run(scene, *EMBEDDED, *RECORD, "true", env={"PMI_FD": "5"})
    line = "fluxstart-tui: --record: does not work under a launcher (PMI_FD is set)\n"
    assert done == (1, "", line)
    assert not (scene / "session").exists()


@pytest.mark.parametrize("name", ["PMI_FD", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID", None])
def test_on_a_terminal_a_launched_broker_takes_our_place(scene: Path, name: str | None) -> None:
    """So does one without a terminal UI, whatever is in the environment."""
    ours, theirs = os.openpty()
    env = {} if name is None else {name: "0"}
    more = ["--headless"] if name is None else []
    option = broker(scene, 'echo $$ "$@" >words; tty -s; exit 7')
    process = support.start(
        scene, option, *more, "-Sa=b", "prog", env=env, stdin=theirs, stdout=theirs, stderr=theirs
    )
    assert support.finish(process).code == 7
    assert (scene / "words").read_text() == f"{process.pid} -Sa=b prog\n"
    for fd in (ours, theirs):
        os.close(fd)


def test_what_tells_of_a_launcher() -> None:
    """Some of what Slurm and Flux set does not."""
    assert launch.launcher({"SLURM_JOB_ID": "1", "FLUX_URI": "x", "PMI_DEBUG": "1"}) is None
    assert launch.launcher({"PMI_PORT": "host:1"}) == "PMI_PORT"


@pytest.mark.parametrize(
    "wrap", ["/usr/bin/env,-i,PATH=/usr/bin:/bin", f"{sys.executable},-IS,wrapper"]
)
def test_a_wrapper_that_keeps_all_for_itself_is_no_obstacle(scene: Path, wrap: str) -> None:
    """Neither environment nor descriptors have to reach a singleton for its states to be seen."""
    (scene / "wrapper").write_text(
        "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"
    )
    done = support.run(
        scene, "--headless", "--record=session", "--broker=embedded", f"--wrap={wrap}",
        "-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "sleep", "0.3",
    )  # fmt: skip
    assert done.code == 0, done.err
    state = Session(str(scene / "session")).state
    assert "run" in [one.state for one in state.broker(0).transitions]
