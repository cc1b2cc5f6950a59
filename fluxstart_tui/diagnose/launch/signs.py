"""How a line is searched for the signatures of signs_flux.py and signs_launcher.py."""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Sign(NamedTuple):
    """A line that says by itself what is wrong."""

    id: str
    pattern: str
    """Regular expression of the whole line, or of a log line's text, from its beginning."""
    says: str
    """The finding in one sentence; {ranks} is `rank 1` and {0}, {1} are the pattern's groups."""
    remedies: tuple[str, ...] = ()
    tip: str = ""
    """What flux-start(1) says of it: number of a tip, SG single node instance, HW hardware."""
    ends: bool = False
    """The launcher ended the launch itself: nobody waits in vain."""


class Signs:
    """A table of signatures, searched in one pass."""

    def __init__(self, table: Sequence[Sign]) -> None:
        self.by_id = {sign.id: sign for sign in table}
        """The signs by their id."""
        self._pattern = re.compile(
            "|".join(f"(?P<{sign.id}>{sign.pattern})" for sign in table), re.DOTALL
        )
        names = sorted(self._pattern.groupindex.items(), key=lambda item: item[1])
        ends = [index for _, index in names[1:]] + [self._pattern.groups + 1]
        self._spans = {
            name: (index, end - 1) for (name, index), end in zip(names, ends, strict=True)
        }

    def find(self, text: str) -> tuple[Sign, tuple[str, ...]] | None:
        """Return the signature that a text bears and its groups, None if it bears none."""
        found = self._pattern.match(text)
        if found is None or found.lastgroup is None:
            return None
        first, last = self._spans[found.lastgroup]
        groups = tuple(group for group in found.groups()[first:last] if group is not None)
        return self.by_id[found.lastgroup], groups
