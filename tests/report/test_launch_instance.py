"""What hinders an instance of test mode: the same at a moment, whoever asks, and when."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from fluxstart_tui.diagnose.launch.rules import diagnose
from fluxstart_tui.diagnose.words import where
from fluxstart_tui.report.launch_session import Reading
from fluxstart_tui.session import events as e
from fluxstart_tui.session import state as states
from fluxstart_tui.session.files import Files
from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.session.reader import Session
from tests.diagnose.blocks import barrier_in, pmi, spawn, walk

if TYPE_CHECKING:
    from pathlib import Path

    from fluxstart_tui.diagnose.launch.finding import Finding
    from tests.diagnose.blocks import Timed

HEADER = {"format": 1, "pid": 77, "start": "2026-11-22T12:00:00+00:00", "size": 4, "mode": "test"}
TTY, STDERR = STREAMS.index("tty"), STREAMS.index("stderr")
FAILED = b"broker.err[0]: stdin is not a tty - can't run interactive shell\r\n"


def sample(t: float, letters: str) -> tuple[float, e.Event]:
    """Return a look at four processes in these states."""
    return t, e.Sample("0-3", [0.0] * 4, [9000] * 4, [1] * 4, [9] * 4, letters)


def up() -> Timed:
    """Return the start of four brokers until their program runs."""
    return [*spawn(4), *pmi(4), *walk(range(4), "run"), (0.3, e.Program("started"))]


def write(path: Path, timed: Timed, out: list[tuple[float, int, int, bytes]] | None = None) -> str:
    """Write a session."""
    path.mkdir()
    files = Files(str(path), dict(HEADER), 1 << 30)
    files.write(out or [], timed)
    files.close(timed[-1][0])
    return str(path)


def at(path: str, t: float) -> list[Finding]:
    """Return what hinders it at a moment."""
    session = Session(path)
    past = [one for one in session.events() if one[0] <= t]
    state = states.advance(states.initial(session.header), past)
    reading = Reading(session.header, session.output)
    reading.read(t)
    reading.settle(state)
    return diagnose(reading.launch, None if state.end is not None else t)


def test_a_stop_is_a_finding_until_it_is_over(tmp_path: Path) -> None:
    """Seen by samples, or by a signal that was sent through us, whichever is first."""
    stop, go = e.Signal("2", signal.SIGSTOP, "x"), e.Signal("2", signal.SIGCONT, "x")
    timed = [*up(), (1.0, stop), sample(2.0, "SSTS"), (4.0, go), sample(5.0, "SSTS"),
             sample(6.0, "SSSS"), (9.0, e.Message("end"))]  # fmt: skip
    path = write(tmp_path / "s", timed)
    (found,) = at(path, 3.0)
    assert (found.id, found.since, found.confidence) == ("X4", 1.0, "certain")
    assert found.ranks == {2}
    assert found.remedies[0] == "fluxstart-tui --ctl=77 signal 2 CONT"
    assert found.remedies[1].startswith("kill -CONT 102 ")
    assert not at(path, 4.5)
    assert [one.since for one in at(path, 5.5)] == [5.0]
    assert not at(path, 7.0)


def test_who_is_stopped_before_the_barrier_is_told_as_that(tmp_path: Path) -> None:
    timed = [*spawn(4), *barrier_in([0, 1, 3]), (0.1, e.Pmi(2, "put")), sample(1.0, "SSTS"),
             (9.0, e.Message("end"))]  # fmt: skip
    (found,) = at(write(tmp_path / "s", timed), 2.0)
    assert found.sentence == (
        "rank 2 is suspended by a signal (SIGSTOP); ranks 0-1,3 wait for it in PMI barrier 1"
    )
    assert found.since == 1.0


def test_what_somebody_types_or_a_program_prints_is_no_finding(tmp_path: Path) -> None:
    """In a terminal, and on a stderr that program and broker share; live as in a replay."""
    typed = [(t, 0, stream, text) for t, stream, text in (
        (1.0, TTY, b"\x1b[?2004hbash: flux: command not found\r\n"),
        (1.1, TTY, FAILED), (1.2, STDERR, b"sh: 1: flux: not found\n"), (1.3, STDERR, FAILED),
        (1.4, TTY, b"broker.err[0]: dead to Flux: h (rank 2)\r\n"),
    )]  # fmt: skip
    path = write(tmp_path / "s", [*up(), (9.0, e.Message("end"))], typed)
    assert [at(path, t) for t in (0.5, 2.0, 9.0)] == [[], [], []]
    session = Session(path)
    followed = Reading(session.header, session.output)
    for state in (states.initial(session.header), session.state):  # read before it was judged
        followed.read()
        followed.settle(state)
        assert not diagnose(followed.launch, 9.0)


def test_what_a_broker_says_before_the_program_counts(tmp_path: Path) -> None:
    timed = [*spawn(4), (0.2, e.Exit(0, 100, 1, 0, "exit")), (9.0, e.Message("end"))]
    found = at(write(tmp_path / "s", timed, [(0.1, 0, TTY, FAILED)]), 8.0)
    assert "F3" in {one.id for one in found}


def test_after_the_end_nothing_speaks_in_the_present(tmp_path: Path) -> None:
    """The first cause comes first, and an instance that was up when it was ended was just up."""
    ends = [(9.1, e.Exit(rank, 100 + rank, 0, 0, "exit")) for rank in (0, 2, 3)]
    quits: Timed = [(9.0, e.Signal("", 15, "SIGTERM to us (pid 1)")), *ends, (9.2, e.End(143, 15))]
    assert not at(write(tmp_path / "fine", [*up(), *quits]), 10.0)
    killed = e.Exit(1, 101, 137, 9, "user", "start.kill")
    timed = [*up(), sample(2.0, "SSTS"), (3.0, killed), *quits]
    path = write(tmp_path / "s", timed)
    stopped, lost = at(path, 10.0)
    assert stopped.sentence.startswith("rank 2 was suspended by a signal")
    assert stopped.sentence.endswith(" while the instance was up")
    assert lost.sentence.startswith("rank 1 was lost while the instance ran: it was killed by")
    assert (stopped.id, lost.id) == ("X4", "X1")
    assert not [text for one in (stopped, lost) for text in one.remedies]


def test_who_dies_of_our_own_stop_is_no_cause(tmp_path: Path) -> None:
    """Whoever ends us may end the brokers too, and one is seen to die before we know."""
    died = [(5.0, e.Exit(2, 102, 143, 15, "sender"))]
    stop: Timed = [(5.1, e.Signal("", 15, "SIGTERM to us (pid 1)")), (5.2, e.End(143, 15))]
    found = at(write(tmp_path / "s", [*spawn(4), *barrier_in(range(4)), *died, *stop]), 6.0)
    assert "S1" not in {one.id for one in found}


def test_brokers_that_all_end_alike_were_ended_by_no_launcher(tmp_path: Path) -> None:
    """The last line of the first is the reason; there is no launcher in test mode."""
    ends = [(0.1 + rank / 10, e.Exit(rank, 100 + rank, 1, 0, "exit")) for rank in (2, 0, 1, 3)]
    said = [(0.05, rank, STDERR, b"flux-broker: x: unknown attribute\n") for rank in range(4)]
    (found,) = at(write(tmp_path / "s", [*spawn(4), *ends, (0.6, e.End(1))], said), 1.0)
    assert found.id == "D1"
    assert found.ranks == frozenset(range(4))
    assert found.sentence == (
        "all 4 ranks ended by themselves before the instance was up: rank 0 exited with code 1"
        ' with the last words "flux-broker: x: unknown attribute", the others likewise'
    )
    assert not found.tip


def test_only_who_ended_like_the_first_is_named_with_it(tmp_path: Path) -> None:
    ends = [(0.2 + rank / 10, e.Exit(rank, 100 + rank, rank // 2, 0, "exit")) for rank in (2, 3)]
    killed = (0.1, e.Exit(1, 101, 137, 9, "sender"))
    (found,) = at(write(tmp_path / "s", [*spawn(4), killed, *ends, (0.6, e.End(1))]), 1.0)
    assert found.sentence == (
        "rank 1 was killed by SIGKILL, sender unknown before the instance was up"
    )


def test_ranks_that_an_observer_does_not_see_are_not_blamed(tmp_path: Path) -> None:
    """They are on other hosts, which is said, and not that they were never started."""
    here = [(0.0, e.Spawn(rank, 100 + rank)) for rank in range(3)]
    path = write(tmp_path / "s", [*here, *barrier_in([0, 1]), (9.0, e.Message("end"))])
    header = Session(path).header | {"away": "3", "host": "ci-7"}
    state = states.advance(states.initial(header), Session(path).events())
    assert where(state, state.broker(3)) == "on another host, not looked at"
    reading = Reading(header, Session(path).output)
    reading.settle(state)
    (found,) = diagnose(reading.launch, 9.0)
    assert (found.id, found.ranks) == ("S2", frozenset({2}))
    assert found.sentence.endswith("; rank 3 is not looked at, on other hosts instead of ci-7")
