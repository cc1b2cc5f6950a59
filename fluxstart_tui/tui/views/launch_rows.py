"""Ranks by how far their launch has come, those that are the cause first; two launches compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from fluxstart_tui.diagnose.launch.state import PHASES, Stage
from fluxstart_tui.diagnose.words import ids, printable, who
from fluxstart_tui.report.diagnosis import shown, where
from fluxstart_tui.tui import diagnosis
from fluxstart_tui.tui.widgets.paint import span
from fluxstart_tui.tui.widgets.source import Source, styled

if TYPE_CHECKING:
    from fluxstart_tui.diagnose.launch.state import Line, Rank
    from fluxstart_tui.diagnose.progress import Phase
    from fluxstart_tui.session.state import InstanceState
    from fluxstart_tui.tui.model import Model

_NAMES = 14
"""Cells for the ranks at the least."""
_REST, _SAID = 32, 12
"""Cells for the columns of one width, and for the last line at the least."""
_LONG = 110
"""Columns from which there is room for more of everything."""


class Group(NamedTuple):
    """Ranks that are at the same place."""

    ranks: frozenset[int]
    where: str
    stage: Stage
    since: float | None
    """When the first of them came there."""
    line: Line | None
    """The last that matters of one of them."""
    culprits: frozenset[str]
    """Findings that name one of them as the cause."""
    gone: bool


class MatrixSource(Source):
    """Ranks by phase: one row for all that are at the same place."""

    title = "Ranks"
    ticks = True

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.groups: list[Group] = []
        self._seen: object = None

    def __len__(self) -> int:
        return len(self.groups)

    def look(self) -> bool:
        """Take what is new; tell whether rows may have changed."""
        known = diagnosis.of(self.model)
        seen = (known.version, int(self.model.now))
        if seen == self._seen:
            return False
        # The cursor stays with its ranks once it was moved, else with the cause.
        former = self.groups[self.cursor].ranks if self.groups and self.cursor else frozenset()
        self._seen = seen
        self.groups = _groups(known, self.model.state)
        for at, group in enumerate(self.groups):
            if former and min(former) in group.ranks:
                self.cursor = at
        self.version += 1
        return True

    def status(self) -> str:
        """Return how many ranks are in how many places."""
        launch = diagnosis.of(self.model).launch
        total = sum(len(group.ranks) for group in self.groups)
        size = self.model.size or launch.size
        asked = f" of {size}" if size > total else ""
        places = len(self.groups)
        return f"{total}{asked} ranks in {places} place{'s' * (places != 1)}"

    def header(self, width: int) -> Text:
        """Return the names of the columns."""
        names, place = self._widths(width)
        bar = len(PHASES)
        return Text(
            f"   {'RANKS':<{names}} {'COUNT':>6} {'PROGRESS':<{bar}} {'WHERE':<{place}} "
            f"{'FOR':>6} LAST LINE"
        )

    def _widths(self, width: int) -> tuple[int, int]:
        """Return the cells for the ranks, and for where they are."""
        names = _NAMES if width < _LONG else 24
        longest = max((len(group.where) for group in self.groups), default=0)
        return names, max(21, min(longest, width - names - _REST - _SAID))

    def row(self, i: int, width: int) -> Text:
        """Return a group."""
        group = self.groups[i]
        names, place = self._widths(width)
        mark, style = _mark(group)
        text = styled(f" {mark} ", style)
        name = ids(group.ranks, names)
        text.append(f"{name if len(name) <= names else name[: names - 1] + '…':<{names}} ", style)
        text.append(f"{len(group.ranks):>6} ")
        text.append_text(_bar(group))
        told = group.where if len(group.where) <= place else group.where[: place - 1] + "…"
        text.append(f" {told:<{place}} ", style)
        now = self.model.now
        text.append(f"{'' if group.since is None else span(max(0.0, now - group.since)):>6} ")
        if group.line is not None:
            said = shown(group.line).removeprefix("bootstrap: ")
            text.append(said, "" if group.culprits else "dim")
        return text

    def detail(self, i: int) -> Text:
        """Return all ranks of a group, why they are the cause, and the whole last line."""
        group = self.groups[i]
        text = styled(f"{who(group.ranks, 200)}: ", "bold")
        text.append(group.where)
        if group.line is not None:
            text.append(f"\nrank {min(group.ranks)}: {shown(group.line)}", "dim")
        found = [one.finding for one in diagnosis.of(self.model).findings]
        causes = [one for one in found if one.id in group.culprits]
        if causes:
            told = f"\nthe cause: {printable(causes[0].sentence, 300)}"
            text.append(told, "bold red")
        elif found and not group.gone and group.stage < Stage.RUN:
            text.append("\nnot the cause", "dim")
        return text

    def rank(self, i: int) -> int | None:
        """Return the first rank of a group."""
        return min(self.groups[i].ranks)

    def ranks(self, i: int) -> frozenset[int]:
        """Return the ranks of a group."""
        return self.groups[i].ranks

    def row_of(self, rank: int) -> int | None:
        """Return the row of a rank's group."""
        return next((i for i, group in enumerate(self.groups) if rank in group.ranks), None)


class CompareSource(Source):
    """How many ranks are through each phase, in an earlier launch and in this one."""

    title = "Before and after"

    def __init__(self, model: Model, before: list[Phase], findings: list[str]) -> None:
        super().__init__()
        self.model = model
        self.before = before
        self.findings = findings
        """Ids of the earlier launch's findings."""
        self._after: list[Phase] = []
        self._seen = -1

    def __len__(self) -> int:
        return len(self._after)

    def look(self) -> bool:
        """Take what is new; tell whether rows may have changed."""
        known = diagnosis.of(self.model)
        if known.version == self._seen:
            return False
        self._seen = known.version
        self._after = known.launch.phases()
        self.version += 1
        return True

    def status(self) -> str:
        """Return the findings of both."""
        after = [one.finding.id for one in diagnosis.of(self.model).findings]
        return f"before: {' '.join(self.findings) or 'nothing wrong'} → now: " + (
            " ".join(after) or "nothing wrong"
        )

    def header(self, width: int) -> Text:
        """Return the names of the columns."""
        bar = _share(width)
        return Text(f"   {'PHASE':<10} {'BEFORE':<{bar + 10}}   {'NOW':<{bar + 10}}")

    def row(self, i: int, width: int) -> Text:
        """Return a phase."""
        after = self._after[i]
        before = next((one for one in self.before if one.name == after.name), None)
        former = before.k / max(1, before.total) if before is not None else 0.0
        share = after.k / max(1, after.total)
        mark, style = ("=", "dim") if share == former else ("▲", "bold green")
        if share < former:
            mark, style = "▼", "bold red"
        text = styled(f" {mark} {after.name:<10} ", style)
        for one in (before, after):
            text.append_text(_count(one, _share(width)))
        return text

    def detail(self, i: int) -> Text:
        """Return who is through a phase now but was not before, and the other way round."""
        after = self._after[i]
        before = next((one for one in self.before if one.name == after.name), None)
        former = before.through if before is not None else frozenset()
        more, fewer = after.through - former, former - after.through
        text = styled(f"{after.name}: ", "bold")
        text.append(f"now also {ids(more)}" if more else "nobody that was not through before")
        if fewer:
            text.append(f"\nnot {ids(fewer)}, who were", "bold yellow")
        return text


def _share(width: int) -> int:
    return max(4, (width - 42) // 2)


def _count(phase: Phase | None, width: int) -> Text:
    if phase is None:
        return Text(f"{'—':<{width + 10}}   ")
    full = round(width * phase.k / max(1, phase.total))
    text = styled("█" * full + "░" * (width - full), "green" if phase.complete else "yellow")
    text.append(f" {f'{phase.k}/{phase.total}':<9}   ")
    return text


def _mark(group: Group) -> tuple[str, str]:
    if group.culprits:
        return "▸", "bold red"
    if group.gone:
        return "✗", "red"
    if group.stage >= Stage.RUN:
        return "●", "green"
    return "◐", "yellow"


def _bar(group: Group) -> Text:
    """Return a cell for each phase: those that are behind, the one they are in, those to come."""
    done = sum(group.stage >= stage for _, stage in PHASES)
    style = "red" if group.gone or group.culprits else "green"
    text = styled("━" * max(0, done - 1), style)
    if done:
        text.append("✗" if group.gone else "●", f"bold {style}")
    text.append("·" * (len(PHASES) - done), "dim")
    return text


def _groups(known: diagnosis.Diagnosis, state: InstanceState) -> list[Group]:
    """Return all groups: culprits first, then those that are the least far."""
    launch = known.launch
    found: dict[tuple[Stage, str, frozenset[str]], set[int]] = {}
    named: dict[int, frozenset[str]] = {}
    for one in known.findings:
        for number in one.finding.ranks:
            named[number] = named.get(number, frozenset()) | {one.finding.id}
    for number in launch.everyone | launch.waited:
        rank = launch.ranks.get(number)
        stage = rank.stage if rank is not None else Stage.SILENT
        key = stage, where(rank), named.get(number, frozenset())
        found.setdefault(key, set()).add(number)
    groups = []
    for (stage, place, culprits), ranks in found.items():
        whose = [launch.ranks[rank] for rank in ranks if rank in launch.ranks]
        there = [state.broker(rank) for rank in ranks]
        halts = [one.suspended for one in there if one.suspended is not None]
        ends = [one.exit_t for one in there if one.exit is not None]
        times = ends or halts or [one.since for one in whose if one.since is not None]
        groups.append(
            Group(
                frozenset(ranks), place, stage, min(times, default=None), _last(whose),
                culprits, any(one.gone or one.ended for one in whose),
            )
        )  # fmt: skip
    return sorted(groups, key=lambda group: (not group.culprits, group.stage, min(group.ranks)))


def _last(ranks: list[Rank]) -> Line | None:
    """Return the line that says most of some ranks."""
    lines = [
        one.errors[0] if one.errors else one.exit.line if one.exit is not None else one.step
        for one in ranks
    ]
    return next((line for line in lines if line is not None), None)
