"""What to do about a rank that has ended: commands that tell more of its end than is known."""

from __future__ import annotations

import pytest

from fluxstart_tui.diagnose.launch.why import why
from fluxstart_tui.session import events
from tests.diagnose.launch.logs import boot, findings, join, labelled, launch, put, quorum, steps

DEBUG = "<7>broker.debug[1]: insmod x"


@pytest.mark.parametrize(
    ("end", "command"),
    [
        (events.Exit(1, 77, 137, 9, "sender"), "dmesg -T"),
        (events.Exit(1, 77, 139, 11, "crash"), "ulimit -c unlimited"),
        (events.Exit(1, 77, 3, 0, "exit"), "flux start --wrap=strace"),
    ],
)
def test_each_kind_of_end_has_its_command(end: events.Exit, command: str) -> None:
    made = launch(labelled(1, [DEBUG, *put(1, 2)]), ended=False)
    made.died(end, 1.0)
    (told,) = why(made, 1)
    assert told.startswith(command)
    made.source = "a log"
    own, _ = why(made, 1)
    assert own == "grep -nE '(^|[] >])1: ' 'a log'   # all that rank 1 has said"
    made.session = "/s"
    assert why(made, 1)[0].startswith("fluxstart-tui --replay=/s ")


def test_more_lines_and_labels_are_asked_for_only_if_they_are_not_there() -> None:
    made = launch(put(1, 2), ended=False)
    made.died(events.Exit(1, 77, 137, 9, "sender"), 1.0)
    told = why(made, 1)
    assert "mpiexec.hydra -prepend-rank ..." in told
    assert any(one.startswith("flux start -o,-v,-Slog-stderr-level=7 ...") for one in told)


def test_nothing_is_asked_for_that_is_known() -> None:
    made = launch(labelled(1, put(1, 2)), ended=False)
    made.died(events.Exit(1, 77, 137, 9, "user", "start.kill"), 1.0)
    assert why(made, 1) == ()
    found = findings(labelled(0, put(0, 2)), ["1: sh: 1: flux: not found"],
                     ["srun: error: n1: task 1: Exited with exit code 127"])  # fmt: skip
    assert found["F1"].remedies
    assert [one.partition(" -")[0] for one in found["S1"].remedies] == ["srun"]


def test_the_last_words_are_the_reason() -> None:
    words = ["flux-broker: fault.put: unknown attribute"]
    found = findings(labelled(0, put(0, 2)), labelled(1, [*boot(1, 2), *words]),
                     ["srun: error: n1: task 1: Exited with exit code 1"])  # fmt: skip
    assert found["S1"].sentence.startswith(
        'rank 1 (node1) is gone, it exited with code 1 with the last words "flux-broker: fault.put:'
    )


def test_what_a_program_prints_are_no_last_words() -> None:
    up = [*quorum(0, 2), *steps(0, "quorum-full: quorum->run"), "a word of the program"]
    made = launch(labelled(0, up), labelled(1, join(1, 2)))
    assert made.rank(0).word is None


def test_gforker_that_ends_the_rest_is_no_interrupt() -> None:
    """Its brokers get SIGINT when one of them was killed, as they do when somebody presses ^C."""
    up = [*labelled(0, quorum(0, 2)), *labelled(0, steps(0, "quorum-full: quorum->run"))]
    up = [line.replace("0: ", "0(err)>", 1) for line in up]
    stop = ["0(err)><6>broker.info[0]: signal 2"]
    assert set(findings(up, stop)) == {"I1"}
    ends = ["[0]0:Return code = 129", "[0]1:Return code = 0, signaled with Killed"]
    found = findings(up, stop, ends)
    assert set(found) == {"X1"}
    assert found["X1"].sentence.startswith("rank 1 (")
    interrupted = ["[0]1:Return code = 0, signaled with Interrupt"]
    assert set(findings(up, stop, interrupted)) == {"I1"}
