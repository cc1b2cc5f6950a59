"""What ends a broker before its time."""

from __future__ import annotations

import errno

_TYPES = {
    dict: "object",
    list: "array",
    str: "string",
    int: "integer",
    float: "real",
    bool: "true or false",
}


def mismatch(kind: type, value: object) -> str:
    """Say in jansson's words that a setting is of the wrong type."""
    got = str(value).lower() if isinstance(value, bool) else _TYPES.get(type(value), "object")
    return f"Expected {_TYPES[kind]}, got {got}"


class UsageError(Exception):
    """The command line cannot be followed; told on stderr before there is a log."""


class StartError(Exception):
    """The broker cannot start; logged as critical, and the program exits with 1."""


class BuiltinsError(Exception):
    """A built-in service cannot start: the broker unloads the others and exits with 1."""

    def __init__(self, text: str, app: str = "overlay", *, errnum: int = errno.EINVAL) -> None:
        super().__init__(text)
        self.app = app
        """Name of the service as the log has it."""
        self.errnum = errnum
        """What it leaves behind, logged once the others have been unloaded."""
