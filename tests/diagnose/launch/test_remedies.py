"""Remedies are commands that can be run: the user's own, changed."""

from __future__ import annotations

import shlex

import pytest

from fluxstart_tui.diagnose.launch.remedies import applied, fitting

SRUN = "srun -N2 --mpi=none --label flux start -o,-v echo 'a b'"


@pytest.mark.parametrize(
    ("remedy", "command", "changed"),
    [
        ("srun --mpi=pmi2 ...", SRUN, "srun --mpi=pmi2 -N2 --label flux start -o,-v echo 'a b'"),
        ("srun --overlap ...", SRUN, SRUN.replace("srun", "srun --overlap")),
        ("A=1", SRUN, f"A=1 {SRUN}"),
        ("A='x y'   # note", f"A=2 {SRUN}", f"A='x y' {SRUN}"),
        ("unset A B", f"A=2 {SRUN}", f"env -u B A=2 {SRUN}".replace("A=2 ", "")),
        ("unset A", f"A=2 {SRUN}", SRUN),
        ("flux start -o,-Sx=1 ...", "srun /opt/flux start", "srun /opt/flux start -o,-Sx=1"),
        ("srun --mpi=pmi2 ...   # note", "srun flux start",
         "srun --mpi=pmi2 flux start   # note"),
    ],
)  # fmt: skip
def test_the_command_is_changed(remedy: str, command: str, changed: str) -> None:
    assert applied(remedy, shlex.split(command)) == changed


@pytest.mark.parametrize(
    "remedy", ["ip -br addr", "flux overlay status", "srun --mpi=list", "flux start ... true", "'"]
)
def test_what_is_no_change_of_it_stays(remedy: str) -> None:
    assert applied(remedy, shlex.split(SRUN)) is None
    assert fitting([remedy], "srun", shlex.split(SRUN)) == (remedy,)


@pytest.mark.parametrize(
    "remedy",
    ["flux start -o,-v ...", "srun --label --mpi=none ...", "A=1", "flux start -o-v,-Sx=1 ..."],
)
def test_what_the_command_has_already_is_no_remedy(remedy: str) -> None:
    assert fitting([remedy], "srun", shlex.split(f"A=1 {SRUN} -o,-Sx=1")) == ()


def test_where_there_is_no_launcher_nothing_needs_one() -> None:
    told = ["flux dmesg", "flux pmi barrier   # under the same launcher"]
    assert fitting(told, "flux start", ()) == ("flux dmesg",)


def test_a_broker_of_ours_takes_options_where_flux_start_does() -> None:
    ours = "srun -n2 python -m fluxstart_tui --headless --broker=embedded -Sa=b true"
    changed = ours.replace("embedded", "embedded --wrap=x")
    assert applied("flux start --wrap=x ...", shlex.split(ours)) == changed


def test_without_a_command_nothing_is_changed() -> None:
    assert fitting(["srun --mpi=pmi2 ..."], "srun", ()) == ("srun --mpi=pmi2 ...",)


def test_remedies_for_other_launchers_are_left_out() -> None:
    all_of_them = ["srun --mpi=list", "mpirun --oversubscribe ...", "flux dmesg"]
    assert fitting(all_of_them, "ompi5", ()) == ("mpirun --oversubscribe ...", "flux dmesg")
    assert fitting(all_of_them, "", ()) == tuple(all_of_them)
