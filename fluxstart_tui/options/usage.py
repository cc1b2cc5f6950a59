"""The text of `--help`."""

from __future__ import annotations

import os

from fluxstart_tui.options.numbers import c_int
from fluxstart_tui.options.table import GROUPS, NONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.options.table import Option


def usage(prog: str) -> str:
    """Return the text of `--help`, wrapped to COLUMNS (80 where it is unset)."""
    columns = c_int(os.environ.get("COLUMNS", "")) or 80
    width = max(columns, 60) - 32
    lines = [f"Usage: {prog} [OPTIONS] command ..."]
    for title, options in GROUPS:
        if title:
            lines.append(f"\n{title}:")
        for option in options:
            lines.extend(_describe(option, width))
    return "\n".join(lines) + "\n"


def _describe(option: Option, width: int) -> Iterator[str]:
    head = f"  -{option.key}, " if option.key else "      "
    head += f"--{option.name}" + (f"={option.arginfo}" if option.arg != NONE else "")
    if len(head) > 31:
        yield head
        head = ""
    for line in _wrap(option.usage, width):
        yield f"{head:<32}{line}"
        head = ""


def _wrap(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line
