"""Progress in words: what is complete, when, and who is missing."""

from __future__ import annotations

from fluxstart_tui.report.progress import Progress
from tests.diagnose import blocks, ends
from tests.diagnose.blocks import HEADER


def test_each_phase_is_told_once_with_its_own_time() -> None:
    """However late one looks."""
    progress = Progress("prog", HEADER)
    progress.take(ends.success())
    lines = progress.lines(99.0)
    assert lines[:3] == [
        "prog: [   0.000 s] spawned 4/4",
        "prog: [   0.030 s] PMI init 4/4",
        "prog: [   0.040 s] put 4/4",
    ]
    assert [line.split("] ")[1] for line in lines[-2:]] == ["shutdown 4/4", "exit 4/4"]
    assert progress.lines(200.0) == []


def test_who_is_missing_is_told_at_ever_longer_intervals() -> None:
    """A log of a hang has its cause, not a thousand times."""
    progress = Progress("prog", HEADER)
    progress.take([*blocks.spawn(4), *blocks.barrier_in([0, 1, 3])])
    told = [line for now in range(1, 80) for line in progress.lines(now / 4)]
    assert [line.split("]")[0] for line in told] == [
        "prog: [   0.000 s", "prog: [   1.250 s", "prog: [   3.250 s", "prog: [   7.250 s",
        "prog: [  15.250 s",
    ]  # fmt: skip
    assert told[1].endswith(
        "] PMI init 3/4 (not 2): waiting in PMI barrier 1 for rank 2 (not in PMI yet)"
    )
    assert progress.status(7.0) == told[-1].replace("15.250", " 7.000")


def test_a_terminal_is_the_programs_while_it_runs() -> None:
    """Nothing is painted into what a program shows."""
    progress = Progress("prog", HEADER)
    progress.take(blocks.up(4))
    assert progress.status(1.0) == ""
    assert "run 0/4" not in "".join(progress.lines(1.0))
    assert progress.lines(9.0) == ["prog: [   9.000 s] program runs (8.8 s)"]
