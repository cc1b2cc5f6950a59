"""A remedy becomes a command line of this program, if it is a change of what was run."""

from __future__ import annotations

import pytest

from fluxstart_tui import options
from fluxstart_tui.diagnose.launch.remedies import fitting
from fluxstart_tui.report.rerun import rerun

SRUN = ["srun", "-N2"]
FLUX = ["flux", "start"]
EMBEDDED = ["python", "-m", "fluxstart_tui", "--headless", "--broker=embedded"]


def header(
    start: list[str], *words: str, program: tuple[str, ...] = ("sleep", "9")
) -> dict[str, object]:
    argv = ["fluxstart-tui", "--launcher=srun -N2", *words, *program]
    return {
        "argv": argv,
        "command": [*SRUN, *start, *words, *(program or ("sh", "-c", "wait"))],
        "options": {"launcher": SRUN, "command": list(program)},
    }


@pytest.mark.parametrize("start", [FLUX, EMBEDDED])
@pytest.mark.parametrize("program", [("sleep", "9"), ()])
@pytest.mark.parametrize(
    ("remedy", "launcher", "added"),
    [
        ("srun --mpi=pmi2 ...", "srun --mpi=pmi2 -N2", ()),
        ("srun --kill-on-bad-exit ...   # said beside", "srun --kill-on-bad-exit -N2", ()),
        ("FLUX_PMI_DEBUG=1", "env FLUX_PMI_DEBUG=1 srun -N2", ()),
        ("unset PMI_FD", "env -u PMI_FD srun -N2", ()),
        ("flux start -o,-v ...", "srun -N2", ("-o,-v",)),
        ('fluxstart-tui --launcher="CMD -n N" --pmi-tap=bridge', "srun -N2", ("--pmi-tap=bridge",)),
    ],
)
def test_a_changed_command_can_be_tried(
    start: list[str], program: tuple[str, ...], remedy: str, launcher: str, added: tuple[str, ...]
) -> None:
    """The rest of the command line stays, and the program with it."""
    told = header(start, "-Sa=b", program=program)
    command = told["command"]
    assert isinstance(command, list)
    (fit,) = fitting([remedy], "srun", command)
    found = rerun(told, fit, "/s")
    assert found is not None
    expected = [f"--launcher={launcher}", "--compare=/s", *added, "-Sa=b", *program]
    assert found.words == expected
    options.parse("fluxstart-tui", found.words).finish()


@pytest.mark.parametrize(
    "remedy",
    [
        "squeue -s", "flux pmi -v barrier   # under the same launcher", "srun -N2 flux start ...",
        "flux start -o,-Sbroker.quorum=N ...", "", "'", "...",
    ],
)  # fmt: skip
def test_what_is_no_change_or_not_complete_can_not(remedy: str) -> None:
    assert rerun(header(FLUX), remedy, "/s") is None


@pytest.mark.parametrize("told", [{}, {"command": 1, "argv": 2, "options": 3}])
def test_a_session_that_is_none_of_a_launcher_has_no_rerun(told: dict[str, object]) -> None:
    assert rerun(told, "srun --mpi=pmi2 ...", "/s") is None


def test_what_a_rerun_has_others_of_is_dropped() -> None:
    words = ["--record=/r", "--record", "--compare", "/old", "--launcher", "srun -N2", "-v"]
    found = rerun(
        header(FLUX) | {"argv": ["x", *words, "sleep", "9"]}, "flux start -o,-v ...", "/s"
    )
    assert found is not None
    assert found.words == ["--launcher=srun -N2", "--compare=/s", "-o,-v", "-v", "sleep", "9"]
