"""What looks like a credential in a text: by the name before it, by its shape, or by its value.

Names are those of environment variables, options, JSON members, PMI keys and CURVE certificates
(zcert(3): `secret-key = "..."`). Rather too much is found than too little.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

LONGEST = 8 << 10
"""Characters of the longest secret that is found whole, its name included."""

_KNOWN_MIN = 6
"""Characters of a value that is looked for elsewhere: shorter ones are in any text."""

_BEHIND = ",;.)]}>"
"""What may follow on a value without being a part of it."""

KEY, VALUE = "\x01", "\x00"
"""What stands around the names and behind the values of JSON members in a text made of them."""

_WORDS = (
    r"token|secret|passw(?:or)?d|passphrase|credentials?|cookie|jwt|munge[_-]?key|_(?:pass|pwd)(?![a-z])"
    r"|(?:api|access|private|signing|encryption|auth)[_-]?key"
)
_HINTS = ("token", "secret", "pass", "credential", "cookie", "jwt", "key", "_pwd")
"""One of them is in each of these words."""

_NAME = re.compile(_WORDS, re.IGNORECASE)
_NO_SECRET = re.compile(r"(?:file|path|dir|socket)$", re.IGNORECASE)
"""Ends of names of what only leads to a secret."""

_VALUE = rf"""(?:"(?P<quoted>(?:[^"\\\r\n{KEY}{VALUE}]|\\.){{1,4096}})
|'(?P<single>[^'\r\n{KEY}{VALUE}]{{1,4096}})
|\\+["'](?P<nested>[^"'\\\r\n{KEY}{VALUE}]{{1,4096}})
|(?P<bare>[^\s"'{KEY}{VALUE}]{{1,4096}}))"""
_GROUPS = ("quoted", "single", "nested", "bare")
_NAMED = re.compile(
    rf"""(?P<name>(?:{_WORDS})[\w.-]{{0,40}})\\*["']?
(?:\s{{0,8}}[=:][\s{VALUE}]{{0,8}}|{KEY}|{VALUE}(?:{KEY}value{KEY})?|[ ]value=){_VALUE}""",
    re.IGNORECASE | re.VERBOSE,
)
_OPTION = re.compile(
    rf"--[\w-]{{0,40}}?(?P<name>(?:{_WORDS})[\w-]{{0,40}})[ ]+"
    rf"(?P<bare>[^\s{KEY}{VALUE}]{{1,4096}})",
    re.IGNORECASE,
)
_SHAPES = (
    (
        "a private key",
        ("private key",),
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
            r"(?P<v>[\s\S]{1,8000}?(?=-----END)|[A-Za-z0-9+/=\s\\]{1,8000})"
        ),
    ),
    ("a MUNGE credential", ("munge:",), re.compile(r"MUNGE:(?P<v>[A-Za-z0-9+/=]{4,8000})")),
    (
        "a password in a URL",
        ("://",),
        re.compile(r"://[^/\s:@]{0,200}:(?P<v>[^/\s@]{1,400})@"),
    ),
    (
        "an authorization header",
        ("authorization", "bearer"),
        re.compile(
            r"(?i:authorization\\*[\"']?\s{0,8}[:=]\s{0,8}\\*[\"']?\w{1,20} +|\bbearer +)"
            r"(?P<v>[A-Za-z0-9+/=._~-]{6,8000})"
        ),
    ),
    (
        "a token of a known form",
        ("gh", "glpat-", "sk-", "xox", "akia", "asia", "hf_", "npm_", "pypi-", "aiza", "eyj"),
        re.compile(
            r"(?<![A-Za-z0-9])(?P<v>gh[pousr]_[A-Za-z0-9]{20,250}|github_pat_\w{20,250}"
            r"|glpat-[\w-]{16,250}|sk-[\w-]{20,250}|xox[abopsr]-[\w-]{10,250}|A[KS]IA[0-9A-Z]{16}"
            r"|hf_[A-Za-z0-9]{20,250}|npm_[A-Za-z0-9]{30,250}|pypi-[\w-]{20,250}|AIza[\w-]{35}"
            r"|eyJ[\w-]{8,4000}\.[\w-]{1,4000}\.[\w-]{0,400})"
        ),
    ),
)
"""What they are, words in lower case of which a text with one has one, and how they look."""


class Secret(NamedTuple):
    """Where one is in a text, and what it is."""

    begin: int
    end: int
    what: str
    """Never the value, nor a part of it."""
    certain: bool = False
    """Whether its name or form leaves no doubt, so that it is looked for elsewhere, too."""


class Left(NamedTuple):
    """What was left out."""

    place: str
    size: int
    """Bytes of it."""
    what: str


if TYPE_CHECKING:
    Finder = Callable[[str], Iterable[Secret]]


def find(text: str) -> Iterator[Secret]:
    """Yield what looks like a credential in a text; secrets may overlap."""
    lower = text.lower()  # looking for plain words first takes a tenth of the time
    for pattern in (_NAMED, _OPTION) if any(word in lower for word in _HINTS) else ():
        for found in pattern.finditer(text):
            name = found["name"]
            group = next(group for group in _GROUPS if found.groupdict().get(group))
            if _NO_SECRET.search(name) is None and found[group].strip("*"):
                prose = group == "bare" and ":" in text[found.end("name") : found.start(group)]
                yield Secret(*found.span(group), f"what stands behind {name}", not prose)
    for what, hints, pattern in _SHAPES:
        for found in pattern.finditer(text) if any(word in lower for word in hints) else ():
            if found["v"].strip("*\\n \r\n"):
                yield Secret(*found.span("v"), what, certain=True)


class Values:
    """Secrets that are known by their value, wherever they are.

    Args:
        environ: variables, of which those with the name of a credential count.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._values: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        for name, value in environ.items():
            if _NAME.search(name) and not _NO_SECRET.search(name):
                self.add(value, f"the value of {name} in the environment")

    def add(self, value: str, what: str) -> None:
        """Take a secret that was found, to look for it elsewhere."""
        if len(value) >= _KNOWN_MIN and value not in self._values:
            # A spool has the bytes of what is text elsewhere.
            raw = value.encode(errors="surrogateescape").decode("latin-1")
            shorter = value.rstrip(_BEHIND)
            known = (value, raw, shorter) if len(shorter) >= _KNOWN_MIN else (value, raw)
            self._values.update(dict.fromkeys(known, what))
            self._pattern = None

    def find(self, text: str) -> Iterator[Secret]:
        """Yield where one of them is in a text."""
        if not self._values:
            return
        if self._pattern is None:
            longest_first = sorted(self._values, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        for found in self._pattern.finditer(text):
            yield Secret(*found.span(), self._values[found[0]])


def distinct(found: Iterable[Secret]) -> list[Secret]:
    """Return secrets in order, without those that lie in others."""
    kept: list[Secret] = []
    for one in sorted(found, key=lambda each: (each.begin, -each.end)):
        if not kept or one.end > kept[-1].end:
            kept.append(one)
    return kept


def masked(text: str, secrets: Iterable[Secret]) -> str:
    """Return a text with asterisks in place of secrets."""
    for one in secrets:
        text = text[: one.begin] + "*" * (one.end - one.begin) + text[one.end :]
    return text
