"""Whose line it is: launchers put a label before the lines of their tasks, each in its own way.

A form is settled on by evidence: what stands behind the label is Flux's. The true rank in a hello
line teaches even forms that nobody knows.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_DATE = r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}"

GRAMMARS = {
    "colon": re.compile(r"^ *(?P<rank>\d{1,7}):(?: (?P<text>.*))?$", re.DOTALL),
    "brackets": re.compile(r"^\[(?P<rank>\d{1,7})\](?: (?P<text>.*))?$", re.DOTALL),
    "tag": re.compile(
        rf"^(?:\[?{_DATE}\]?)?\[(?:[^\],]*,)?(?P<rank>\d{{1,7}})\](?:\[[^\]]*\])?"
        r"<std(?P<stream>out|err)>: ?(?P<text>.*)$",
        re.DOTALL,
    ),
    "angle": re.compile(r"^(?P<rank>\d{1,7})(?P<err>\(err\))?>(?P<text>.*)$", re.DOTALL),
    "host": re.compile(r"^[A-Za-z][\w.-]{0,254} (?P<rank>\d{1,7}): (?P<text>.*)$", re.DOTALL),
}
"""Forms of labels by name: srun and flux run, Hydra, Open MPI, gforker, PALS."""

_EVIDENCE = re.compile(
    r"(?:bootstrap|boot_pmi): |pmi-debug-|(?:<\d>|[A-Z][a-z]{2} [ \d]\d [\d:.]+ \S+ \d{4} "
    r"|\d{4}-\d\d-\d\dT\S+ )?[\w-]+\.(?:crit|err|warning|notice|info|debug)\[[^\]]+\]: "
    r"|fluxstart-tui: hello |slurmstepd\S*: |flux-broker: "
)
"""Begins lines that only Flux or its launcher prints."""

_SERVED = re.compile(r" *\d+: [CS]: cmd=")
"""flux start's PMI trace, which looks as if it had a label."""

_PREFIX = 200
"""Characters of a label at most."""

_HELLO = re.compile(r"fluxstart-tui: hello rank=(\d+) host=(\S+)")


class Labelled(NamedTuple):
    """A line without its label."""

    rank: int | None
    """The task's rank as the launcher counts; None if there is no label."""
    stream: str
    """out, err, or empty where the label does not tell."""
    text: str


class Labels:
    """Splits lines into label and text, and learns how while it does.

    Args:
        grammar: name of the form if the launcher is known; others are still recognised.
    """

    def __init__(self, grammar: str = "") -> None:
        order = sorted(GRAMMARS, key=lambda name: name != grammar)
        self._candidates = [(name, GRAMMARS[name]) for name in order]
        self._expected = grammar
        self._settled: re.Pattern[str] | None = None
        self._lines: re.Pattern[bytes] | None = None
        self._plain = False
        self.name = ""
        """Name of the form that was settled on, `calibrated`, or empty."""

    @property
    def lines(self) -> re.Pattern[bytes] | None:
        """Finds lines in bytes once the form is certain; `other` is one without a label."""
        if self._settled is not None and self._lines is None:
            form = rf"{self._settled.pattern}|^(?P<other>.*)$"
            self._lines = re.compile(form.encode(), re.MULTILINE)
        return self._lines

    def split(self, line: str) -> Labelled:
        """Return whose line this is."""
        if self._settled is not None:
            found = self._settled.match(line)
            return _labelled(found) if found else Labelled(None, "", line)
        if _SERVED.match(line):
            return Labelled(None, "", line)
        if _EVIDENCE.match(line):
            self._plain = True
            return Labelled(None, "", line)
        for name, grammar in self._candidates:
            found = grammar.match(line)
            if found and (name == "tag" or _EVIDENCE.match(found["text"] or "")):
                self._settle(name, grammar)
                return _labelled(found)
        learnt = _calibrated(line)
        if learnt is not None:
            self._settle("calibrated", learnt)
            found = learnt.match(line)
        return _labelled(found) if learnt is not None and found else self._guess(line)

    def _guess(self, line: str) -> Labelled:
        """Believe in a label before there is evidence, if nothing speaks against it."""
        if not self._plain:
            for name, grammar in self._candidates:
                if name in (self._expected, "colon", "brackets"):
                    found = grammar.match(line)
                    if found:
                        return _labelled(found)
        return Labelled(None, "", line)

    def _settle(self, name: str, grammar: re.Pattern[str]) -> None:
        self.name, self._settled = name, grammar


def _calibrated(line: str) -> re.Pattern[str] | None:
    """Learn an unknown form from a hello line: its prefix holds the rank that it tells."""
    found = _HELLO.search(line)
    if found is None or not 0 < found.start() <= _PREFIX:
        return None
    rank, host = found[1], found[2]
    prefix = line[: found.start()].replace("\0", "").replace(host, "\0")  # hosts have numbers too
    holes = list(re.finditer(rf"(?<!\d){rank}(?!\d)", prefix))
    if not holes:
        return None
    hole = holes[-1]
    before, after = (
        r"\S+".join(re.escape(part) for part in text.split("\0"))
        for text in (prefix[: hole.start()], prefix[hole.end() :])
    )
    return re.compile(rf"^ *{before.lstrip()}(?P<rank>\d{{1,7}}){after}(?P<text>.*)$", re.DOTALL)


def _labelled(found: re.Match[str]) -> Labelled:
    rank, text = found.group("rank", "text")
    stream = ""
    if found.re.groups > len((rank, text)):
        parts = found.groupdict()
        stream = parts.get("stream") or ("err" if parts.get("err") else "out")
    return Labelled(int(rank), stream, text or "")
