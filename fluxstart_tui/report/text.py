"""A summary as text: what one wants to read first when a job has failed, and where to look on."""

from __future__ import annotations

from fluxstart_tui.diagnose.words import code, seconds, who
from fluxstart_tui.report.next_steps import replay
from fluxstart_tui.session.signals import signame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.report.summary import Summary

WIDTH = 100
LINES_MAX = 58

_COUNTED = 8

_LABEL = 17
"""Columns of what stands before the texts."""


def text(summary: Summary, prog: str = "fluxstart-tui") -> str:
    """Return a summary as lines of at most WIDTH columns, each with its newline.

    Args:
        summary: report/summary.py.
        prog: name of the program, the prefix of the first line.
    """
    head = _wrap(f"{prog}: {headline(summary)}", 4)
    if summary.outcome == "success" and summary.first is None:
        return _join(head + _foot(summary, brief=True))
    if summary.simple:
        return _join(head + _foot(summary, brief=True))
    body = _body(summary)
    foot = _foot(summary, brief=False)
    room = LINES_MAX - len(head) - len(foot)
    if len(body) > room:
        body = [*body[: room - 1], "  ..."]
    return _join(head + body + foot)


def headline(summary: Summary) -> str:
    """Return in one line what has come of an instance."""
    n = summary.size
    what = f"instance of {n} broker{'' if n == 1 else 's'}"
    after = f"after {seconds(summary.time)}"
    result = code(summary.code) if summary.code is not None else ""
    if summary.simple and summary.first is not None:
        return summary.first.text
    if summary.outcome == "interrupted":
        by = signame(summary.signum)
        how = f"SHUT DOWN by {summary.asker}" if summary.asker else f"INTERRUPTED by {by}"
        return f"{what} {how} {after}: exit code {summary.code}"
    if summary.outcome == "timeout":
        return f"{what} TIMED OUT, ended {after}: {result}"
    if summary.outcome == "running":
        return f"{what} runs for {seconds(summary.time)}"
    if summary.outcome == "unfinished":
        return f"{what}: its record stops {after}, before its end"
    if summary.outcome == "success":
        return f"{what} ended {after}: {result}"
    return f"{what} FAILED {after}: {result}"


def _body(summary: Summary) -> list[str]:
    """Return what happened in the order in which it did, and then the state of all ranks."""
    lines = _items("asked for", [f"by {one} on the command line" for one in summary.faults])
    first = summary.first
    when = {"running": "now", "unfinished": "last known"}.get(summary.outcome, "meanwhile")
    if first is not None and first.kind == "interrupt":
        lines += _item("until then", summary.doing)
        if summary.asker:
            why = f"exit code {summary.code} = 128 + {signame(summary.signum)}"
            lines += _item("shutdown", f"{first.text}: {why}")
        else:
            lines += _item("signal", first.text)
    elif first is not None and first.kind == "timeout":
        lines += _item("until then", summary.doing)
        lines += _item("timeout", first.text)
        lines += _items("looked at", summary.looks)
        lines += [_cut(f"    | {line}") for line in summary.backtrace]
    else:
        if first is not None:
            lines += _item("first failure", first.text)
            lines += _item("core file", first.core)
            lines += [_cut(f"    | {line}") for line in summary.backtrace]
        lines += _item(when, summary.doing)
    lines += _items("then", summary.then)
    lines += _items("started anew", summary.restarted)
    if "quorum " not in summary.doing:
        lines += _item("quorum", summary.quorum)
    lines += _items("PMI", summary.pmi)
    return lines + _progress(summary) + _table(summary) + _outputs(summary)


def _outputs(summary: Summary) -> list[str]:
    """Return what ranks said last, those that said the same together."""
    said: dict[tuple[tuple[str, ...], tuple[str, ...]], list[int]] = {}
    for output in summary.outputs:
        said.setdefault((tuple(output.errors), tuple(output.lines)), []).append(output.rank)
    lines = []
    for (errors, last), ranks in said.items():
        for what, found in (("errors logged by", errors), ("last output of", last)):
            if found:
                lines.append(f"  {what} {who(ranks)}:")
                lines += [_cut(f"    | {line}") for line in found]
    return lines


def _progress(summary: Summary) -> list[str]:
    """Return the phases not complete, neighbours that lack the same ranks as one."""
    merged: list[tuple[str, str, tuple[str, str]]] = []
    for step in summary.steps:
        rest = f"{step.k} of {step.total} ranks", f"(not {step.missing})"
        if merged and merged[-1][2] == rest:
            merged[-1] = (merged[-1][0], f" to {step.name}", rest)
        else:
            merged.append((step.name, "", rest))
    return _item("progress", ", ".join(
        f"{came} through {first}{last} {missing}" for first, last, (came, missing) in merged
    ))  # fmt: skip


def seen(summary: Summary) -> str:
    """Return what is told of a group's place: where it was when time was up, or last."""
    return "when time was up" if summary.outcome == "timeout" else "last seen"


def _table(summary: Summary) -> list[str]:
    if summary.size < 2:
        return []
    rows = [("number", "ranks", seen(summary), "end")]
    for group in summary.groups:
        end = group.end or ("-" if group.where == "never started" else "running")
        rows.append((str(group.number), group.ranks, group.where, end))
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    # One can count a few ranks oneself.
    start = 0 if summary.size > _COUNTED else 1
    return [
        _cut("    " + "  ".join([*map(str.ljust, row[start:3], wide[start:]), row[3]]))
        for row in rows
    ]


def _foot(summary: Summary, *, brief: bool) -> list[str]:
    lines: list[str] = []
    if not brief:
        if summary.command:
            lines += _item("command", _short(summary.command))
        about = [summary.broker, f"on {summary.host}" if summary.host else "", summary.start]
        lines += _item("broker", ", ".join(filter(None, about))) if summary.broker else []
    lines += _items("not recorded", summary.lost)
    if summary.directory:
        # Not wrapped: it is there to be copied.
        lines.append(f"  {'look further':{_LABEL - 2}}{replay(summary.directory)}")
    return lines


def _short(command: str) -> str:
    """Return a command that takes two lines at the most."""
    most = 2 * (WIDTH - _LABEL) - 20
    return command if len(command) <= most else f"{command[:most]}..."


def _items(label: str, texts: list[str]) -> list[str]:
    return [line for text in texts for line in _item("" if text is not texts[0] else label, text)]


def _item(label: str, text: str) -> list[str]:
    return _wrap(f"  {label:{_LABEL - 2}}{text}", _LABEL) if text else []


def _wrap(line: str, indent: int) -> list[str]:
    """Break a line at blanks where it is too wide, what follows indented."""
    lines = []
    while len(line) > WIDTH:
        at = line.rfind(" ", indent + 1, WIDTH + 1)
        at = at if at > indent else WIDTH
        lines.append(line[:at].rstrip())
        line = " " * indent + line[at:].lstrip()
    return [*lines, line.rstrip()]


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."


def _join(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
