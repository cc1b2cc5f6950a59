"""Whom a command is for: what a user names an instance by, and its start socket."""

from __future__ import annotations

import os
import stat

from fluxstart_tui import compactjson
from fluxstart_tui.rpc.connect import SCHEME, path_of

_VARIABLE = b"FLUX_START_URI="
_PATIENCE = 5.0
_LISTENING = "00010000"
"""The flag of a listening socket in /proc/net/unix (__SO_ACCEPTCON)."""


class TargetError(Exception):
    """What was named is no instance; the text is one line."""


def resolve(target: str) -> str:
    """Return the path of an instance's start socket.

    Args:
        target: a local:// URI, the socket, the rundir, a session's directory, the pid of the engine
            or of a process of the instance, or `last` for the newest session that is live.

    Raises:
        TargetError: that is no instance.
    """
    if target == "last":
        return _of_newest()
    if target.isascii() and target.isdigit():
        return _of_process(int(target[:20]))
    if target.startswith(SCHEME) and len(target) > len(SCHEME):
        return path_of(target)
    if "://" in target:
        raise TargetError(f"{target}: only {SCHEME} URIs are known")
    try:
        mode = os.stat(target).st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TargetError(f"{target!r}: {reason}") from None
    if stat.S_ISSOCK(mode):
        return target
    if not stat.S_ISDIR(mode):
        raise TargetError(f"{target}: neither a rundir nor a socket")
    if os.path.exists(f"{target}/session.json"):
        return _of_header(target, _header(target))
    return os.path.join(target, "start")


def session(target: str | None) -> str:
    """Return the directory of a session.

    Args:
        target: the directory, its name among the others, what `resolve` takes for an instance that
            is recorded, or `last` or None for the newest.

    Raises:
        TargetError: there is none.
    """
    from fluxstart_tui.session import home, store

    if target in (None, "last"):
        newest = store.last(live=True) or store.last()
        if newest is None:
            raise TargetError(f"no sessions are recorded in {home.root()}")
        return newest
    assert target is not None
    for directory in (target, os.path.join(home.root(), target)):
        if os.path.exists(f"{directory}/session.json"):
            return os.path.abspath(directory)
    return _of_instance(target)


def is_recorded(target: str) -> bool:
    """Tell whether an instance that somebody names has a session."""
    if os.path.basename(target).startswith("local-"):
        return False  # a broker's socket, which may never answer
    try:
        return bool(session(target))
    except TargetError:
        return False


def _of_instance(target: str) -> str:
    """Ask an instance where it is recorded."""
    from fluxstart_tui.rpc.blocking import Client
    from fluxstart_tui.rpc.errors import RpcError

    try:
        with Client(resolve(target), timeout=_PATIENCE) as client:
            directory = client.call("start.info").get("session")
    except RpcError as error:
        raise TargetError(f"{target}: {error}") from None
    if not isinstance(directory, str):
        raise TargetError(f"{target}: the instance is not recorded (--record)")
    return directory


def _of_newest() -> str:
    from fluxstart_tui.session import store

    here = os.uname().nodename
    for entry in store.listing():
        if entry.live and entry.header.get("host", here) == here:
            return _of_header(entry.path, entry.header)
    raise TargetError("last: no session on this host is live")


def _header(directory: str) -> dict[str, object]:
    try:
        with open(f"{directory}/session.json", encoding="utf-8") as file:
            header = compactjson.loads(file.read())
    except (OSError, ValueError) as error:
        raise TargetError(f"{directory}/session.json: {error}") from None
    return header if isinstance(header, dict) else {}


def _of_header(directory: str, header: dict[str, object]) -> str:
    uri, rundir = header.get("start_uri"), header.get("rundir")
    if isinstance(uri, str):
        return path_of(uri)
    if isinstance(rundir, str):
        return os.path.join(rundir, "start")
    raise TargetError(f"{directory}: the session does not name its rundir")


def _of_process(pid: int) -> str:
    """Return the start socket that a process listens on, or that its environment names."""
    try:
        path = _listening(pid) or _inherited(pid)
        if path is None:
            raise TargetError(f"{pid}: the process is of no instance")
        # A relative path is relative to where the process is.
        return os.path.join(os.readlink(f"/proc/{pid}/cwd"), path)
    except OSError as error:
        reason = "no such process" if isinstance(error, FileNotFoundError) else error.strerror
        raise TargetError(f"{pid}: {reason}") from None


def _listening(pid: int) -> str | None:
    sockets = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            sockets.add(os.readlink(f"/proc/{pid}/fd/{name}"))
        except OSError:
            continue  # closed meanwhile
    with open(f"/proc/{pid}/net/unix", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields = line.rstrip("\n").split(None, 7)
            if (
                len(fields) == 8
                and fields[3] == _LISTENING
                and fields[7].endswith("/start")
                and f"socket:[{fields[6]}]" in sockets
            ):
                return fields[7]
    return None


def _inherited(pid: int) -> str | None:
    with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
        for entry in file.readall().split(b"\0"):
            if entry.startswith(_VARIABLE):
                return path_of(os.fsdecode(entry[len(_VARIABLE) :]))
    return None
