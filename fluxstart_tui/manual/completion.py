"""Completion of command lines: `completion.SHELL`, filled from options and verbs."""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from fluxstart_tui.control_verbs import VERBS
from fluxstart_tui.manual import template, values
from fluxstart_tui.options.table import HIDDEN, NONE, OPTIONAL, REQUIRED, TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fluxstart_tui.manual.values import Values
    from fluxstart_tui.options.table import Option

_VERBS = {"help": "list the verbs", **{name: verb.help for name, verb in VERBS.items()}}
_SHOWN = [option for option in TABLE if option not in HIDDEN]


def script(shell: str) -> str:
    """Return what a shell reads to complete our command lines.

    Raises:
        KeyError: the shell is not known here.
    """
    return _SCRIPTS[shell]()


def _names(option: Option) -> list[str]:
    """Return `-s`, if it has a short name, and `--test-size`."""
    return [*([f"-{option.key}"] if option.key else []), f"--{option.name}"]


class _Word(NamedTuple):
    """A word after one of --ctl's verbs, of which a shell knows what it may be."""

    verb: str
    number: int
    values: Values


def _words() -> Iterator[_Word]:
    for name, verb in VERBS.items():
        for number, usage in enumerate(verb.usage.split(), 1):
            if any(its := values.parse(usage)):
                yield _Word(name, number, its)


def _fill(shell: str, **tables: str) -> str:
    """Put tables where the template has their names, as in `@OPTIONS@`."""
    text = template(f"completion.{shell}")
    for name, table in tables.items():
        text = text.replace(f"@{name}@", table)
    return text


def _consuming(separator: str) -> str:
    """Return the options whose argument is the next word."""
    return separator.join(name for one in _SHOWN if one.arg == REQUIRED for name in _names(one))


def _in_bash() -> str:
    flags = {
        "command": "-c",
        "directory": "-d",
        "file": "-f",
        "session": "-d",
    }

    def row(pattern: str, its: Values) -> str:
        words = [*its.words, *(["$(_fluxstart_tui_sessions)"] if "session" in its.kinds else [])]
        actions = [f'-W "{" ".join(words)}"'] if words else []
        actions += [flags[kind] for kind in its.kinds]
        return f'        {pattern}) compgen {" ".join(actions)} -- "$cur" ;;'

    long = [f"--{one.name}" + ("=" if one.arg == REQUIRED else "") for one in _SHOWN]
    short = [f"-{one.key}" for one in _SHOWN if one.key]
    return _fill(
        "bash",
        REQUIRED=_consuming(" | "),
        OPTIONS=" ".join([*long, *short]),
        VALUES="\n".join(row("|".join(_names(one)), its) for one, its in _with_values()),
        VERBS="\n".join(
            [
                row("*:0", values.Values(tuple(_VERBS), ())),
                *(row(f"{word.verb}:{word.number}", word.values) for word in _words()),
            ]
        ),
    )


def _with_values() -> Iterator[tuple[Option, Values]]:
    for option in _SHOWN:
        if any(its := values.parse(option.arginfo)):
            yield option, its


def _in_zsh() -> str:
    def action(its: Values) -> str:
        if not any(its):
            return ""
        return " ".join(["_fluxstart-tui_value", shlex.quote(" ".join(its.words)), *its.kinds])

    def row(option: Option) -> str:
        """Return a specification for _arguments (zshcompsys(1))."""
        told = re.sub(r"([\[\]:\\])", r"\\\1", option.usage)
        name = option.arginfo.strip("[]").replace(":", r"\:") or " "
        value = f":{name}: {action(values.parse(option.arginfo))}"
        long, short = {
            NONE: ("", ""),
            REQUIRED: (f"=[{told}]{value}", f"+[{told}]{value}"),
            OPTIONAL: (
                f"=-[{told}]:{value}",
                f"-[{told}]:{value}" if option.short_optional else "",
            ),
        }[option.arg]
        specs = [f"--{option.name}{long or f'[{told}]'}"]
        if option.key:
            specs.append(f"-{option.key}{short or f'[{told}]'}")
        return "\n".join(f"    {shlex.quote('*' + spec)} \\" for spec in specs)

    return _fill(
        "zsh",
        OPTIONS="\n".join(map(row, _SHOWN)),
        HELP="\n".join(f"    {shlex.quote(f'{name}:{text}')}" for name, text in _VERBS.items()),
        VERBS="\n".join(
            f"    {word.verb}:{word.number}) {action(word.values)} ;;" for word in _words()
        ),
    )


def _in_fish() -> str:
    calls = {
        "command": "(__fish_complete_command)",
        "directory": "(__fish_complete_directories)",
        "session": "(__fluxstart_tui_sessions)",
    }

    def arguments(its: Values) -> str:
        offered = [*its.words, *(calls[kind] for kind in its.kinds if kind in calls)]
        return f"-a {shlex.quote(' '.join(offered))}" if offered else ""

    def row(option: Option) -> str:
        its = values.parse(option.arginfo)
        short = f"-s {option.key}" if option.key else ""
        argument = {NONE: "", REQUIRED: "-r", OPTIONAL: ""}[option.arg]
        files = "-F" if "file" in its.kinds else ""
        told = f"-d {shlex.quote(option.usage)}"
        words = ("    $option", short, f"-l {option.name}", argument, files, arguments(its), told)
        return " ".join(word for word in words if word)

    return _fill(
        "fish",
        REQUIRED=_consuming(" "),
        OPTIONS="\n".join(map(row, _SHOWN)),
        HELP="\n".join(
            f"    $verb -a {name} -d {shlex.quote(text)}" for name, text in _VERBS.items()
        ),
        VERBS="\n".join(
            f"    $word -n '__fluxstart_tui_word {name} {number}' {arguments(its)}"
            for name, number, its in _words()
        ),
    )


_SCRIPTS: dict[str, Callable[[], str]] = {"bash": _in_bash, "zsh": _in_zsh, "fish": _in_fish}
SHELLS = tuple(_SCRIPTS)
