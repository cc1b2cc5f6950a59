"""What hinders a launch, as data and as text to read or to paste into an issue."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from typing import NamedTuple

from fluxstart_tui.diagnose.launch.remedies import launcher
from fluxstart_tui.diagnose.launch.rules import diagnose
from fluxstart_tui.diagnose.launch.state import NO_LINE, WAITS, Stage
from fluxstart_tui.diagnose.launch.visibility import unseen
from fluxstart_tui.diagnose.words import ids, printable, seconds, who
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.diagnose.launch.finding import Finding
    from fluxstart_tui.diagnose.launch.launch import Launch
    from fluxstart_tui.diagnose.launch.state import Line, Rank
    from fluxstart_tui.report.launch_log import Log

WIDTH = 100
"""Widest columns of the text: longer lines are hard to read."""

_TEXT = 500
"""Characters of a line that are shown as evidence."""

_KEY = re.compile(r'("pubkey":")[^"]*')
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~&])")

_ELSEWHERE = "on hosts that were not looked at"

_TIPS = {"SG": "on single node instances", "HW": "on hardware"}


class Report(NamedTuple):
    """A diagnosed launch."""

    log: Log
    launcher: str
    """Name of the launcher (launchers/table.py), a family's name if that is all that is known."""
    findings: list[Finding]
    groups: list[tuple[str, frozenset[int]]]
    """Where the ranks are, the least far first."""

    @property
    def code(self) -> int:
        """The exit code of --diagnose: 0 nothing wrong, 1 findings, 2 no launch."""
        if not self.log.launch.known:
            return 2
        return 1 if self.findings else 0


def report(log: Log) -> Report:
    """Diagnose a launch that was read."""
    launch = log.launch
    findings = diagnose(launch, log.now) if launch.known else []
    return Report(log, launcher(launch), findings, _groups(launch))


def _groups(launch: Launch) -> list[tuple[str, frozenset[int]]]:
    """Return the ranks by where they are."""
    found: dict[tuple[int, str], set[int]] = {}
    for number in launch.everyone | launch.waited:
        rank = launch.ranks.get(number)
        found.setdefault((int(rank.stage) if rank else 0, where(rank)), set()).add(number)
    if launch.elsewhere - launch.waited:
        hosts = unseen(launch)[1]
        there = f"{_ELSEWHERE}: {hosts}" if hosts else _ELSEWHERE
        found[-1, there] = set(launch.elsewhere - launch.waited)
    return [(where, frozenset(ranks)) for (_, where), ranks in sorted(found.items())]


def where(rank: Rank | None) -> str:
    """Say where a rank is, or how it has ended."""
    if rank is None:
        return WAITS[min(WAITS)]
    last = WAITS[rank.stage]
    how = rank.exit.how if rank.exit is not None else rank.ended
    if how:
        return printable(how, 60) + ("" if rank.stage == Stage.EXIT else f" ({last})")
    if rank.frozen:
        return f"{rank.frozen}, {last}"
    return f"failed ({last})" if rank.errors or rank.failed else last


def as_json(found: Report) -> str:
    """Return a report as JSON."""
    launch = found.log.launch
    data = {
        "source": found.log.source,
        "launcher": found.launcher or None,
        "label": launch.labels.name or None,
        "command": list(launch.command) or None,
        "size": launch.size or None,
        "lines": launch.lines,
        "launches": found.log.launches,
        "benign_lines": launch.benign,
        "seconds": launch.now,
        "running": found.log.now is not None,
        "exit_code": launch.code,
        "stopped_at": launch.stopped.number if launch.stopped else None,
        "phases": [
            {
                "name": phase.name,
                "reached": idset.encode(phase.reached),
                "through": idset.encode(phase.through),
                "missing": idset.encode(phase.missing),
            }
            for phase in launch.phases()
        ] if launch.known else [],
        "ranks": [{"where": where, "ranks": idset.encode(r)} for where, r in found.groups],
        "findings": [
            {
                "id": one.id,
                "ranks": idset.encode(one.ranks),
                "sentence": one.sentence,
                "evidence": [
                    {
                        "line": _number(line, found.log), "t": line.t, "rank": line.rank,
                        "text": shown(line),
                    }
                    for line in evidence(one)
                ],
                "remedies": list(one.remedies),
                "tip": one.tip or None,
                "confidence": one.confidence,
            }
            for one in found.findings
        ],
    }  # fmt: skip
    return json.dumps(data, indent=1) + "\n"


def for_terminal(found: Report, prog: str) -> str:
    """Return a report as text that is as wide as our terminal, or COLUMNS, is.

    Args:
        found: the report.
        prog: the name that it carries.
    """
    return as_text(found, shutil.get_terminal_size((WIDTH, 24)).columns, prog)


def as_text(found: Report, width: int = WIDTH, prog: str = "fluxstart-tui") -> str:
    """Return a report as text.

    Args:
        found: the report.
        width: columns there are; not more than WIDTH are used.
        prog: name of the program, the prefix of the first line.
    """
    width = max(40, min(width, WIDTH))
    lines = _wrap(f"{prog}: {_headline(found)}", width, "  ")
    for one in found.findings:
        sure = "" if one.confidence == "certain" else f" ({one.confidence})"
        lines += ["", *_wrap(f"{one.id:<4}{one.sentence}{sure}", width, "    ")]
        for line in evidence(one):
            lines.append(_cut(f"    | {place(line, found.log)}  {shown(line)}", width))
        for remedy in one.remedies:
            lines.append(f"    $ {remedy}")  # not wrapped: it is there to be copied
        if one.tip:
            lines += _wrap(f"    {see(one.tip)}", width, "    ")
    if found.groups:
        lines += ["", "ranks"]
        for where, ranks in found.groups:
            lines.append(_cut(f"  {ids(ranks, width // 3):<{width // 4}} {where}", width))
    return "".join(f"{line}\n" for line in lines)


def as_markdown(found: Report) -> str:
    """Return a report as Markdown, whatever lines it shows."""
    lines = [f"**Launch diagnosis**: {plain(_headline(found))}", ""]
    if found.log.launch.command:
        lines += ["Command:", "", f"    {printable(' '.join(found.log.launch.command), 2000)}", ""]
    lines += markdown_findings(found)
    if found.groups:
        lines += ["| ranks | where |", "|---|---|"]
        lines += [f"| {ids(ranks, 60)} | {plain(where)} |" for where, ranks in found.groups]
    return "".join(f"{line}\n" for line in lines)


def markdown_findings(found: Report) -> list[str]:
    """Return lines of Markdown with what a report has found."""
    lines: list[str] = []
    for one in found.findings:
        lines += [f"### {one.id}: {plain(one.sentence)}", ""]
        lines += [f"    {place(line, found.log)}  {shown(line)}" for line in evidence(one)]
        if one.remedies:
            lines += ["", "Try:", "", *(f"    {remedy}" for remedy in one.remedies)]
        if one.tip:
            lines += ["", see(one.tip)]
        lines.append("")
    return lines


def _headline(found: Report) -> str:
    launch = found.log.launch
    if not launch.known:
        return f"{printable(found.log.source, 200)}: not the log of a launch of Flux"
    parts = [found.launcher or "unknown launcher", _size(launch)]
    parts += [f"{launch.lines} lines"] if found.log.numbered else []
    if (t := launch.now if found.log.now is None else found.log.now) is not None:
        parts.append(seconds(t))
    if found.log.launches > 1:
        parts.append(f"the last of {found.log.launches} launches in it")
    if not found.findings:
        state = "nothing wrong so far" if found.log.now is not None else "nothing wrong"
    else:
        n = len(found.findings)
        state = f"{n} finding{'' if n == 1 else 's'}"
    return f"{', '.join(parts)}: {state}"


def _size(launch: Launch) -> str:
    if launch.singletons:
        return f"{launch.tasks} tasks of size 1"
    if launch.size:
        return f"size {launch.size}"
    return who(launch.everyone) if launch.everyone else "size unknown"


def _number(line: Line, log: Log) -> int | None:
    return line.number if log.numbered else None


def evidence(found: Finding) -> list[Line]:
    """Return the lines by which a finding is known, in the order of their times."""
    return sorted(found.evidence, key=lambda line: (line.number, line.t or 0.0))


def place(line: Line, log: Log) -> str:
    """Say where a line stands: its number, time and rank."""
    known = "journal" if line.number == NO_LINE else f"line {line.number}"
    parts = [known] if log.numbered else []
    parts += [f"{line.t:.3f}s"] if line.t is not None else []
    parts += [f"rank {line.rank}"] if line.rank is not None else []
    return f"{' '.join(parts)}:"


def shown(line: Line) -> str:
    """Return a line to be shown: harmless, and without the key of a card."""
    return printable(_KEY.sub(r"\1...", line.text), _TEXT)


def see(tip: str) -> str:
    """Name the place in flux-start(1) that a finding's tip is about."""
    numbers = [name for name in tip.split(", ") if name not in _TIPS]
    texts = [_TIPS[name] for name in tip.split(", ") if name in _TIPS]
    if numbers:
        texts.append(f"tip{'' if len(numbers) == 1 else 's'} {' and '.join(numbers)}")
    return f"See flux-start(1), TROUBLESHOOTING, {', '.join(texts)}."


def plain(text: str) -> str:
    """Return a text that Markdown shows as it is, in the cell of a table too."""
    return _MARKDOWN.sub(r"\\\1", text)


def _wrap(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 3]}..."
