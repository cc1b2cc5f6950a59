"""One target under atheris: `python -m tests.fuzz.guided TARGET [LIBFUZZER-OPTION...] [CORPUS]`."""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-untyped] # of those who fuzz

with atheris.instrument_imports(include=["fluxstart_tui"]):
    from tests.fuzz import targets

name = sys.argv.pop(1)
atheris.Setup(sys.argv, targets.ALL[name].feed)
atheris.Fuzz()
