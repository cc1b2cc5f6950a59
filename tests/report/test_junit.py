"""JUnit XML, annotations and the step's summary: they parse, and name phase, rank and cause."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxstart_tui.diagnose.launch.finding import Finding
from fluxstart_tui.report import github, junit, verdict
from fluxstart_tui.session import events as e
from fluxstart_tui.session.state import replay
from tests.diagnose import blocks, ends
from tests.diagnose.blocks import HEADER
from tests.report.test_anything import EVENTS, WORDS

if TYPE_CHECKING:
    from tests.diagnose.blocks import Timed


def timed_out(t: float, ranks: str, before: Timed, after: Timed) -> Timed:
    """An instance's time is up at `t`: its ranks are killed."""
    return [
        *before,
        *after,
        (t, e.Timeout(t)),
        (t + 0.5, e.Signal("", 15, f"--timeout={t:g}s")),
        (t + 1, e.Timer("fired", -1.0, f"--timeout={t:g}s", ranks)),
        *((t + 1, e.Exit(rank, 100 + rank, 137, 9, "timer")) for rank in range(4)),
        (t + 1, e.End(124)),
    ]


HUNG = timed_out(
    9, "0-3", [*blocks.spawn(4), *blocks.barrier_in([0, 1, 3]), (0.04, e.Pmi(2, "put"))],
    [(8.9, e.Probe(2, 102, "T", "flux-broker", "do_signal_stop"))],
)  # fmt: skip
STOPPED = timed_out(9, "0-3", blocks.up(4), [(5, e.Sample("3", [0.0], [1], [1], [1], "T"))])
PROGRAM = timed_out(9, "0-3", blocks.up(4), [])


def judged(timed: Timed, *findings: Finding) -> verdict.Verdict:
    """Return the verdict on an instance of four brokers to which this has happened."""
    return verdict.judge(HEADER, replay(timed, 4), lambda _: ["last\x1b[0m words"], list(findings))


def cases(found: verdict.Verdict, outcome: str) -> dict[str, str]:
    """Return the messages of those cases that have failed or were skipped, by name."""
    root = ElementTree.fromstring(junit.report(found))
    suite = root.find("testsuite")
    assert suite is not None
    told = {case.get("name", ""): case.find(outcome) for case in suite.iter("testcase")}
    marked = {name: one.get("message", "") for name, one in told.items() if one is not None}
    assert suite.get("tests") == str(len(told))
    assert suite.get({"failure": "failures"}.get(outcome, outcome)) == str(len(marked))
    return marked


@pytest.mark.parametrize(
    ("timed", "phase", "rank", "cause"),
    [
        (HUNG, "04 barrier", "rank 2", "waiting in PMI barrier 1 for rank 2"),
        (STOPPED, "10 run", "rank 3", "rank 3 is suspended by a signal (SIGSTOP)"),
        (PROGRAM, "10 run", "", "program runs (8.8 s)"),
        (ends.crash(), "10 run", "rank 0", "crashed with SIGSEGV"),
        (ends.program_fails(), "10 run", "", "initial program exited with code 3"),
    ],
)
def test_what_has_failed_is_phase_and_rank(timed: Timed, phase: str, rank: str, cause: str) -> None:
    """And the instance; nothing else, whatever the others have died of."""
    failed = cases(judged(timed), "failure")
    instance = " ".join(HEADER["argv"])  # type: ignore[arg-type]
    assert set(failed) == {instance, phase, *filter(None, [rank])}
    assert cause in failed[phase]


def test_success_has_no_failures() -> None:
    """All phases have taken their time, which together is all of it."""
    found = judged(ends.success())
    assert (cases(found, "failure"), cases(found, "skipped")) == ({}, {})
    suite = ElementTree.fromstring(junit.report(found)).find("testsuite")
    assert suite is not None
    times = [
        float(case.get("time", ""))
        for case in suite.iter("testcase")
        if case.get("classname", "").endswith(".phases")
    ]
    assert sum(times) == pytest.approx(found.state.broker(0).exit_t, abs=0.02)
    assert github.errors(found) == ""


def test_annotations_are_lines_of_workflow_commands() -> None:
    """What would end a property or the line is escaped."""
    finding = Finding("S4", "100 %\nof rank 2, :stopped", frozenset({2}), remedies=("kill -CONT",))
    told = github.errors(judged(HUNG, finding)).splitlines()
    assert told[0].startswith(
        "::error title=fluxstart-tui%3A instance of 4 brokers TIMED OUT%2C ended after 10.0 s%3A"
        " exit code 124::time was up at 9.0 s (--timeout=9s)%0Awaiting in PMI barrier 1 for rank 2"
    )
    assert told[1] == (
        "::error title=fluxstart-tui%3A [S4]::100 %25\\nof rank 2, :stopped%0A$ kill -CONT"
    )
    assert github.error("a,b:c", "d\r\n") == "::error title=a%2Cb%3Ac::d%0D%0A\n"


@settings(max_examples=40, deadline=None)
@given(EVENTS, st.integers(0, 8), st.lists(WORDS, max_size=5), WORDS)
def test_whatever_has_happened_it_parses(
    timed: Timed, size: int, lines: list[str], sentence: str
) -> None:
    """Nothing that a broker says gets out of its place."""
    state = replay([(t, one) for t, one in timed if getattr(one, "rank", 0) < 100], size)
    found = verdict.judge(HEADER, state, lambda _: lines, [Finding("S1", sentence)])
    root = ElementTree.fromstring(junit.report(found))
    assert len(root.findall("testsuite/testcase")) == 1 + len(found.phases) + state.size
    assert all(line.startswith("::error title=") for line in github.errors(found).splitlines())
    ElementTree.fromstring(junit.unstarted(sentence, sentence))
