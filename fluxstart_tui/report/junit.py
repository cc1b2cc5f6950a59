"""A session as JUnit XML: a suite of the instance, of its phases and of its ranks.

What failed is what is to blame: the phase that all were held up in, the rank that they waited for.
Ranks that waited, and phases that nobody came to, are skipped.
"""

from __future__ import annotations

from xml.etree import ElementTree

from fluxstart_tui.diagnose.failure import place
from fluxstart_tui.diagnose.words import ending, printable, who
from fluxstart_tui.report import parts, phase_times
from fluxstart_tui.report.text import headline, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.diagnose.progress import Phase
    from fluxstart_tui.report.verdict import Verdict

_SUITE = "fluxstart-tui"
_PROPERTIES = ("program", "mode", "launcher", "size")
"""What of a session's header is told."""


class _Suite:
    """A test suite that is being filled."""

    def __init__(self, name: str) -> None:
        self.root = ElementTree.Element("testsuites")
        self.element = ElementTree.SubElement(self.root, "testsuite", name=name, errors="0")
        self._counts = {"tests": 0, "failures": 0, "skipped": 0}

    def case(
        self, group: str, name: str, time: float, *, failure: str = "", text: str = "",
        skipped: str = "",
    ) -> None:  # fmt: skip
        """Add a test case.

        Args:
            group: what it is one of.
            name: its name there.
            time: seconds that it took.
            failure: why it failed, in a line.
            text: the same at length.
            skipped: why it tells nothing.
        """
        case = ElementTree.SubElement(
            self.element, "testcase", classname=group, name=name, time=f"{max(0.0, time):.3f}"
        )
        self._counts["tests"] += 1
        if failure:
            self._counts["failures"] += 1
            ElementTree.SubElement(case, "failure", message=failure, type=group).text = text
        elif skipped:
            self._counts["skipped"] += 1
            ElementTree.SubElement(case, "skipped", message=skipped)

    def xml(self, time: float) -> str:
        """Return the report, given the seconds that all has taken."""
        for name, count in self._counts.items():
            self.element.set(name, str(count))
            if name != "skipped":
                self.root.set(name, str(count))
        for element in (self.root, self.element):
            element.set("time", f"{time:.3f}")
        ElementTree.indent(self.root)
        # ASCII: all texts are printable (diagnose/words.py), and XML 1.0 has no control characters.
        body = ElementTree.tostring(self.root, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def report(verdict: Verdict) -> str:
    """Return the verdict on a session as JUnit XML."""
    found = verdict.summary
    suite = _Suite(_SUITE)
    suite.element.set("timestamp", found.start.partition(".")[0] or "1970-01-01T00:00:00")
    suite.element.set("hostname", found.host)
    _properties(suite, verdict)
    failure = headline(found) if verdict.failed else ""
    name = found.command or f"instance of {found.size} brokers"
    suite.case(_SUITE, name, found.time, failure=failure, text=_story(verdict))
    _phases(suite, verdict)
    for rank in range(found.size):
        _rank(suite, verdict, rank)
    return suite.xml(found.time)


def unstarted(command: str, why: str) -> str:
    """Return the report of an instance that could not be started at all."""
    suite = _Suite(_SUITE)
    text = printable(why, 1000)
    suite.case(_SUITE, printable(command), 0.0, failure=text, text=text)
    return suite.xml(0.0)


def _properties(suite: _Suite, verdict: Verdict) -> None:
    found = verdict.summary
    properties = ElementTree.SubElement(suite.element, "properties")
    told = {name: verdict.header.get(name) for name in _PROPERTIES}
    told |= {"broker": found.broker, "outcome": found.outcome, "exit_code": found.code}
    told["session"] = found.directory
    for name, value in told.items():
        if value not in (None, ""):
            ElementTree.SubElement(properties, "property", name=name, value=printable(str(value)))


def _story(verdict: Verdict) -> str:
    """Tell all that is known of a failure."""
    return f"{text(verdict.summary)}\n{_findings(verdict)}"


def _findings(verdict: Verdict) -> str:
    return "".join(
        f"[{one.id}] {printable(one.sentence, 1000)}\n"
        + "".join(f"    $ {printable(remedy, 400)}\n" for remedy in one.remedies)
        for one in verdict.findings
    )


def _phases(suite: _Suite, verdict: Verdict) -> None:
    """Add a case for each phase; the last one's end is the next one's begin."""
    group, found = f"{_SUITE}.phases", verdict.summary
    times = phase_times.times(verdict.state)
    names = [phase.name for phase in verdict.phases]
    began = 0.0
    over = False
    for at, phase in enumerate(verdict.phases):
        after = names[at + 1] if phase.lasts and at + 1 < len(names) else phase.name
        done = times[after].last if after in times else None
        ended = found.time if done is None else max(began, done)
        name = f"{at + 1:02} {phase.name}"
        if phase is verdict.held:
            over = True
            t, what = (found.first.t, found.first.text) if found.first else (ended, headline(found))
            doing = f"{found.doing}; " if found.doing else ""
            lacking = _missing(phase, verdict)
            suite.case(group, name, t - began, failure=f"{doing}{what}", text=lacking)
        elif over and not phase.complete:
            suite.case(group, name, 0.0, skipped=f"{phase.k}/{phase.total} ranks came so far")
        else:
            suite.case(group, name, ended - began)
        began = ended


def _missing(phase: Phase, verdict: Verdict) -> str:
    lines = [f"{phase.name}: {phase.k} of {phase.total} ranks are through"]
    lines += [f"not through: {who(phase.missing)}"] if phase.k and phase.missing else []
    lines += [f"to blame: {who(verdict.blamed)}"] if verdict.blamed else []
    return "\n".join(
        [*lines, *verdict.summary.looks, *verdict.summary.backtrace, _findings(verdict)]
    )


def _rank(suite: _Suite, verdict: Verdict, rank: int) -> None:
    broker = verdict.state.broker(rank)
    end = broker.exit
    time = (broker.exit_t if end is not None else verdict.state.t) - (broker.spawned or 0.0)
    seen = place(verdict.then, verdict.then.broker(rank))
    how = ending(end) if end is not None else "never started" if broker.pid < 0 else "still runs"
    failure = skipped = lines = ""
    if rank in verdict.blamed:
        findings = [f"[{one.id}] {one.sentence}" for one in verdict.findings if rank in one.ranks]
        failure = "; ".join([f"rank {rank}: {seen}, {how}", *findings])
        said = parts.output(verdict.state, rank, verdict.tail)
        looks = parts.looks(verdict.state, [rank])
        stack = parts.backtrace(verdict.state, [rank])
        lines = "\n".join([*looks, *stack, *said.errors, *said.lines])
    elif verdict.failed and (end is None or end.code or end.signum):
        skipped = f"{seen}, {how}"
    name = f"rank {rank}"
    suite.case(f"{_SUITE}.ranks", name, time, failure=failure, text=lines, skipped=skipped)
