"""A session as JUnit XML: a test case of the instance, which has one failure if it has failed.

When ranks came to phases, and where they ended, are its output: a hang is one failure, and the
time of the suite is that of the instance.
"""

from __future__ import annotations

from xml.etree import ElementTree

from fluxstart_tui.diagnose import phase_times
from fluxstart_tui.diagnose.words import printable, span
from fluxstart_tui.report.next_steps import next_steps
from fluxstart_tui.report.text import text
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.report.verdict import Verdict

_NAME = "fluxstart-tui"
_PROPERTIES = ("program", "mode", "launcher", "size")
"""What of a session's header is told."""


def report(verdict: Verdict) -> str:
    """Return the verdict on a session as JUnit XML."""
    found = verdict.summary
    told = {name: verdict.header.get(name) for name in _PROPERTIES}
    told |= {"broker": found.broker, "outcome": found.outcome, "exit_code": found.code}
    if verdict.failed:
        held = verdict.held.name if verdict.held is not None else ""
        told |= {"phase": held, "culprits": idset.encode(verdict.blamed)}
    told["session"] = found.directory
    return _xml(
        found.command or f"instance of {found.size} brokers",
        found.time,
        failure=(verdict.title, _story(verdict), found.outcome) if verdict.failed else None,
        output="".join(f"{line}\n" for line in _phases(verdict)),
        properties={name: str(value) for name, value in told.items() if value not in (None, "")},
        start=found.start,
        host=found.host,
    )


def unstarted(command: str, why: str) -> str:
    """Return the report of an instance that could not be started at all."""
    text = printable(why, 1000)
    return _xml(printable(command), 0.0, failure=(text, text, "failed"))


def _xml(
    name: str,
    time: float,
    *,
    failure: tuple[str, str, str] | None,
    output: str = "",
    properties: dict[str, str] | None = None,
    start: str = "",
    host: str = "",
) -> str:
    """Return the report of one test case.

    Args:
        name: of the case.
        time: seconds that it took.
        failure: why it failed in a line, the same at length, and what kind of failure that is.
        output: what it tells beside.
        properties: of the suite.
        start: when it began (RFC 3339).
        host: where it ran.
    """
    counts = {"tests": "1", "failures": "1" if failure else "0", "time": f"{max(0.0, time):.3f}"}
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(
        root, "testsuite", counts, name=_NAME, errors="0", skipped="0", hostname=host,
        timestamp=start.partition(".")[0] or "1970-01-01T00:00:00",
    )  # fmt: skip
    if properties:
        group = ElementTree.SubElement(suite, "properties")
        for key, value in properties.items():
            ElementTree.SubElement(group, "property", name=key, value=printable(value))
    case = ElementTree.SubElement(
        suite, "testcase", classname=_NAME, name=name, time=counts["time"]
    )  # fmt: skip
    if failure is not None:
        message, said, kind = failure
        ElementTree.SubElement(case, "failure", message=message, type=kind).text = said
    if output:
        ElementTree.SubElement(case, "system-out").text = output
    ElementTree.indent(root)
    # ASCII: all texts are printable (diagnose/words.py), and XML 1.0 has no control characters.
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _story(verdict: Verdict) -> str:
    """Tell all that is known of a failure."""
    lines = [text(verdict.summary)]
    for one in verdict.findings:
        lines.append(f"[{one.id}] {printable(one.sentence, 1000)}")
        lines += [f"    $ {printable(remedy, 400)}" for remedy in one.remedies]
    lines += ["", "Next steps:", *(f"    $ {step}" for step in next_steps(verdict))]
    return "\n".join([*lines, ""])


def _phases(verdict: Verdict) -> Iterator[str]:
    """Yield when ranks came to each phase."""
    for name, one in phase_times.times(verdict.state).items():
        if one.first is not None and one.last is not None:
            late = "" if one.last_rank is None else f" (rank {one.last_rank})"
            came = f"{len(one.ranks)}/{verdict.state.size} ranks"
            yield f"{name:10} {came}, {span(one.first)} to {span(one.last)}{late}"
