"""What README and docs show: their fenced blocks, and the commands in these."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tests import support

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = (support.ROOT / "README.md", *sorted((support.ROOT / "docs").glob("*.md")))
SHOWN = ("json", "text", "toml")
"""Languages of blocks that hold no commands."""

_FENCE = re.compile(r"^```(?P<head>.*)\n(?P<body>(?:.*\n)*?)```$", re.MULTILINE)


class Step(NamedTuple):
    """A command, and what it is said to print."""

    command: str
    shown: tuple[str, ...] = ()
    """Pieces of the output in their order; `...` is between them."""


class Block(NamedTuple):
    """A block of commands that are run one after the other."""

    place: str
    """File and line."""
    steps: tuple[Step, ...]
    codes: frozenset[int]
    """Exit codes of which each command has one; `exit=0,1` behind the language names them."""


def blocks() -> Iterator[Block]:
    """Yield the blocks with commands of all files: sh, console, and what yaml has CI run.

    Raises:
        ValueError: a block is of no language that is known here.
    """
    for file in FILES:
        text = file.read_text()
        for fence in _FENCE.finditer(text):
            language, _, told = fence["head"].partition(" exit=")
            steps = tuple(_steps(language, fence["body"]))
            if steps:
                line = text.count("\n", 0, fence.start()) + 1
                codes = frozenset(map(int, told.split(","))) if told else frozenset({0})
                yield Block(f"{file.relative_to(support.ROOT)}:{line}", steps, codes)


def _steps(language: str, body: str) -> Iterator[Step]:
    if language == "sh":
        yield from (Step(line.partition("  # ")[0].rstrip()) for line in body.splitlines())
    elif language == "yaml":
        yield from map(Step, re.findall(r"^- run: (.*)$", body, flags=re.MULTILINE))
    elif language == "console":
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            pieces = re.split(r"\.\.\.\n", output)
            yield Step(command, tuple(piece for piece in pieces if piece.strip()))
    elif language not in SHOWN:
        raise ValueError(f"a block of {language!r}")
