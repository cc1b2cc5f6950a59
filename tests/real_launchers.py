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


def hydra(major: int) -> list[str]:
    """Return words that launch on this host by a Hydra (PyPI: mpich) of that version, or skip."""
    found = _hydras()
    if major not in found:
        pytest.skip(f"there is no mpiexec.hydra {major} on PATH")
    return [found[major], "-launcher", "fork", "-hosts", "localhost", "-iface", "lo"]
