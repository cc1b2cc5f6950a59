"""The command of a launch: what is added to the user's, and what is left out."""

from __future__ import annotations

import shlex

import pytest

from fluxstart_tui.launchers.assemble import Assembly, assemble


def assembled(launcher: str, *, raw: bool = False, tap: tuple[str, ...] = ()) -> Assembly:
    return assemble(
        shlex.split(launcher), ["flux", "start"], ["-o,-Sa=b"], ["true"], tag="local:///x/start",
        raw=raw, tap=tap,
    )  # fmt: skip


def test_the_exchange_before_it_is_launched_alike() -> None:
    one = assembled("srun -n2", tap=("tap",))
    assert one.argv[: len(one.before)] == one.before
    assert one.before[:4] == ["srun", "--label", "-n2", "tap"]
    assert one.argv[len(one.before) :][:2] == ["flux", "start"]
    assert one.command == ["srun", "-n2", "flux", "start", "-o,-Sa=b", "true"]


@pytest.mark.parametrize("raw", [False, True])
def test_variables_before_the_launcher_are_a_shell_s(raw: bool) -> None:
    one = assembled("A=1 B=2 srun -n2", raw=raw)
    assert one.argv[:4] == ["env", "A=1", "B=2", "srun"]
    assert one.launcher is not None


def test_raw_adds_nothing() -> None:
    one = assembled("srun --pty -n2", raw=True)
    assert one.argv == ["srun", "--pty", "-n2", "flux", "start", "-o,-Sa=b", "true"]
    assert one.before == ["srun", "--pty", "-n2"]
    assert one.notes == []


def test_what_hides_ranks_is_left_out_and_told() -> None:
    one = assembled("srun --pty -n2")
    assert "--pty" not in [*one.argv, *one.command]
    assert len(one.notes) == 1
