"""The command of a launch that is looked at: what the user gave, and what makes it tell of itself.

By default that is the label flag of that launcher, a trace of PMI, log lines of all ranks down to
debug, what makes a stall speak soon, and the hello line.
"""

from __future__ import annotations

import shlex
from typing import NamedTuple

from fluxstart_tui.launchers import hello, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from fluxstart_tui.launchers.table import Launcher

TAG = "FLUX_START_URI"
"""The variable that marks all processes of a launch on this host, as in test mode."""

_LOG = (
    "-o,-v",  # log-stderr-mode=local: in leader mode ranks that can not reach rank 0 are silent
    "-o,-Slog-stderr-level=7",  # endpoints and connections are logged at debug only
    "-o,-Stbon.zmqdebug=1",  # why a connection fails
    "-o,-Sbroker.quorum-warn=5s",
    "-o,-Stbon.connect_timeout=5s",
)
"""What brokers are told so that they tell; before the user's options, which override them."""

_LABELLED = {
    "srun": ("--label", "-l"),
    "hydra": ("-prepend-rank", "-l"),
    "impi": ("-prepend-rank", "-l"),
    "gforker": ("-l",),
    "ompi4": ("--tag-output", "-tag-output"),
    "ompi5": ("--tag-output", "--output"),
    "flux": ("--label-io", "-l"),
    "pals": ("--label", "-l"),
    "jsrun": ("--stdio_mode",),
}
"""Options by which a user has asked for labels."""


class Assembly(NamedTuple):
    """A command to run."""

    argv: list[str]
    before: list[str]
    """The words of `argv` before the broker's own: with them other things are launched alike."""
    launcher: Launcher | None
    """Which one it is, None if it is not known."""
    command: list[str]
    """The user's own, without what makes it tell of itself."""
    by_hand: str
    """What does the same as `argv` in a shell, the hello line and the tap left out."""
    notes: list[str]
    """What of the user's command was changed, one sentence each."""


def assemble(
    launcher: Sequence[str],
    start: Sequence[str],
    options: Sequence[str],
    program: Sequence[str],
    *,
    tag: str,
    version: str = "",
    raw: bool = False,
    tap: Sequence[str] = (),
) -> Assembly:
    """Put a launch together.

    Args:
        launcher: the user's words before `flux start`.
        start: `flux start`, or the words of another broker that takes its options.
        options: the user's for it.
        program: the initial program.
        tag: value of TAG that marks the launch: its start service's URI.
        version: what the launcher prints on --version.
        raw: add nothing.
        tap: words of the PMI tap, if it is wanted.
    """
    known = table.recognise(launcher, version)
    words = list(launcher)
    if words[0].partition("=")[0].isidentifier() and "=" in words[0]:  # a shell's way to say it
        words.insert(0, "env")
    notes: list[str] = []
    if known is not None and known.name == "srun" and "--pty" in words and not raw:
        words.remove("--pty")
        notes.append("--pty was left out: it throws away what ranks other than 0 say")
    command = [*words, *start, *options, *program]
    if raw:
        return Assembly(command, words, known, command, shlex.join(command), notes)
    if known is not None:
        words = _labelled(words, known)
    broker = [*start, *_LOG, *options, *program]
    by_hand = shlex.join([*words, "env", "FLUX_PMI_DEBUG=1", *broker])
    before = [*words, *tap, *hello.words({"FLUX_PMI_DEBUG": "1", TAG: tag})]
    return Assembly([*before, *broker], before, known, command, by_hand, notes)


def _labelled(words: list[str], known: Launcher) -> list[str]:
    """Return the launcher's words with its label flag, unless it is there."""
    if any(word.partition("=")[0] in _LABELLED[known.name] for word in words):
        return words
    at = (table.start(words) or 0) + 1
    if known.name == "flux":  # flux run
        at += 1
    return [*words[:at], *known.label, *words[at:]]
