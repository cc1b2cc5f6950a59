"""How far an instance has come, told while it goes on: a line per phase, or one that changes."""

from __future__ import annotations

from fluxstart_tui.diagnose import progress
from fluxstart_tui.diagnose.doing import sentence
from fluxstart_tui.diagnose.words import ids, printable
from fluxstart_tui.session import state as states
from fluxstart_tui.session import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from fluxstart_tui.diagnose.progress import Phase
    from fluxstart_tui.session.events import Event

_FIRST, _LONGEST = 1.0, 60.0
"""Seconds without a line after which it is told what the instance waits for; doubled each time."""


class Progress:
    """Follows an instance by its events.

    Args:
        prog: what each line begins with.
        header: what the instance's session begins with.
    """

    def __init__(self, prog: str, header: Mapping[str, Any]) -> None:
        self._prog = prog
        self._state = states.initial(header)
        topology = header.get("topology")
        self._topology = topology if isinstance(topology, str) else None
        self._news = False
        self._told: set[str] = set()
        self._last = 0.0
        self._pause = _FIRST

    def take(self, timed: Iterable[tuple[float, Event]]) -> None:
        """Take what has happened."""
        self._state = states.advance(self._state, timed)
        self._news = True

    def lines(self, now: float) -> list[str]:
        """Return what is new for a log: each phase that is complete, or what lasts so long.

        Args:
            now: seconds since the session's begin.
        """
        found = list(self._completed(now)) if self._news else []
        self._news = False
        if found:
            self._last, self._pause = now, _FIRST
        elif now - self._last >= self._pause and self._state.end is None:
            self._last, self._pause = now, min(_LONGEST, 2 * self._pause)
            found = [self._line(now, self._waiting(now, self._current()))]
        return found

    def status(self, now: float) -> str:
        """Return a line for a terminal, "" while the initial program has it."""
        current = self._current()
        if current is None or (current.name == "run" and current.entered):
            return ""
        return self._line(now, self._waiting(now, current))

    def _completed(self, now: float) -> Iterator[str]:
        phases = progress.phases(self._state)
        for phase, following in zip(phases, [*phases[1:], None], strict=True):
            # Of a phase that lasts, all are through when the last one has come to the next.
            over = following if phase.lasts else phase
            if phase.complete and phase.name not in self._told:
                self._told.add(phase.name)
                t = over.last if over is not None and over.last is not None else now
                yield self._line(t, f"{phase.name} {phase.k}/{phase.total}")

    def _current(self) -> Phase | None:
        phases = progress.phases(self._state)
        at = progress.current(phases, ended=self._state.end is not None)
        return phases[at] if at >= 0 else None

    def _waiting(self, now: float, phase: Phase | None) -> str:
        parent = tree.parents(
            self._topology or self._state.attributes.get("tbon.topo"), self._state.size
        )
        doing = sentence(self._state, now, parent)
        if phase is None or (phase.name == "run" and phase.entered):
            return doing
        missing = f" (not {ids(phase.missing)})" if phase.missing else ""
        return f"{phase.name} {phase.k}/{phase.total}{missing}: {doing}"

    def _line(self, t: float, text: str) -> str:
        return f"{self._prog}: [{t:8.3f} s] {printable(text, 400)}"
