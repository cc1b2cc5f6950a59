"""The program `flux-broker`, embedded: run by its path, with neither site nor PYTHONPATH."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal

_CORE_DUMPING = (
    signal.SIGSEGV,
    signal.SIGFPE,
    signal.SIGILL,
    signal.SIGABRT,
    signal.SIGSYS,
    signal.SIGTRAP,
    signal.SIGXCPU,
    signal.SIGXFSZ,
)


def main() -> int:
    """Be a broker and return its exit code."""
    # Signals wait until there is somebody to take them; those we never take stay blocked, so that
    # neither ^Z nor the terminal's modes can stop us (flux-core: broker.c).
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals().difference(_CORE_DUMPING))
    # What the imports make stays: to look for garbage in it takes a millisecond.
    gc.disable()
    from fluxstart_tui import process
    from fluxstart_tui.broker import faults
    from fluxstart_tui.broker.broker import Broker
    from fluxstart_tui.broker.commandline import USAGE, CommandLine
    from fluxstart_tui.broker.errors import UsageError

    gc.freeze()
    gc.enable()
    process.secure_descriptors()
    try:
        command = CommandLine(sys.argv[1:])
        if command.help:
            os.write(2, (USAGE + faults.USAGE).encode())
            return 0
        broker = Broker(command, process.environment())
    except UsageError as error:
        os.write(2, f"flux-broker: {error}\n".encode(errors="surrogateescape"))
        return 1
    return broker.run()


if __name__ == "__main__":
    # -I leaves the directory of the program out of the path.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    # What an orderly end of the interpreter would release is released by the kernel, sooner.
    os._exit(main())
