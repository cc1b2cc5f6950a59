"""Label the output of 4 ranks that print 100 MB of 80-byte lines each: ours against Hydra.

Needs `mpiexec.hydra` (PyPI: mpich) on PATH. Target: at least 2.5 times its bytes per second.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench import pairs

PRINTER = f"""#!{sys.executable} -IS
import os
block = (b"x" * 79 + b"\\n") * 12500
for _ in range(100):
    view = memoryview(block)
    while view:
        view = view[os.write(1, view):]
"""


def main() -> None:
    """Measure both in turns."""
    hydra = shutil.which("mpiexec.hydra")
    if hydra is None:
        sys.exit("there is no mpiexec.hydra on PATH")
    with tempfile.TemporaryDirectory() as directory:
        printer = Path(directory) / "printer"
        printer.write_text(PRINTER)
        printer.chmod(0o755)
        ours = [*pairs.program(), "--headless", "-l", "-s4", f"--broker={printer}"]
        peer = [hydra, "-launcher", "fork", "-hosts", "localhost", "-iface", "lo"]
        peer += ["-prepend-rank", "-n", "4", str(printer)]
        ratio = pairs.compare("labels, 400 MB", ours, peer, 5)
        print(f"labels: {1 / ratio:.1f} times the bytes per second of mpiexec.hydra -prepend-rank")


if __name__ == "__main__":
    main()
