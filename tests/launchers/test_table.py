"""Launchers are known by their command lines."""

from __future__ import annotations

import shlex

import pytest

from fluxstart_tui.launchers import table
from fluxstart_tui.launchers.labels import GRAMMARS


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("srun -n4 flux start", "srun"),
        ("/usr/bin/srun flux start", "srun"),
        ("FLUX_PMI_DEBUG=1 srun flux start", "srun"),
        ("env -u A B=1 timeout -s KILL 30 nice -n 5 srun flux start", "srun"),
        ("salloc -N2 -n2 srun flux start", "srun"),
        ("mpiexec.hydra -n 2 flux start", "hydra"),
        ("mpiexec -n 2 flux start", "hydra"),
        ("mpiexec.gforker -n 2 flux start", "gforker"),
        ("mpirun.openmpi -n 2 flux start", "ompi4"),
        ("prterun -n 2 flux start", "ompi5"),
        ("flux run -n 2 flux start", "flux"),
        ("aprun -n 2 flux start", "pals"),
        ("jsrun -n 2 flux start", "jsrun"),
        ("lrun -n 2 flux start", "jsrun"),
    ],
)
def test_the_program_tells(command: str, name: str) -> None:
    found = table.recognise(shlex.split(command))
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("HYDRA build details:\n    Version: 4.2.3", "hydra"),
        ("Intel(R) MPI Library for Linux* OS, Version 2021.18", "impi"),
        ("mpirun (Open MPI) 4.1.4", "ompi4"),
        ("mpirun (Open MPI) 5.0.11", "ompi5"),
        ("PALS 1.3", "pals"),
    ],
)
def test_the_version_tells_where_names_are_shared(version: str, name: str) -> None:
    found = table.recognise(["mpiexec", "-n", "2"], version)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("command", ["", "flux start", "ls", "A=1", "env", "timeout 5", "salloc"])
def test_what_is_no_launcher(command: str) -> None:
    assert table.recognise(shlex.split(command)) is None


@pytest.mark.parametrize(
    ("command", "tasks"),
    [
        ("srun -n 4 flux start", 4),
        ("srun -N2 -n12 flux start", 12),
        ("srun --ntasks=7 flux start -s 9", 7),
        ("mpiexec -np 3 flux start", 3),
        ("salloc -N2 -n2 flux start", 2),
        ("srun flux start", None),
        ("srun -n x flux start", None),
        ("flux start -n 4", None),
    ],
)
def test_how_many_tasks_are_asked_for(command: str, tasks: int | None) -> None:
    assert table.asked(shlex.split(command)) == tasks


def test_rows_are_whole() -> None:
    for launcher in table.TABLE:
        assert launcher.grammar in {"", *GRAMMARS}
        assert launcher.exit_rule in {"highest", "or", "first"}
        assert launcher.stop[0] != "KILL"
        assert launcher.stop[-1] == "KILL"
        assert launcher.rank_env
        assert launcher.counts
