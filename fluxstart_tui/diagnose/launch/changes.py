"""What has become a finding since the last look, and which finding is none any more."""

from __future__ import annotations

from fluxstart_tui.rfc import idset
from fluxstart_tui.session import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fluxstart_tui.diagnose.launch.finding import Finding
    from fluxstart_tui.session.events import Event


class Changes:
    """Compares findings with those of the look before.

    Args:
        found: told of each new finding.
    """

    def __init__(self, found: Callable[[Finding], None] = lambda _: None) -> None:
        self._found = found
        self.known: dict[tuple[str, frozenset[int]], str] = {}
        """Sentences of the findings that hold, by id and ranks."""

    def since(self, findings: Sequence[Finding]) -> list[Event]:
        """Return what is new in these findings, and what they lack, as events."""
        news: list[Event] = []
        now = {(one.id, one.ranks): one for one in findings}
        for key, one in now.items():
            if self.known.get(key) != one.sentence:
                if key not in self.known:
                    self._found(one)
                self.known[key] = one.sentence
                news.append(events.Finding(one.id, idset.encode(one.ranks), one.sentence))
        for key in [key for key in self.known if key not in now]:
            sentence = self.known.pop(key)
            news.append(events.Finding(key[0], idset.encode(key[1]), sentence, over=True))
        return news
