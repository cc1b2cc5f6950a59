"""Real launches: each is diagnosed rightly, afterwards and while it goes on."""

from __future__ import annotations

import itertools

import pytest

from fluxstart_tui.diagnose.launch.finding import PATIENCE
from fluxstart_tui.diagnose.launch.rules import diagnose
from tests.diagnose import captures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.diagnose.captures import Capture

DEVELOPED = [one for one in captures.ALL if not one.kept_out]
KEPT_OUT = [one for one in captures.ALL if one.kept_out]
HEALTHY = [one for one in captures.ALL if one.expected == "OK"]
STALLS = {"S0", "S1", "S2", "S3", "S4", "R2", "R3", "Q1", "Q2", "N0"}
TICK = 0.25
WITHIN = 3.0
"""Seconds in which a stall has to be named once it can be told."""


@pytest.mark.parametrize("capture", DEVELOPED, ids=lambda one: one.name)
def test_its_findings_are_right(capture: Capture) -> None:
    found = capture.findings()
    assert capture.right({one.id for one in found}), [(one.id, one.sentence) for one in found]


@pytest.mark.parametrize(
    ("rows", "what"), [(DEVELOPED, "rules were made with"), (KEPT_OUT, "kept out")]
)
def test_score(rows: list[Capture], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    for timed, command in itertools.product((True, False), repeat=2):
        wrong = []
        for one in rows:
            found = {finding.id for finding in one.findings(timed=timed, command=command)}
            if not one.right(found):
                wrong.append(f"{one.name}: {one.expected}, found {sorted(found)}")
        right = len(rows) - len(wrong)
        known = (
            f"{'with' if timed else 'without'} times, {'with' if command else 'without'} command"
        )
        with capsys.disabled():
            print(f"\ncaptures {what}, {known}: {right}/{len(rows)} right", *wrong, sep="\n  ")
        assert right >= 0.95 * len(rows)


def replay(capture: Capture) -> list[tuple[float, set[str]]]:
    """Return what is found when, by lines and by a clock, until somebody stops the launch."""
    launch = capture.launch()
    found: list[tuple[float, set[str]]] = []
    clock = 0.0
    for t, text in capture.lines():
        while clock < t:
            found.append((clock, {one.id for one in diagnose(launch, clock)}))
            clock += TICK
        launch.feed(text, t)
        if launch.stopped is not None:
            break
        found.append((t, {one.id for one in diagnose(launch, t)}))
    return found


@pytest.mark.parametrize("capture", HEALTHY, ids=lambda one: one.name)
def test_a_healthy_launch_has_no_finding_at_any_time(capture: Capture) -> None:
    assert [(t, ids) for t, ids in replay(capture) if ids] == []


def decidable(capture: Capture) -> float:
    """Return when a stall can be told: some time after the last rank got any further."""
    launch = capture.launch()
    progress = 0.0
    for t, text in capture.lines():
        launch.feed(text, t)
        if launch.stopped is not None:
            break
        progress = launch.progress or 0.0
    return progress + (2 * PATIENCE if "R2" in capture.expected else PATIENCE)


LONG = [
    one
    for one in DEVELOPED
    if STALLS & set(one.expected.split())
    and decidable(one) + WITHIN < max(t for t, _ in one.lines())
]
"""Stalls that lasted long enough to be told before somebody stopped them."""


@pytest.mark.parametrize("capture", LONG, ids=lambda one: one.name)
def test_a_stall_is_named_in_time(capture: Capture) -> None:
    stalls = STALLS & set(capture.expected.split())
    found = replay(capture)
    limit = decidable(capture) + WITHIN
    assert any(stalls <= ids for t, ids in found if t <= limit)
    assert all(stalls <= ids for t, ids in found if t > limit)


def test_a_program_that_is_silent_for_long_is_no_hang() -> None:
    capture = next(one for one in captures.ALL if one.name == "slurm-initprog-hang")
    launch = capture.launch()
    for t, text in capture.lines():
        if "forcing job termination" in text:
            break
        launch.feed(text, t)
    assert [diagnose(launch, now) for now in (10.0, 3600.0, 86400.0)] == [[], [], []]
