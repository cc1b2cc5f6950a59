"""Brokers under other launchers: Hydra (PyPI: mpich) where it is on PATH, Slurm where it runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.broker.instance import PATIENCE
from tests.real_launchers import hydra, slurm

if TYPE_CHECKING:
    from pathlib import Path

EMBEDDED = [sys.executable, "-m", "fluxstart_tui", "--broker=embedded"]


def launch(folder: Path, major: int, size: int, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `fluxstart-tui` under a Hydra and nothing else in the environment."""
    env = {"PATH": os.defpath, "HOME": str(folder), "TMPDIR": str(folder), "SHELL": "/bin/sh"}
    return subprocess.run(
        [*hydra(major), "-prepend-rank", "-n", str(size), *EMBEDDED, *words],
        env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip


def test_one_instance_with_a_rundir_for_each_broker(tmp_path: Path) -> None:
    script = 'echo "$FLUX_URI"; ls -d "$TMPDIR"/flux-*/local-*'
    done = launch(tmp_path, 4, 4, "-o,-v", "sh", "-c", script)
    assert done.returncode == 0, done.stderr
    uri, *sockets = done.stdout.splitlines()
    assert re.fullmatch(rf"\[0\] local://{tmp_path}/flux-\w{{6}}/local-0", uri)
    assert sorted(path.rpartition("/")[2] for path in sockets) == [f"local-{n}" for n in range(4)]
    assert len({path.rpartition("/")[0] for path in sockets}) == 4
    for rank in range(4):
        assert f"[{rank}] <6>broker.info[{rank}]: quorum-full: quorum->run" in done.stderr
    assert "(ranks 0-3)" in done.stderr
    assert not list(tmp_path.glob("flux-*"))


def test_hydra_5_speaks_a_version_that_flux_does_not(tmp_path: Path) -> None:
    done = launch(tmp_path, 5, 2, "-o,-v", "true")
    assert done.returncode != 0
    failed = r"\[\d\] <2>broker\.crit\[.*\]: bootstrap: simple: initialize: operation failed"
    assert re.search(failed, done.stderr)


@pytest.mark.real_slurm
def test_slurm_makes_one_instance(tmp_path: Path) -> None:
    env = dict(os.environ) | {"TMPDIR": str(tmp_path), "SHELL": "/bin/sh"}
    done = subprocess.run(
        [*slurm(), "-n4", "--mpi=pmi2", "--label", *EMBEDDED, "-o,-v", "echo", "hi"],
        env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "0: hi\n"), done.stderr
    assert "(ranks 0-3)" in done.stderr
    for rank in range(4):
        assert f"{rank}: <6>broker.info[{rank}]: quorum-full: quorum->run" in done.stderr
    assert not list(tmp_path.glob("flux-*"))
