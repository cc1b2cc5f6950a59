"""Feed a target with files: `python -m tests.fuzz.one TARGET FILE...`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.fuzz.targets import ALL

for path in sys.argv[2:]:
    ALL[sys.argv[1]].feed(Path(path).read_bytes())
