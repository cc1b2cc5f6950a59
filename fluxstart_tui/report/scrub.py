"""Take credentials out of a session: their bytes become asterisks, so that offsets stay right."""

from __future__ import annotations

import json
import os
import re

from fluxstart_tui.report import scrub_spool, secrets
from fluxstart_tui.report.secrets import Left
from fluxstart_tui.session.header import HEADER, JOURNAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fluxstart_tui.report.secrets import Finder, Secret

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?')
_CHARACTER = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[\s\S]"
)


class Scrubber:
    """Takes credentials out of files.

    Args:
        environ: variables whose values are looked for if their names are those of credentials.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._values = secrets.Values(environ)
        self.left: list[Left] = []
        """What was left out, never the value."""

    def session(self, directory: str) -> None:
        """Scrub a session's files in place.

        What stands behind a name in one place is then looked for in all others.

        Raises:
            OSError: they can not be read or written.
        """
        for finder in (self._find, self._values.find):
            for name in (HEADER, JOURNAL):
                self._json_lines(os.path.join(directory, name), finder)
            self.left += scrub_spool.scrub(directory, finder)

    def settings(self, text: str, name: str) -> str:
        """Return a user's own text that is to become a file, scrubbed."""
        return self._masked(text, name, self._find)

    def report(self, text: str, name: str) -> str:
        """Return a text that was made of scrubbed ones without what is known by its value."""
        return self._masked(text, name, self._values.find)

    def _masked(self, text: str, name: str, finder: Finder) -> str:
        found = list(finder(text))
        self.left += [Left(name, one.end - one.begin, one.what) for one in found]
        return secrets.masked(text, found)

    def _find(self, text: str) -> list[Secret]:
        found = secrets.distinct([*secrets.find(text), *self._values.find(text)])
        for one in found:
            if one.certain:
                self._values.add(text[one.begin : one.end], f"{one.what}, elsewhere")
        return found

    def _json_lines(self, path: str, finder: Finder) -> None:
        """Scrub a file of JSON: a whole object, or one a line."""
        whole = os.path.basename(path) == HEADER
        with open(path, "r+b") as file:
            offset = 0
            lines = [file.read()] if whole else file
            masks = []
            for number, line in enumerate(lines, 1):
                place = os.path.basename(path) + ("" if whole else f", line {number}")
                text = line.decode("latin-1")
                for one, begin, end in _in_json(text, finder):
                    masks.append((offset + begin, end - begin))
                    self.left.append(Left(place, end - begin, one.what))
                offset += len(line)
            for begin, size in masks:
                os.pwrite(file.fileno(), b"*" * size, begin)


def _in_json(text: str, finder: Finder) -> Iterator[tuple[Secret, int, int]]:
    """Yield secrets in the strings of a JSON text, and where their bytes are.

    Names of members stay, whatever they are: without them it would be another text.

    Args:
        text: JSON, a character for each byte of it; what is none is searched as it is.
        finder: what finds secrets.
    """
    try:
        json.loads(text)
        strings = [(found[1], found.start(1), bool(found[2])) for found in _STRING.finditer(text)]
    except (ValueError, RecursionError):
        for one in finder(text):
            yield one, one.begin, one.end
        return
    parts: list[str] = []
    places: list[tuple[int, str, int]] = []  # where strings begin that may be masked: there, here
    size = 0
    for raw, begin, is_name in strings:
        value = json.loads(f'"{raw}"', strict=False) if "\\" in raw else raw
        part = f"{secrets.KEY}{value}{secrets.KEY}" if is_name else f"{value}{secrets.VALUE}"
        if not is_name:
            places.append((size, raw, begin))
        parts.append(part)
        size += len(part)
    for one in finder("".join(parts)):
        for start, raw, begin in places:
            if one.end <= start or one.begin >= start + len(raw):
                continue
            sizes = [len(token[0]) for token in _CHARACTER.finditer(raw)]
            first, last = max(0, one.begin - start), min(len(sizes), one.end - start)
            if first < last:
                yield one, begin + sum(sizes[:first]), begin + sum(sizes[:last])
