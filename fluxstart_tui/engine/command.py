"""What each rank's broker is run with: argument vector and environment. Pure but for recovery."""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import NamedTuple

from fluxstart_tui.engine.errors import LaunchError, reason
from fluxstart_tui.rfc import hostlist, taskmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.options import Options

    Environ = Callable[[int | None], dict[str, str]]

_STATEDIR = "/var/lib/flux"
"""Default statedir of a system instance (flux-start.c: default_statedir)."""


class Common(NamedTuple):
    """The broker arguments that all ranks share."""

    arguments: tuple[str, ...]
    warning: str | None
    """What is to be said about them, or None."""


def common(options: Options, located: Located) -> Common:
    """Work out the arguments that follow the broker's path (flux-start.c: add_args_common).

    Raises:
        LaunchError: --recovery names nothing that can be recovered.
    """
    arguments = [f"-S{value}" for value in options.setattr]
    arguments += options.broker_opts
    system = options.sysconfig
    warning = None
    if options.recovery:
        target = options.recovery_target
        if target is None:
            if _accepts(f"{located.builtin('rundir', '/run/flux')}/local"):
                raise LaunchError("system instance is already running")
            target, system = _STATEDIR, True
        arguments += [
            "-Sbroker.recovery-mode=1",
            "-Sbroker.quorum=1",
            "-Sbroker.module-nopanic=1",
            "-Slog-stderr-level=5",
            _recovery_source(target),
        ]
    config = None
    if system:
        config = f"{located.builtin('confdir', '/etc/flux')}/system/conf.d"
    if options.config_path is not None:
        if system:
            warning = f"Warning: overriding recovery/--sysconfig path with {options.config_path}"
        config = options.config_path
    if config is not None:
        arguments.append(f"-c{config}")
    arguments += [f"--conf={value}" for value in options.conf]
    return Common(tuple(arguments), warning)


def _recovery_source(target: str) -> str:
    """Check a recovery target and return the argument that names it to the broker."""
    try:
        status = os.stat(target)
        if not stat.S_ISDIR(status.st_mode):
            return f"-Scontent.restore={target}"
        if status.st_uid != os.getuid():
            raise LaunchError(f"{target}: not owned by you")
        if status.st_mode & stat.S_IRWXU != stat.S_IRWXU:
            raise LaunchError(f"{target}: no access")
        target_file = f"{target}/content.sqlite"
        if not os.access(target_file, os.F_OK):
            os.stat(target_file)
            raise LaunchError(f"{target_file}: no access")
    except OSError as error:
        raise LaunchError(f"{error.filename}: {reason(error)}") from error
    if not os.access(target_file, os.R_OK):
        raise LaunchError(f"{target_file}: no read permission")
    if not os.access(target_file, os.W_OK):
        raise LaunchError(f"{target_file}: no write permission")
    return f"-Sstatedir={target}"


def _accepts(path: str) -> bool:
    """Tell whether a broker answers on a local connector socket with its one byte 0."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(path)
            return client.recv(1) == b"\0"
        except OSError:
            return False


def argv(
    options: Options,
    located: Located,
    shared: Common,
    rank: int | None,
    rundir: str = "",
    host: str | None = None,
) -> list[str]:
    """Return the words to execute for one rank; `rank` is None for normal mode's broker."""
    wrapped = rank is None or options.wrap_ranks is None or rank in options.wrap_ranks
    words = [*(options.wrap if wrapped else ()), *located.words, *shared.arguments]
    if rank is not None:
        words.append(f"--setattr=rundir={rundir}")
        if host is not None:
            words.append(f"--setattr=hostname={host}")
    if not rank:
        words += options.command
    return words


def rundir(arguments: Iterable[str]) -> str:
    """Return the value of attribute rundir that broker arguments set: the last one counts."""
    found = ""
    for word in arguments:
        attribute = word.removeprefix("--setattr=").removeprefix("-S")
        if attribute.startswith("rundir="):
            found = attribute[len("rundir=") :]
    return found


def executable(words: list[str]) -> str:
    """Return the word to execute.

    Raises:
        OSError: it is empty, which exec takes for a missing file and Python for a ValueError.
    """
    if not words[0]:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    return words[0]


def start_uri(rundir: str) -> str:
    """Return the URI of the start service of the instance that runs in `rundir`."""
    return f"local://{rundir}/start"


def environment(
    base: dict[str, str], rank: int, size: int, rundir: str, host: str | None, pmi_fd: int | None
) -> dict[str, str]:
    """Return the environment of one rank in test mode (flux-start.c: client_create).

    FLUX_FAKE_HOSTNAME is for brokers before 0.82, which do not know the hostname attribute. Without
    `pmi_fd`, in normal mode, there is only the start service's address.
    """
    env = {**base, "FLUX_START_URI": start_uri(rundir)}
    if pmi_fd is not None:
        env |= {"PMI_FD": str(pmi_fd), "PMI_RANK": str(rank), "PMI_SIZE": str(size)}
    if host is not None:
        env["FLUX_FAKE_HOSTNAME"] = host
    return env


def process_mapping(clique: str, size: int) -> str:
    """Return PMI_process_mapping for a --test-pmi-clique, "" for none.

    Raises:
        LaunchError: the task map is malformed.
    """
    if clique == "none":
        return ""
    try:
        if clique == "single":
            where = taskmap.single(size)
        elif clique == "per-broker":
            where = taskmap.per_broker(size)
        else:
            where = taskmap.decode(clique)
        return taskmap.encode_pmi(where) if where.blocks else ""
    except taskmap.TaskMapError as error:
        raise LaunchError(f"test-pmi-clique: {error}") from None


def hosts(text: str | None, size: int) -> list[str] | None:
    """Return the host of each rank for a --test-hosts, None if there is none.

    Raises:
        LaunchError: the list is malformed or names another number of hosts.
    """
    if text is None:
        return None
    try:
        names = hostlist.decode(text)
    except ValueError:
        raise LaunchError("could not decode --test-hosts hostlist") from None
    if len(names) != size:
        raise LaunchError("--test-hosts hostlist has incorrect size")
    return names
