"""Find flux-broker and Flux's environment, or fall back on the embedded broker."""

from __future__ import annotations

import errno
import os
import sys
from typing import NamedTuple

from fluxstart_tui import process
from fluxstart_tui.engine.errors import LaunchError, reason

_TIMEOUT = 10.0
"""Seconds that a `flux` command may take; another program of that name might never answer."""


class Located(NamedTuple):
    """A broker to run."""

    words: tuple[str, ...]
    """What to execute, before any argument."""
    kind: str
    """`flux`, `embedded` or `given`."""
    env: dict[str, str]
    """The environment that brokers get, before what test mode adds."""
    flux: str | None = None
    """The `flux` command that belongs to the broker, if there is one."""

    def builtin(self, name: str, default: str) -> str:
        """Return a configuration value that Flux was built with (flux-config(1))."""
        output = _run(self.flux, ["config", "builtin", name], self.env) if self.flux else None
        return os.fsdecode(output.rstrip(b"\n")) if output else default

    def version(self) -> str:
        """Return the broker's version in words."""
        if self.kind == "embedded":
            from fluxstart_tui import __version__

            return __version__
        output = _run(self.flux, ["version"], self.env) if self.flux else None
        for line in (output or b"").decode(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name == "commands":
                return value.strip()
        return "unknown version"


def find(choice: str | None) -> tuple[Located, str | None]:
    """Find the broker to run.

    Args:
        choice: what --broker asks for: a path, `flux`, `embedded`, or None for the usual order,
            which is FLUX_EXEC_PATH, a `flux` on PATH, the embedded broker.

    Returns:
        The broker, and a notice for the user or None.

    Raises:
        LaunchError: there is no such broker.
    """
    env = process.environment()
    if choice == "embedded":
        return _embedded(env), None
    if choice is not None and choice != "flux":
        if os.path.isdir(choice):
            raise LaunchError(f"--broker={choice}: {os.strerror(errno.EISDIR)}")
        if not os.access(choice, os.X_OK):
            raise LaunchError(f"--broker={choice}: {_why_not(choice)}")
        return Located((os.path.abspath(choice),), "given", env, _flux(env)), None
    path = env.get("FLUX_EXEC_PATH")
    if path is not None:
        broker = _in_exec_path(path)
        if broker is None:
            raise LaunchError(f"Could not locate broker in {path}")
        beside = os.path.normpath(f"{broker}/../../../../bin/flux")
        flux = _flux(env) or (beside if os.access(beside, os.X_OK) else None)
        return Located((broker,), "flux", env, flux), None
    flux = _flux(env)
    why = "there is no flux on PATH"
    if flux is not None:
        given = _flux_environment(flux, env)
        broker = _in_exec_path(given.get("FLUX_EXEC_PATH", "")) if given else None
        if given and broker:
            return Located((broker,), "flux", given, flux), None
        why = f"{flux} does not lead to a flux-broker"
    if choice == "flux":
        raise LaunchError(f"--broker=flux: FLUX_EXEC_PATH is not set and {why}")
    return _embedded(env), f"{why}: using the embedded broker, which runs no jobs"


def _embedded(env: dict[str, str]) -> Located:
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    main = os.path.join(root, "broker", "__main__.py")
    return Located((sys.executable, "-I", "-S", main), "embedded", env)


def _in_exec_path(path: str) -> str | None:
    for directory in path.split(":"):
        if directory and os.access(f"{directory}/flux-broker", os.X_OK):
            return f"{directory}/flux-broker"
    return None


def _flux(env: dict[str, str]) -> str | None:
    for directory in env.get("PATH", os.defpath).split(":"):
        path = os.path.join(directory or ".", "flux")
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    return None


def _flux_environment(flux: str, env: dict[str, str]) -> dict[str, str] | None:
    """Return what `flux env` makes of the environment, or None if this flux is none of Flux's."""
    output = _run(flux, ["env", "env", "-0"], env)
    if not output:
        return None
    pairs = (entry.partition(b"=") for entry in output.split(b"\0") if b"=" in entry)
    given = {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}
    # `flux env` sets these two, `flux start` does not (flux-core: src/cmd/flux.c).
    for name in ("PYTHONPATH", "_"):
        given.pop(name, None)
        if name in env:
            given[name] = env[name]
    return given


def _run(command: str, arguments: list[str], env: dict[str, str]) -> bytes | None:
    """Return what a command prints if it succeeds in time; None otherwise."""
    import subprocess  # only where a flux has to be asked

    try:
        done = subprocess.run(
            [command, *arguments],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _why_not(path: str) -> str:
    try:
        os.stat(path)
    except OSError as error:
        return reason(error)
    return os.strerror(errno.EACCES)
