"""A launch under the engine: what it sees of ranks on this host, how it ends, what it leaves."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.diagnose.launch.finding import PATIENCE
from fluxstart_tui.session import events
from tests import real_launchers, support

if TYPE_CHECKING:
    import subprocess

    from fluxstart_tui.session.reader import Session

STANDIN = Path(support.ROOT, "tests", "standin_launcher.py")
HOST = os.uname().nodename
FOUR = f"--launcher={sys.executable} {STANDIN} -n 4"

TRACE = """
say() { echo "bootstrap: simple: $*" >&2; }
init() { say "initialize: rank=$PMI_RANK size=$PMI_SIZE name=space: success"; }
put() { say "put key=$PMI_RANK value={\\"hostname\\":\\"$(uname -n)\\",\\"uri\\":[]}: success"; }
init
"""
"""What a broker written in sh begins with: it traces PMI without doing any."""

WAIT = "put; exec sleep 1000"


def broker(tmp: Path, body: str) -> str:
    """Make a broker of a script; return the option that has it run."""
    return support.broker(tmp, TRACE + body)


def launched(
    tmp: Path, *args: str, launcher: str = FOUR, env: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a launch that is recorded in tmp/session."""
    return support.start(tmp, "--headless", f"--record={tmp}/session", launcher, *args, env=env)


def recorded(tmp: Path) -> Session:
    """Return the session, as it is now."""
    return support.session(tmp / "session")


def found(session: Session, sign: str) -> str:
    """Return a finding's sentence, "" as long as there is none."""
    state = support.now(session)
    return next((one.sentence for _, one in state.findings.values() if one.id == sign), "")


def test_a_rank_that_dies_is_named_with_its_exit_code_and_who_waits_for_it(tmp_path: Path) -> None:
    body = f"[ $PMI_RANK = 2 ] && exit 3\n{WAIT}"
    process = launched(tmp_path, broker(tmp_path, body))
    session = recorded(tmp_path)
    sentence = support.wait_for(lambda: found(session, "S1"), "the finding")
    assert sentence == (
        f"rank 2 ({HOST}) is gone, it exited with code 3;"
        " ranks 0-1,3 wait in vain for it in PMI barrier 1"
    )
    end = support.now(session).broker(2).exit
    assert end is not None
    assert (end.code, end.signum, end.cause) == (3, 0, "exit")
    process.send_signal(signal.SIGTERM)
    done = support.finish(process)
    assert f"fluxstart-tui: [S1] {sentence}\n" in done.err
    assert done.code == 128 + signal.SIGTERM
    state = support.now(session)
    assert [state.broker(rank).exit.cause for rank in (0, 1, 3)] == ["shutdown"] * 3  # type: ignore[union-attr]
    support.assert_nothing_left(tmp_path)


def test_a_rank_that_is_stopped_is_named_before_patience_ends(tmp_path: Path) -> None:
    body = f"[ $PMI_RANK = 2 ] && put && kill -STOP $$\n{WAIT}"
    process = launched(tmp_path, broker(tmp_path, body))
    session = recorded(tmp_path)
    sentence = support.wait_for(lambda: found(session, "S4"), "the finding")
    assert sentence == (
        f"rank 2 ({HOST}) is suspended by a signal (SIGSTOP);"
        " ranks 0-1,3 wait for it in PMI barrier 1"
    )
    state = support.now(session)
    probe = state.broker(2).probe
    assert probe is not None
    assert (probe.state, probe.pid) == ("T", state.broker(2).pid)
    os.kill(probe.pid, signal.SIGCONT)
    support.wait_for(lambda: found(session, "S4") != sentence, "its going on")
    process.send_signal(signal.SIGTERM)
    support.finish(process)
    support.assert_nothing_left(tmp_path)


def test_what_a_rank_dies_of_by_a_strange_signal_is_known(tmp_path: Path) -> None:
    process = launched(
        tmp_path, broker(tmp_path, "[ $PMI_RANK = 1 ] && sleep 0.2 && kill -9 $$\nexec sleep 1000"),
        env={"STANDIN_HABITS": "kills"},
    )  # fmt: skip
    assert support.finish(process).code == 128 + signal.SIGKILL
    ends = [recorded(tmp_path).state.broker(rank).exit for rank in range(4)]
    assert all(end is not None and end.signum == signal.SIGKILL for end in ends)
    assert [end.detail for end in ends if end is not None] == [
        "likely sent by the launcher, since rank 1 had ended",
        "not sent through this program",
        *["likely sent by the launcher, since rank 1 had ended"] * 2,
    ]
    support.assert_nothing_left(tmp_path)


def test_exit_code_and_labels_are_the_launchers(tmp_path: Path) -> None:
    done = support.run(
        tmp_path, "--headless", FOUR, broker(tmp_path, 'echo "out $PMI_RANK"; exit $PMI_RANK')
    )
    assert done.code == 3
    assert sorted(done.out.splitlines()) == [f"task {rank} | out {rank}" for rank in range(4)]
    assert "hello" not in done.err
    support.assert_nothing_left(tmp_path)


def test_an_unknown_label_is_learnt_from_the_hello_line(tmp_path: Path) -> None:
    done = support.run(
        tmp_path, "--headless", f"--record={tmp_path}/session", FOUR,
        broker(tmp_path, 'echo "out $PMI_RANK"'), env={"STANDIN_LABEL": "<<{}>>"},
    )  # fmt: skip
    assert done.code == 0
    assert sorted(done.out.splitlines()) == [f"<<{rank}>>out {rank}" for rank in range(4)]
    said = {chunk.rank: chunk.data for chunk in recorded(tmp_path).output.follow().poll()
            if b"out " in chunk.data}  # fmt: skip
    assert said == {rank: b"out %d\n" % rank for rank in range(4)}


def test_a_second_signal_kills_at_once(tmp_path: Path) -> None:
    process = launched(tmp_path, broker(tmp_path, WAIT), env={"STANDIN_HABITS": "deaf"})
    session = recorded(tmp_path)
    support.wait_for(lambda: support.now(session).broker(3).pmi == "barrier", "its card")
    process.send_signal(signal.SIGTERM)
    support.wait_for(lambda: support.now(session).signals, "the signal")
    time.sleep(0.2)  # what comes within 0.1 s is the same signal once more, by timeout(1)
    process.send_signal(signal.SIGTERM)
    assert support.finish(process).code == 128 + signal.SIGKILL
    support.assert_nothing_left(tmp_path)


def test_what_a_launcher_leaves_behind_is_killed_and_told(tmp_path: Path) -> None:
    process = launched(tmp_path, broker(tmp_path, WAIT), env={"STANDIN_HABITS": "leaves"})
    session = recorded(tmp_path)
    support.wait_for(lambda: support.now(session).broker(3).pmi == "barrier", "its card")
    process.send_signal(signal.SIGTERM)
    done = support.finish(process)
    assert done.code == 1
    left = re.search(r"the launcher has left processes behind, killed: (.*)", done.err)
    assert left is not None
    assert len(left[1].split(", ")) == 4
    support.assert_nothing_left(tmp_path)


def test_an_engine_that_is_killed_leaves_no_launcher_and_no_task(tmp_path: Path) -> None:
    process = launched(tmp_path, broker(tmp_path, WAIT), env={"STANDIN_HABITS": "leaves"})
    session = recorded(tmp_path)
    support.wait_for(lambda: support.now(session).broker(3).pmi == "barrier", "its card")
    process.kill()
    support.finish(process)
    support.assert_nothing_left(tmp_path, timeout=15)


HOSTILE = r"""
head -c 3000000 /dev/zero | tr '\0' x
printf '\nnul\0nul \377\376 \033[2J\n'
printf 'fluxstart-tui: hello rank=99999999999999 pid=-1 host=\n' >&2
printf 'fluxstart-tui: pmi 7> nan cmd=\n' >&2
printf '%s: \n' bootstrap '<3>' '<7>broker.debug[' 1: '[mpiexec@'
printf 'no newline'
"""


def test_output_that_makes_no_sense_is_only_output(tmp_path: Path) -> None:
    done = support.run(
        tmp_path, "--headless", f"--record={tmp_path}/session", FOUR, broker(tmp_path, HOSTILE)
    )
    assert done.code == 0, done.err[-2000:]
    assert done.out.count("x" * 1000) >= 4 * 2900
    assert done.out.count("nul\0nul \\xff\\xfe \x1b[2J") == 4
    assert done.out.endswith("no newline\n")
    assert recorded(tmp_path).state.end == events.End(0)


def test_a_flood_reaches_the_reader_whole(tmp_path: Path) -> None:
    lines = 200_000
    size = lines * len("0123456789012345678901234567890123456789\n")
    with (tmp_path / "out").open("wb") as out:
        process = support.start(
            tmp_path, "--headless", FOUR,
            broker(tmp_path, f"yes 0123456789012345678901234567890123456789 | head -c {size}"),
            stdout=out,
        )  # fmt: skip
        assert support.finish(process).code == 0
    assert (tmp_path / "out").stat().st_size == 4 * (size + lines * len("task 0 | "))


@pytest.mark.parametrize(
    ("launcher", "complaint"),
    [
        ("/nowhere/srun -n 2", "--launcher: /nowhere/srun: No such file or directory"),
        ("/etc/passwd -n 2", "--launcher: /etc/passwd: Permission denied"),
        ("env A=1", "--launcher: names no command"),
    ],
)
def test_a_launcher_that_can_not_be_run_is_a_line(
    launcher: str, complaint: str, tmp_path: Path
) -> None:
    done = support.run(tmp_path, "--headless", f"--launcher={launcher}", "--broker=embedded")
    assert done.code == 1
    assert done.err.splitlines()[-1] == f"fluxstart-tui: {complaint}"
    support.assert_nothing_left(tmp_path)


def test_noexec_prints_the_command_and_runs_nothing(tmp_path: Path) -> None:
    done = support.run(tmp_path, "-X", "--launcher=srun -N2", "--broker=embedded", "touch", "here")
    assert done.code == 0
    assert "running: srun --label -N2 env FLUX_PMI_DEBUG=1 " in done.err
    assert done.err.rstrip().endswith(" touch here")
    assert not (tmp_path / "here").exists()
    support.assert_nothing_left(tmp_path)


def test_raw_adds_nothing_and_finds_ranks_all_the_same(tmp_path: Path) -> None:
    # What tells no pid is known by the name that brokers have.
    body = f"#!/bin/sh\n{TRACE}put\n[ $PMI_RANK = 2 ] && kill -STOP $$\nsleep 1000 & wait"
    (tmp_path / "bin").mkdir()
    path = support.script(tmp_path / "bin" / "flux-broker", body)
    process = launched(
        tmp_path, "--launcher-raw", f"--broker={path}", env={"STANDIN_LABEL": "[{}] "}
    )
    session = recorded(tmp_path)
    sentence = support.wait_for(lambda: found(session, "S4"), "the finding")
    assert "is suspended by a signal (SIGSTOP)" in sentence
    process.send_signal(signal.SIGTERM)
    done = support.finish(process)
    assert "[0] bootstrap: simple: initialize: rank=0 size=4" in done.err
    assert "hello" not in done.err
    support.assert_nothing_left(tmp_path)


def test_a_launch_is_commanded_shown_and_diagnosed_like_any_instance(tmp_path: Path) -> None:
    process = launched(tmp_path, broker(tmp_path, f"[ $PMI_RANK = 2 ] && exit 3\n{WAIT}"))
    session = recorded(tmp_path)
    support.wait_for(lambda: found(session, "S1"), "the finding")
    target = f"--ctl={session.header['rundir']}"
    info = support.run(tmp_path, target, "info")
    assert re.search(r"mode +launcher", info.out), info.out
    refused = support.run(tmp_path, target, "signal", "2", "USR1")
    assert (refused.code, "known to run on this host" in refused.err) == (1, True)
    assert support.run(tmp_path, target, "signal", "1", "KILL").code == 0
    support.wait_for(lambda: support.now(session).broker(1).exit, "its end")
    end = support.now(session).broker(1).exit
    assert end is not None
    assert (end.signum, end.cause) == (signal.SIGKILL, "user")

    def hindered() -> support.Done | None:
        """Rank 1's end is news for a second, in which nobody is said to wait for anybody."""
        done = support.run(tmp_path, f"--diagnose={tmp_path}/session")
        return done if done.code == 1 else None

    diagnosis = support.wait_for(hindered, "the finding again")
    assert diagnosis is not None
    assert f"rank 2 ({HOST}) is gone, it exited with code 3" in " ".join(diagnosis.out.split())
    process.send_signal(signal.SIGTERM)
    support.finish(process)
    shown = support.run(tmp_path, f"--show={tmp_path}/session")
    assert shown.code == 0
    assert "rank 2" in shown.out
    support.assert_nothing_left(tmp_path)


def hydra(major: int, count: int = 4) -> str:
    return "--launcher=" + " ".join([*real_launchers.hydra(major), "-n", str(count)])


def test_hydra_ends_the_rest_and_the_first_to_die_is_named(tmp_path: Path) -> None:
    done = support.run(
        tmp_path, "--headless", hydra(4), "--broker=embedded", "-Sfault.barrier1=2:exit=3", "true"
    )
    assert done.code not in (0, 3)
    text = " ".join(done.err.split())
    assert re.search(rf"\[H1\] .*: rank 2 \({HOST}\) exited with code 3", text), done.err


@pytest.mark.parametrize("major", [4, 5])
def test_a_long_silent_program_is_no_hang(major: int, tmp_path: Path) -> None:
    process = launched(
        tmp_path, "--broker=embedded", "--pmi-tap=bridge", "sleep", str(PATIENCE + 1.5),
        launcher=hydra(major),
    )  # fmt: skip
    done = support.finish(process)
    assert done.code == 0
    state = recorded(tmp_path).state
    assert state.findings == {}
    assert "[" not in done.err.partition("running: ")[0]
    assert not re.search(r"fluxstart-tui: \[", done.err), done.err
    assert all(broker.probe is None for broker in state.brokers.values())
    support.assert_nothing_left(tmp_path)


@pytest.mark.parametrize("major", [4, 5])
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_hydra_ends_in_order_when_its_instance_is_up(
    major: int, signum: signal.Signals, tmp_path: Path
) -> None:
    process = launched(
        tmp_path, "--broker=embedded", "--pmi-tap=bridge", "sleep", "1000", launcher=hydra(major)
    )
    session = recorded(tmp_path)
    support.wait_for(lambda: support.now(session).program, "the program")
    process.send_signal(signum)
    done = support.finish(process)
    assert done.code not in (0, -signum)
    assert not re.search(r"fluxstart-tui: \[", done.err), done.err
    state = support.now(session)
    assert [state.broker(rank).state for rank in range(4)] == ["exit"] * 4
    support.assert_nothing_left(tmp_path)


@pytest.mark.parametrize("major", [4, 5])
def test_hydra_ends_though_its_ranks_are_in_pmi(major: int, tmp_path: Path) -> None:
    process = launched(
        tmp_path, "--broker=embedded", "--pmi-tap=bridge", "-Sfault.barrier1=2:stop", "true",
        launcher=hydra(major),
    )  # fmt: skip
    session = recorded(tmp_path)
    support.wait_for(lambda: found(session, "S4"), "the finding")
    process.send_signal(signal.SIGTERM)
    assert support.finish(process, timeout=15).code != 0
    support.assert_nothing_left(tmp_path)


def test_singletons_are_told_with_the_reason(tmp_path: Path) -> None:
    done = support.run(tmp_path, "--headless", FOUR, "--broker=embedded", "true")
    assert done.code == 0
    assert re.search(
        r"\[P1\] 4 tasks came up as instances of size 1 .*PMI_FD not found in environ", done.err
    ), done.err
    support.assert_nothing_left(tmp_path)


def test_a_broker_past_pmi_is_asked_itself(tmp_path: Path) -> None:
    process = launched(
        tmp_path, "--broker=embedded", "-Sfault.rc1=0:hang", "true", launcher=hydra(4)
    )
    session = recorded(tmp_path)

    def says() -> str:
        probe = support.now(session).broker(0).probe
        return probe.says if probe is not None else ""

    assert support.wait_for(says, "its answer").startswith("state init for ")
    assert found(session, "R2") or support.wait_for(lambda: found(session, "R2"), "the finding")
    process.send_signal(signal.SIGTERM)
    text = support.finish(process).err
    assert "asked on its socket: state init for " in text
    support.assert_nothing_left(tmp_path)
