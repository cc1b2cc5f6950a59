"""A PMI exchange under the launcher, without brokers: whether PMI works, and if not why.

Read is what `flux pmi -v exchange` prints, or tap/exchange.py in its place.
"""

from __future__ import annotations

import re

from fluxstart_tui.diagnose.launch import signs_flux, text
from fluxstart_tui.diagnose.launch.live import Live, Watch
from fluxstart_tui.diagnose.launch.state import Line, Stage

_STEP = re.compile(r"(?:flux-pmi-client|config|simple|libpmi2?|pmix|single): ")
_FAILED = re.compile(
    r"(?P<method>[\w-]+): (?P<step>initialize|put|get|barrier)\b(?: key=\D*(?P<key>\d+))?.*"
    r": (?P<how>[^:]*)(?<!success)$"
)
_LOGGED = {
    "initialize": "bootstrap: {method}: initialize: {how}",
    "put": "bootstrap.iam: {method}: put {key}: {how}",
    "get": "bootstrap.whois: error fetching bizcard for rank {key}: {method}: get {key}: {how}",
    "barrier": "bootstrap.barrier: {method}: barrier: {how}",
}
"""What a broker's log says when a step of its bootstrap fails, for the signatures of that."""
_SAID = re.compile(rf"{_STEP.pattern}|flux-pmi: |fluxstart-tui: |\d+: completed pmi exchange ")
_ANSWER = "flux-pmi: the launcher's answer: "


class Exchange(Live):
    """A launch that does an exchange and no more."""

    def take(self, rank: int | None, text_: str, t: float | None = None) -> None:
        """Take a line without its label (launch.Launch)."""
        if not _STEP.match(text_):
            super().take(rank, text_, t)
            if rank is not None and text_.startswith(_ANSWER):
                self.rank(rank).errors.append(Line(self.lines, t, rank, text_))
            return
        super().take(rank, f"bootstrap: {text_}", t)
        told = text.INITIALIZED.match(text_.partition(": ")[2])
        if rank is None:
            rank = int(told[1]) if told is not None else None
        if rank is None:
            return
        line = Line(self.lines, t, rank, text_)
        if told is not None:
            # Nothing but barriers keeps it from now on, whether it puts before the first or not.
            self.reach(self.rank(rank), Stage.PUT, line)
        elif failed := _FAILED.match(text_):
            found = signs_flux.FATAL.find(_LOGGED[failed["step"]].format(**failed.groupdict("?")))
            if found is not None:
                self.hit(found[0], line, found[1])


class Preflight(Watch):
    """Reads an exchange for the engine (session/said.py: Checker)."""

    kind = Exchange
    _interrupted = False

    def stopping(self, t: float, by: str) -> None:
        """Take that it is being ended: because it is stuck, or before that (live.Watch)."""
        self._interrupted = self._interrupted or not self.hopeless
        super().stopping(t, by)

    def _is_shown(self, said: str) -> bool:
        return self._plain or not _SAID.match(said)

    @property
    def hopeless(self) -> bool:
        """Whether ranks wait for others in vain: it need not go on."""
        return any(id_.startswith("S") for id_, _ in self._changes.known)

    @property
    def works(self) -> bool:
        """Whether all tasks have exchanged with each other; to be asked when it has ended."""
        launch = self.launch
        done = launch.at(Stage.FINALIZE, Stage.FINALIZE)
        return launch.code == 0 and bool(done) and done == launch.everyone and not self._alone

    @property
    def _alone(self) -> bool:
        return bool(self.launch.singletons) or (self.launch.size == 1 and self.launch.asked > 1)

    def verdict(self) -> str:
        """Say what has come of it."""
        launch = self.launch
        if self.works:
            hosts = len({one.host for one in launch.ranks.values() if one.host})
            on = f" on {hosts} hosts" if hosts > 1 else ""
            tasks = f"{launch.size} tasks" if launch.size > 1 else "1 task"
            return f"PMI works for {tasks}{on}"
        if self._interrupted:
            return "it was stopped"
        if self._changes.known:
            return "the tasks could not exchange by PMI, so no broker is started"
        return f"the launcher has ended with exit code {launch.code} before PMI was through"
