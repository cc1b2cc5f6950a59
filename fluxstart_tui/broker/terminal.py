"""The terminal on stdin, if there is one (flux-core: broker/runat.c)."""

from __future__ import annotations

import os


class Terminal:
    """Lent to the initial program, and taken back."""

    def __init__(self) -> None:
        self._modes: list[int | list[bytes | int]] | None = None
        if os.isatty(0):
            import termios

            self._modes = termios.tcgetattr(0)

    def give(self, group: int) -> bool:
        """Make `group` the foreground process group if ours is; return whether it was."""
        if self._modes is None or os.tcgetpgrp(0) != os.getpgrp():
            return False
        os.tcsetpgrp(0, group)
        return True

    def take_back(self) -> None:
        """Make our process group the foreground one, and the modes what they were."""
        import termios

        assert self._modes is not None
        os.tcsetpgrp(0, os.getpgrp())
        try:
            termios.tcsetattr(0, termios.TCSAFLUSH, self._modes)
        except termios.error as error:
            raise OSError(*error.args) from None
