"""`--ctl=TARGET VERB ...`: have a running instance do something, by its start service."""

from __future__ import annotations

import errno
import os

from fluxstart_tui.control_verbs import PATIENCE, VERBS, ControlError, Session, Verb, usage
from fluxstart_tui.rpc.blocking import Client
from fluxstart_tui.rpc.errors import RpcError
from fluxstart_tui.target import TargetError, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def main(
    prog: str,
    target: str,
    words: list[str],
    out: Callable[[str], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> int:
    """Carry out one command.

    Args:
        prog: what the program is called.
        target: names the instance (see target.resolve).
        words: the verb and its arguments.
        out: prints text as it is; to stdout unless given.
        say: prints one line; to stderr with the program's name unless given.

    Returns:
        The exit code: 0, 1 where it could not be done, a broker's own where that was waited for.
    """
    out = out or _print
    say = say or (lambda text: _write(2, f"{prog}: {text}\n"))
    try:
        if words[:1] == ["help"]:
            out(usage(prog))
            return 0
        name, verb = _verb(prog, words)
        path = resolve(target)
    except (ControlError, TargetError) as error:
        say(str(error))
        return 1
    try:
        with Client(path, timeout=PATIENCE) as client:
            try:
                return verb.run(Session(client, out), words[1:])
            except RpcError as error:
                say(_explain(name, words[1:], error))
    except ControlError as error:
        say(f"{name}: {error}")
    except RpcError as error:
        say(f"{target}: {error}")
    return 1


def _print(text: str) -> None:
    try:
        _write(1, text)
    except OSError as error:
        raise ControlError(f"write error on stdout: {error.strerror}") from None


def _write(fd: int, text: str) -> None:
    data = text.encode(errors="surrogateescape")
    while data:
        data = data[os.write(fd, data) :]


def _verb(prog: str, words: list[str]) -> tuple[str, Verb]:
    if not words:
        raise ControlError(f"--ctl needs one of {', '.join(VERBS)}")
    verb = VERBS.get(words[0])
    if verb is None:
        raise ControlError(f"--ctl: unknown verb '{words[0]}': one of {', '.join(VERBS)} is needed")
    wanted = verb.usage.split()
    optional = sum(word.startswith("[") for word in wanted)
    if not len(wanted) - optional <= len(words) - 1 <= len(wanted):
        form = f"{words[0]} {verb.usage}".rstrip()
        raise ControlError(f"usage: {prog} --ctl=TARGET {form}")
    return words[0], verb


def _explain(name: str, words: list[str], error: RpcError) -> str:
    if error.errnum == errno.ENOSYS:
        return f"{name}: this instance does not offer it: flux start itself runs it"
    if error.text is None and error.errnum == errno.ESRCH:
        return f"rank {words[0]} broker process not found"  # as startctl.py of flux-core
    if error.text is None and error.errnum == errno.EEXIST:
        state = "runs already" if name == "run" else "is being waited for by somebody else"
        return f"{name}: rank {words[0]} {state}"
    if error.text is None and error.errnum == errno.ETIMEDOUT:
        return f"{name}: no answer within {PATIENCE:.0f} s"
    if error.errnum == errno.ECONNRESET:
        return f"{name}: the instance has gone"
    return f"{name}: {error}"
