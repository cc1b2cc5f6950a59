"""JUnit XML, annotations and the step's summary: they parse, and name phase, rank and cause."""

from __future__ import annotations

import re
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


def case(found: verdict.Verdict) -> ElementTree.Element:
    """Return the test case of an instance: the only one, so that all sums are its own."""
    root = ElementTree.fromstring(junit.report(found))
    (one,) = root.findall("testsuite/testcase")
    suite = root[0]
    failures = "1" if found.failed else "0"
    assert [suite.get(name) for name in ("tests", "failures", "time")] == [
        "1", failures, one.get("time"),
    ]  # fmt: skip
    assert len(one.findall("failure")) == int(failures)
    return one


def properties(found: verdict.Verdict) -> dict[str, str]:
    """Return the properties of the suite."""
    all_of_them = ElementTree.fromstring(junit.report(found)).iter("property")
    return {one.get("name", ""): one.get("value", "") for one in all_of_them}


STOP = Finding("S4", "rank 2 was suspended", frozenset({2}))
GUESS = STOP._replace(confidence="likely")


@pytest.mark.parametrize(
    ("timed", "finding", "phase", "ranks", "cause"),
    [
        (HUNG, STOP, "barrier", "2", "rank 2 was suspended; timed out after 9.0 s"),
        (HUNG, GUESS, "barrier", "2", "waiting in PMI barrier 1 for rank 2 (PMI put, "),
        (STOPPED, STOP, "run", "2-3", "program ran (8.8 s); rank 3 was suspended by a signal"),
        (PROGRAM, None, "run", "", "program ran (8.8 s); timed out after 9.0 s"),
        (ends.crash(), None, "run", "0", "rank 0 (pid 100) crashed with SIGSEGV at 3.0 s"),
        (ends.program_fails(), None, "run", "", "initial program exited with code 3"),
    ],
)
def test_a_failure_is_one_that_begins_with_the_cause(
    timed: Timed, finding: Finding | None, phase: str, ranks: str, cause: str
) -> None:
    """A program that still ran comes before what else there is to find."""
    found = judged(timed, *filter(None, [finding]))
    (failure,) = case(found).findall("failure")
    assert failure.get("message", "").startswith(cause)
    known = properties(found)
    assert (known["phase"], known.get("culprits", "")) == (phase, ranks)


def test_what_followed_is_told_in_order_of_time() -> None:
    """With the wait that took longest, and who ended well."""
    late: Timed = [
        *blocks.up(4),
        (5, e.Sample("3", [0.0], [1], [1], [1], "T")),
        (9, e.Timeout(9)),
        (9.5, e.Signal("", 15, "--timeout=9s")),
        (9.6, e.State(0, "shutdown", "shutdown", "run", 9.0)),
        *((9.7, e.Exit(rank, 100 + rank, 0, 0, "exit")) for rank in (1, 2)),
        (29.5, e.Timer("fired", -1.0, "--timeout=9s", "0,3")),
        *((29.6, e.Exit(rank, 100 + rank, 137, 9, "timer")) for rank in (0, 3)),
        (29.7, e.End(124)),
    ]
    found = judged(late)
    assert found.summary.then == [
        "at 9.5 s, its state recorded, the instance was told to end",
        "at 9.7 s ranks 1-2 exited with code 0",
        "then for 20.0 s shutting down: waiting for rank 3 (run, suspended by a signal (SIGSTOP))",
        "at 29.6 s ranks 0,3 were killed by the exit timer",
    ]
    where = [(one.ranks, one.where, one.end) for one in found.summary.groups]
    assert where == [
        ("0", "run", "killed by the exit timer in shutdown"),
        ("1-2", "run", "exited with code 0"),
        ("3", "run, suspended", "killed by the exit timer"),
    ]


def test_a_fault_that_was_asked_for_is_said_to_be() -> None:
    """Nobody need look for it."""
    header = HEADER | {"argv": ["fluxstart-tui", "-Sfault.rc1=6:hang", "true"]}
    found = verdict.judge(header, replay(HUNG, 4), lambda _: [], [])
    assert "asked for      by -Sfault.rc1=6:hang on the command line" in (
        case(found).findtext("failure") or ""
    )


def test_success_has_no_failures() -> None:
    """When ranks came to phases is told all the same."""
    told = case(judged(ends.success())).findtext("system-out") or ""
    assert re.search(r"^run +4/4 ranks, 200 ms to ", told, re.MULTILINE)
    assert github.errors(judged(ends.success())) == ""


def test_annotations_are_lines_of_workflow_commands() -> None:
    """What would end a property or the line is escaped."""
    finding = Finding("S4", "100 %\nof rank 2, :stopped", frozenset({2}), remedies=("kill -CONT",))
    told = github.errors(judged(HUNG, finding)).splitlines()
    assert told[0].startswith(
        "::error title=fluxstart-tui%3A 100 %25\\nof rank 2%2C %3Astopped; timed out after 9.0 s"
        "::instance of 4 brokers TIMED OUT, ended after 10.0 s: exit code 124%0Aat 9.5 s, its state"
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
    assert len(root.findall("testsuite/testcase")) == 1
    assert all(line.startswith("::error title=") for line in github.errors(found).splitlines())
    ElementTree.fromstring(junit.unstarted(sentence, sentence))
