"""What `--ctl` can ask of an instance: each verb one call of its start service."""

from __future__ import annotations

import math
import signal
from typing import NamedTuple

from fluxstart_tui import compactjson
from fluxstart_tui.rfc import fsd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fluxstart_tui.rpc.blocking import Client

PATIENCE = 10.0
"""Seconds for an answer that the instance owes at once."""


class ControlError(Exception):
    """What was asked for can not be asked, or was not done; the text is one line."""


class Verb(NamedTuple):
    """What can be asked for."""

    usage: str
    """The words after the verb; one that begins with `[` may be missing."""
    run: Callable[[Session, list[str]], int]
    """Does it and returns the exit code."""
    help: str
    """Says what it does."""


class Session(NamedTuple):
    """A conversation with an instance, and where to print."""

    client: Client
    out: Callable[[str], None]

    def ask(self, topic: str, /, **payload: object) -> dict[str, Any]:
        """Call a method of the start service that answers at once."""
        return self.client.call(f"start.{topic}", payload, timeout=PATIENCE)


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ControlError(f"{what} must be a number, not '{text}'")
    return int(text)


def _signum(text: str) -> int:
    """Return the number of a signal such as TERM, SIGTERM or 15."""
    if text.isascii() and text.isdigit():
        return _number(text, "a signal")
    name = text.upper().removeprefix("SIG")
    try:
        return signal.Signals[f"SIG{name}"].value
    except KeyError:
        raise ControlError(f"unknown signal '{text}'") from None


def _status(session: Session, _words: list[str]) -> int:
    procs = session.client.call("start.status", timeout=PATIENCE).get("procs")
    lines = ["RANK      PID"]
    for rank, proc in enumerate(procs if isinstance(procs, list) else []):
        pid = proc.get("pid", -1) if isinstance(proc, dict) else -1
        lines.append(f"{rank:4} {pid if pid != -1 else '-':>8}")
    session.out("\n".join(lines) + "\n")
    return 0


def _info(session: Session, _words: list[str]) -> int:
    answer = session.ask("info")
    width = max(map(len, answer))
    for name, value in answer.items():
        text = value if isinstance(value, str) else compactjson.dumps(value)
        session.out(f"{name:<{width}}  {text}\n")
    return 0


def _run(session: Session, words: list[str]) -> int:
    session.ask("run", rank=_number(words[0], "a rank"))
    return 0


def _kill(session: Session, words: list[str]) -> int:
    session.ask("kill", rank=_number(words[0], "a rank"), signum=_signum(words[1]))
    return 0


def _wait(session: Session, words: list[str]) -> int:
    answer = session.client.call("start.wait", {"rank": _number(words[0], "a rank")})
    code = answer.get("exit_rc")
    if type(code) is not int:
        raise ControlError("the answer has no exit code")
    return code & 0xFF


def _signal(session: Session, words: list[str]) -> int:
    ranks = session.ask("signal", ranks=words[0], signum=_signum(words[1])).get("ranks")
    if not ranks:
        raise ControlError(f"none of the ranks {words[0]} runs")
    session.out(f"signalled rank {ranks}\n")
    return 0


def _timer(session: Session, words: list[str]) -> int:
    action = words[0]
    if (action == "extend") != (len(words) == 2) or action not in ("extend", "cancel", "fire"):
        raise ControlError("extend DURATION, cancel or fire is needed")
    if action == "extend":
        left = session.ask("timer", action=action, seconds=_seconds(words[1])).get("remaining")
        session.out(f"exit timer: {left:.1f} s left\n")
    elif action == "fire":
        ranks = session.ask("timer", action=action).get("ranks")
        session.out(f"killed rank {ranks}\n" if ranks else "nobody was left to kill\n")
    else:
        session.ask("timer", action=action)
    return 0


def _seconds(text: str) -> float:
    try:
        seconds = fsd.parse(text)
    except ValueError:
        seconds = math.inf
    if not 0 < seconds < math.inf:
        raise ControlError(f"'{text}' is no duration such as 30s or 5m")
    return seconds


def _pmi(action: str) -> Callable[[Session, list[str]], int]:
    def run(session: Session, words: list[str]) -> int:
        held = session.ask("pmi", **{action: words[0]})
        what = [f"rank {held['ranks']}"] if held.get("ranks") else []
        what += ["the barrier"] if held.get("barrier") else []
        session.out(f"held: {' and '.join(what) or 'nothing'}\n")
        return 0

    return run


def _shutdown(session: Session, _words: list[str]) -> int:
    session.ask("shutdown")
    return 0


def _watch(session: Session, _words: list[str]) -> int:
    for answer in session.client.stream("start.watch", {}):
        session.out(" ".join(f"{name} {value}" for name, value in answer.items()) + "\n")
    return 0


def _input(session: Session, words: list[str]) -> int:
    session.ask("input", data=words[0], **_whose(words[1:]))
    return 0


def _resize(session: Session, words: list[str]) -> int:
    rows, cols = _number(words[0], "rows"), _number(words[1], "columns")
    session.ask("resize", rows=rows, cols=cols, **_whose(words[2:]))
    return 0


def _continue(session: Session, words: list[str]) -> int:
    session.ask("continue", **_whose(words))
    return 0


def _whose(words: list[str]) -> dict[str, int]:
    """Name the rank whose terminal is meant, if it was given."""
    return {"rank": _number(words[0], "a rank")} if words else {}


VERBS = {
    "status": Verb("", _status, "list the brokers' pids"),
    "info": Verb("", _info, "say what instance this is"),
    "run": Verb("RANK", _run, "start a broker again that has ended"),
    "kill": Verb("RANK SIGNAL", _kill, "signal one broker"),
    "wait": Verb("RANK", _wait, "wait for a broker and exit as it did"),
    "signal": Verb("IDSET|all SIGNAL", _signal, "signal several brokers"),
    "timer": Verb(
        "extend|cancel|fire [DURATION]", _timer, "change the exit timer or let it kill now"
    ),
    "hold": Verb("IDSET|barrier|all", _pmi("hold"), "hold brokers in PMI, or its barrier"),
    "release": Verb("IDSET|barrier|all", _pmi("release"), "let them go"),
    "shutdown": Verb("", _shutdown, "end the instance in order"),
    "watch": Verb("", _watch, "print how the recording grows"),
    "input": Verb("TEXT [RANK]", _input, "type into the terminal of rank 0 or RANK"),
    "resize": Verb("ROWS COLUMNS [RANK]", _resize, "give that terminal a size"),
    "continue": Verb("[RANK]", _continue, "continue a program that has stopped on it"),
}


def usage(prog: str) -> str:
    """Return the text of the verb `help`."""
    rows = [(f"{name} {verb.usage}", verb.help) for name, verb in VERBS.items()]
    width = max(len(words) for words, _ in rows)
    return "".join(
        (
            f"Usage: {prog} --ctl=TARGET VERB ...\n",
            "TARGET is a local:// URI, a rundir, a session, a pid of the instance, or last.\n\n",
            *(f"  {words:<{width}}  {text}\n" for words, text in rows),
        )
    )
