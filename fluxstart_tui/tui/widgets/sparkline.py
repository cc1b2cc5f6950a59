"""Sparklines: a few of the last values of each rank as bars of an eighth of a cell."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from fluxstart_tui.session import events
from fluxstart_tui.session.state import ranks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fluxstart_tui.tui.model import Model

_BARS = " ▁▂▃▄▅▆▇█"
_KEPT = 60
_SAMPLES = 64


def bars(values: Sequence[float], width: int, top: float = 100.0) -> str:
    """Return the last `width` values as bars, right-aligned.

    Args:
        values: what is drawn, oldest first.
        width: cells.
        top: the value of a whole cell; more than that is shown as that. Anything above nought
            is seen.
    """
    text = "".join(
        _BARS[min(8, max(1, round(value / top * 8)))] if value > 0.05 else _BARS[1]
        for value in values[-width:]
    )
    return text.rjust(width)


class History:
    """The last CPU samples of the ranks that somebody looks at.

    Args:
        model: the session.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._seen = 0
        self._reached = -1.0
        self._samples: deque[tuple[float, events.Sample]] = deque(maxlen=_SAMPLES)
        self._places: dict[str, dict[int, int]] = {}

    def update(self) -> None:
        """Take new samples."""
        now, model = self._model.now, self._model
        if model.replay is not None and now < self._reached:
            self._seen = 0
            self._samples.clear()
        self._reached = now
        timed = model.events
        while self._seen < len(timed):
            t, event = timed[self._seen]
            if model.replay is not None and t > now:
                break
            if type(event) is events.Sample:
                self._samples.append((t, event))
            self._seen += 1

    def cpu(self, rank: int) -> list[float]:
        """Return the last CPU samples of a rank, oldest first."""
        found = []
        for _, sample in self._samples:
            at = self._place(sample.ranks).get(rank)
            if at is not None and at < len(sample.cpu):
                found.append(sample.cpu[at])
        return found[-_KEPT:]

    def _place(self, text: str) -> dict[int, int]:
        """Return at which place of a sample's lists a rank is; the sets seldom change."""
        if text not in self._places:
            if len(self._places) > 2 * _SAMPLES:
                self._places.clear()
            self._places[text] = {rank: at for at, rank in enumerate(sorted(ranks_of(text)))}
        return self._places[text]
