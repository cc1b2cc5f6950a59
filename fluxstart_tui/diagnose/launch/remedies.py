"""Remedies as commands for the launcher at hand, made of the command that was run if it is known.

A remedy of a rule is a pattern: `srun OPTION ...` adds or replaces an option of srun, `flux start
OPTION ...` one of flux start, `NAME=VALUE` and `unset NAME` change the environment. The three dots
stand for the rest of the user's own command; what has none is run as it stands.
"""

from __future__ import annotations

import os
import re
import shlex

from fluxstart_tui.diagnose.launch.facts import TEST_MODE
from fluxstart_tui.diagnose.words import PROGRAM
from fluxstart_tui.launchers import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fluxstart_tui.diagnose.launch.launch import Launch

_FAMILIES = {
    "srun": ("srun",),
    "squeue": ("srun",),
    "scontrol": ("srun",),
    "journalctl": ("srun",),
    "mpiexec.hydra": ("hydra", "impi"),
    "mpirun": ("ompi", "ompi4", "ompi5"),
    "flux run": ("flux",),
    "mpiexec.gforker": ("gforker",),
}
"""Launchers for which a remedy makes sense, by its first words."""

_ALIVE = (
    "ps ", "pstree ", "kill ", "flux overlay", "flux dmesg", "flux module list", "flux proxy",
    f"{PROGRAM} --ctl=", f"{PROGRAM} --diagnose=PID ",
)  # fmt: skip
"""How remedies begin that need an instance that is still there."""

_OWN_WORDS = (
    (("srun: ", "slurmstepd", "salloc: "), "srun"),
    (("[mpiexec@", "[proxy:"), "hydra"),
    (("prterun",), "ompi5"),
    (("mpirun", "ORTE"), "ompi"),
)
_LABELS = {"tag": "ompi", "brackets": "hydra", "angle": "gforker", "host": "pals"}

_SPACES = (
    (re.compile(r"\d+\.\d+$"), "srun"),
    (re.compile("kvs_"), "hydra"),
    (re.compile("\u0192"), "flux"),
)
"""How launchers name their key-value spaces: STEP.0, kvs_PID_..., a job id in F58."""


def launcher(launch: Launch) -> str:
    """Name the launcher as the command tells it, or else its lines; empty if neither does."""
    known = table.recognise(launch.command)
    if known is not None or launch.launcher:
        return known.name if known is not None else launch.launcher
    for line in launch.own:
        for heads, name in _OWN_WORDS:
            if line.text.startswith(heads):
                return name
    if launch.labels.name in _LABELS:
        return _LABELS[launch.labels.name]
    return next((name for form, name in _SPACES if form.match(launch.space)), "")


def fitting(
    remedies: Iterable[str], name: str, command: Sequence[str], *, past: bool = False
) -> tuple[str, ...]:
    """Return the remedies that fit a launcher, applied to the command that was run.

    Args:
        remedies: as rules give them.
        name: of the launcher; empty if it is not known, then all may fit.
        command: what was run, empty if it is not known.
        past: whether it is over, so that nothing is left to be looked at.

    What the command has already is left out, and all that needs a launcher where there is none.
    """
    found = []
    for remedy in remedies:
        if past and remedy.startswith(_ALIVE):
            continue
        if name == TEST_MODE and "launcher" in remedy:
            continue
        families = next((f for words, f in _FAMILIES.items() if remedy.startswith(words)), ())
        fits = not (families and name and name not in families)
        if fits and not _has(remedy, command):
            found.append(applied(remedy, command) or remedy)
    return tuple(dict.fromkeys(found))


def _has(remedy: str, command: Sequence[str]) -> bool:
    """Tell whether a command has already all options that a remedy adds to it."""
    try:
        words = shlex.split(remedy.partition("   # ")[0])
    except ValueError:
        return False
    if words[-1:] != ["..."]:
        return len(words) == 1 and words[0] in command
    start = words[:2] == ["flux", "start"]
    given = {part for word in command for part in (_parts(word) if start else [word])}
    wanted = {part for word in words[1 + start : -1] for part in _parts(word)}
    return bool(wanted) and wanted <= given


def _parts(word: str) -> list[str]:
    """Return the broker's options in a word of flux start's, or else the word."""
    for option in ("-o", "--broker-opts="):
        if word.startswith(option):
            return [part for part in word.removeprefix(option).split(",") if part]
    return [word]


def applied(remedy: str, command: Sequence[str]) -> str | None:
    """Return a command changed as a remedy says; None if it is no change of that command."""
    text, mark, comment = remedy.partition("   # ")
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    at = table.start(command)
    if at is None or not words:
        return None
    changed = list(command)
    if words[0] == "unset":
        given = tuple(f"{name}=" for name in words[1:])
        kept = [word for word in changed if not word.startswith(given)]
        inherited = [name for name in given if not any(w.startswith(name) for w in changed)]
        unset = [word for name in inherited for word in ("-u", name[:-1])]
        return _quoted(["env", *unset, *kept] if unset else kept)
    if len(words) == 1 and words[0].partition("=")[0].isidentifier() and "=" in words[0]:
        return _quoted([words[0], *(w for w in changed if not w.startswith(_name(words[0])))])
    if words[-1] != "...":
        return None
    if words[:2] == ["flux", "start"]:
        place = flux_start(changed)
        options = words[2:-1]
    else:
        same = os.path.basename(changed[at]).partition(".")[0] == words[0].partition(".")[0]
        place = at + 1 if same else None
        options = words[1:-1]
    if place is None or not options or not all(word.startswith("-") for word in options):
        return None
    names = tuple(_name(option) for option in options if "=" in option)
    if names and words[:2] != ["flux", "start"]:
        changed = [*changed[:place], *(w for w in changed[place:] if not w.startswith(names))]
    return _quoted([*changed[:place], *options, *changed[place:]]) + (mark and mark + comment)


_OURS = ("-m", "fluxstart_tui")
_OPTIONS = ("--headless", "--broker=")


def _name(word: str) -> str:
    return word.partition("=")[0] + "="


def flux_start(command: Sequence[str]) -> int | None:
    """Return the index behind `flux start`, or what stands for it (engine/launch_command.py)."""
    for at, word in enumerate(command[:-1]):
        if os.path.basename(word) == "flux" and command[at + 1] == "start":
            return at + 2
        if (word, command[at + 1]) == _OURS:
            return at + 2 + sum(word.startswith(_OPTIONS) for word in command[at + 2 : at + 4])
    return None


def _quoted(words: Sequence[str]) -> str:
    """Return words as the shell takes them, variables before the command left as such."""
    at = 0
    while at < len(words) and "=" in words[at] and words[at].partition("=")[0].isidentifier():
        at += 1
    sets = [f"{_name(word)}{shlex.quote(word.partition('=')[2])}" for word in words[:at]]
    return " ".join([*sets, shlex.join(words[at:])])
