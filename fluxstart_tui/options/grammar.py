"""The grammar of the command line: liboptparse's, and the getopt_long's that it carries.

Parsing stops at the first word that is no option, long options may be cut to any unique prefix,
short ones bundle, some arguments are split at commas.
"""

from __future__ import annotations

from fluxstart_tui.options.draft import Draft
from fluxstart_tui.options.errors import HelpRequested, UsageError
from fluxstart_tui.options.table import ABBREVIABLE, BY_KEY, BY_NAME, NONE, REQUIRED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fluxstart_tui.options.table import Option


def parse(prog: str, argv: Sequence[str]) -> Draft:
    """Parse a command line without its zeroth word.

    Raises:
        HelpRequested: `--help` was met before any mistake.
        UsageError: an option is unknown or lacks its argument, or an early check fails.
    """
    found: dict[str, list[str | None]] = {}
    words = list(argv)
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            at += 1
            break
        if not word.startswith("-") or word == "-":
            break
        at += 1
        options = _long(prog, word) if word.startswith("--") else _short(prog, word)
        for option, value in options:
            if option.name == "help":
                raise HelpRequested
            if option.arg == REQUIRED and value is None:
                if at == len(words):
                    raise UsageError(f"{prog}: '{word}' missing argument")
                value = words[at]  # noqa: PLW2901 - the argument is the next word
                at += 1
            values = found.setdefault(option.name, [])
            values.extend(_split(value) if option.split and value is not None else (value,))
    return Draft(prog, found, words[at:])


def _long(prog: str, word: str) -> Iterator[tuple[Option, str | None]]:
    name, equals, value = word[2:].partition("=")
    option = BY_NAME.get(name)
    if option is None:
        matches = [option for option in ABBREVIABLE if option.name.startswith(name)]
        if len(matches) != 1:
            raise _unrecognized(prog, word)
        option = matches[0]
    if equals and option.arg == NONE:
        raise _unrecognized(prog, f"-{option.key}" if option.key else word)
    yield option, value if equals else None


def _short(prog: str, word: str) -> Iterator[tuple[Option, str | None]]:
    rest = word[1:]
    while rest:
        option = BY_KEY.get(rest[0])
        if option is None:
            raise _unrecognized(prog, f"-{rest[0]}")
        rest = rest[1:]
        if option.arg == REQUIRED or option.short_optional:
            yield option, rest or None
            return
        yield option, None


def _unrecognized(prog: str, word: str) -> UsageError:
    return UsageError(
        f"{prog}: unrecognized option '{word}'\nTry `{prog} --help' for more information."
    )


def _split(text: str) -> list[str]:
    """Cut at commas as argz_create_sep(3) does: none at the front, none doubled, one at the end."""
    parts = [part for part in text.split(",") if part]
    if text.endswith(","):
        parts.append("")
    return parts
