"""What signals are called."""

from __future__ import annotations

import signal


def signame(signum: int) -> str:
    """Return a signal's name, `signal 35` for one that has none, as most real-time ones."""
    try:
        return signal.Signals(signum).name
    except ValueError:
        return f"signal {signum}"
