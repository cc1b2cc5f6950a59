"""What a command line asks for, checked."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_EXIT_TIMEOUT = 20.0
"""Seconds (flux-start(1), --test-exit-timeout)."""

RECORD_LIMIT = 1 << 30
KEEP = 20


class Options(NamedTuple):
    """What a command line asks for, checked; the same fields serve both modes."""

    prog: str
    """The name that messages carry."""
    command: tuple[str, ...] = ()
    """The initial program and its arguments."""
    setattr: tuple[str, ...] = ()
    config_path: str | None = None
    conf: tuple[str, ...] = ()
    recovery: bool = False
    recovery_target: str | None = None
    sysconfig: bool = False
    verbose: int = 0
    noexec: bool = False
    broker_opts: tuple[str, ...] = ()
    wrap: tuple[str, ...] = ()
    wrap_ranks: frozenset[int] | None = None
    """Ranks to wrap; None is all of them."""
    pty: frozenset[int] | None = None
    """Ranks that run on terminals of the engine's; None leaves it to the engine."""
    test_size: int | None = None
    """Number of brokers; None selects normal mode."""
    test_hosts: str | None = None
    exit_timeout: float = DEFAULT_EXIT_TIMEOUT
    """Seconds, may be infinite."""
    exit_mode: str = "any"
    start_mode: str = "all"
    test_rundir: str | None = None
    test_rundir_cleanup: bool = False
    rundir: str | None = None
    pmi_clique: str = "single"
    caliper_profile: str | None = None
    launcher: tuple[str, ...] = ()
    """The command that starts brokers elsewhere; empty if we do."""
    launcher_raw: bool = False
    pmi_tap: str = ""
    """`tap` or `bridge`, if the wire is to be seen."""
    preflight: bool = False
    headless: bool = False
    broker: str | None = None
    label_io: bool = False
    record: bool = False
    record_dir: str | None = None
    """Where the session goes; None is where sessions live."""
    record_limit: int = RECORD_LIMIT
    """Bytes of output that are kept."""
    keep: int = KEEP
    """Sessions that are kept."""
    summary: bool = True
    timeout: float = float("inf")
    """Seconds that the instance has as a whole."""
    junit: str | None = None
    """File for a JUnit report."""
    report: str | None = None
    """File for a report in HTML, Markdown or JSON."""
    progress: bool = False
    """Whether stderr tells how far the instance has come."""
    repeat: int = 0
    """How often the instance is run in a row; 0 is once, without figures."""
    until_fail: bool = False
    """Whether the first run that fails is the last."""
    tether: int | None = None
    """Descriptor of a pipe whose end means that the UI is gone."""
    terminal_size: tuple[int, int] | None = None
    """Rows and columns with which ranks' terminals begin; None leaves it to the engine."""
    version: bool = False

    @property
    def normal(self) -> bool:
        """Whether this is normal mode: one broker, which finds out by itself how to boot."""
        return self.test_size is None

    @property
    def size(self) -> int:
        """Number of brokers that this program starts."""
        return 1 if self.test_size is None else self.test_size
