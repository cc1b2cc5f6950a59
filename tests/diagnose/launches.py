"""Sequences of events of instances that fail to come up in ways real ones do.

Times and orders are those of real brokers under flux start, as are the texts of log records.
"""

from __future__ import annotations

from fluxstart_tui.rfc import idset
from fluxstart_tui.session import events as e
from tests.diagnose.blocks import Timed, barrier_in, pmi, spawn, timer_kills, walk


def stuck_before_barrier(*, told: bool = True) -> Timed:
    """Rank 3 is stopped before it speaks PMI; after 14 s somebody presses ^C.

    Args:
        told: whether there is an event of the signal to us.
    """
    by = "SIGINT to fluxstart-tui (pid 99)"
    signalled: Timed = [(14.0, e.Signal("", 2, by))] if told else []
    return [
        *spawn(4),
        *barrier_in(range(3)),
        *signalled,
        (14.0, e.Timer("armed", 34.0, by, "0-3")),
        *((14.0, e.Pmi(rank, "closed", 1)) for rank in range(3)),
        (14.02, e.Log(0, 3, "overlay", "bootstrap.barrier: simple: barrier: operation failed")),
        *((14.02, e.Exit(rank, 100 + rank, 1, 0, "exit")) for rank in range(3)),
        (14.3, e.Exit(3, 103, 1, 0, "exit")),
        (14.31, e.End(130, 2)),
    ]


def never_spawned() -> Timed:
    """Start mode leader with PMI: rank 0 waits in the barrier for ranks that nobody starts."""
    by = "SIGTERM to fluxstart-tui (pid 99)"
    return [
        (0.0, e.Spawn(0, 100)),
        *barrier_in([0]),
        (60.0, e.Signal("", 15, by)),
        (60.0, e.Pmi(0, "closed", 1)),
        (60.01, e.Exit(0, 100, 1, 0, "exit")),
        (60.02, e.End(143, 15)),
    ]


def rc1_fails() -> Timed:
    """rc1 of rank 3 fails; rank 0 waits for the quorum until the exit timer kills it."""
    return [
        *spawn(4),
        *pmi(4),
        (0.1, e.Quorum(4, 2.0)),
        *walk(range(3), "quorum"),
        *walk([3], "init"),
        (0.2, e.Online("0-2")),
        (0.3, e.Log(3, 3, "broker", "rc1.0: mount: /scratch: permission denied")),
        (0.3, e.Log(3, 3, "broker", "rc1.0: flux modprobe rc1 Exited (rc=1) 0.2s")),
        (0.3, e.State(3, "shutdown", "rc1-fail", "init", 0.2)),
        *walk([3], "exit", 0.31, "finalize"),
        (0.4, e.Exit(3, 103, 1, 0, "exit")),
        (0.4, e.Timer("armed", 20.4, "rank 3 exited with rc=1", "0-2")),
        (2.3, e.Log(0, 3, "broker", "quorum delayed: waiting for fake3 (rank 3)")),
        *timer_kills(range(3), 20.4, "rank 3 exited with rc=1"),
        (20.42, e.End(137)),
    ]


def aborted() -> Timed:
    """Rank 2 calls PMI_Abort in the first barrier."""
    return [
        *spawn(4),
        *barrier_in(range(4)),
        (0.06, e.Abort(2, 1, "out of\tinfiniband contexts")),
        (0.06, e.Signal("0-3", 9, "PMI abort by rank 2")),
        *((0.07, e.Pmi(rank, "closed", 1)) for rank in range(4)),
        *((0.07, e.Exit(r, 100 + r, 137, 9, "abort", "PMI abort by rank 2")) for r in range(4)),
        (0.08, e.End(137)),
    ]


def big() -> Timed:
    """Of 1,024 brokers every 64th dies in PMI, after the first barrier."""
    dead = range(63, 1024, 64)
    alive = [rank for rank in range(1024) if rank not in dead]
    return [
        *spawn(1024),
        *barrier_in(range(1024), 0.8),
        (0.8, e.Barrier(1)),
        *barrier_in(alive, 0.9, 2),
        *((0.9, e.Log(r, 3, "overlay", "error binding to interface ib0")) for r in dead),
        *((0.91, e.Pmi(r, "closed", 1)) for r in dead),
        *((0.92 + r / 1e5, e.Exit(r, 100 + r, 1, 0, "exit")) for r in dead),
        (0.93, e.Timer("armed", 20.93, "rank 63 exited with rc=1", idset.encode(alive))),
        *timer_kills(alive, 20.93, "rank 63 exited with rc=1"),
        (21.0, e.End(137)),
    ]


def violation() -> Timed:
    """Rank 2 says something that is no PMI, and escape sequences."""
    return [
        *spawn(4),
        *barrier_in([0, 1, 3]),
        (0.05, e.Pmi(2, "init")),
        (0.06, e.Violation(2, "unknown command 'cmd=\x1b[31mfoo'")),
        (0.06, e.Pmi(2, "closed")),
        (0.07, e.Exit(2, 102, 1, 0, "exit")),
        (0.07, e.Timer("armed", 20.07, "rank 2 exited with rc=1", "0-1,3")),
        *timer_kills([0, 1, 3], 20.07, "rank 2 exited with rc=1"),
        (20.1, e.End(137)),
    ]


def crash_then_interrupt() -> Timed:
    """Rank 3 crashes before the barrier; as there is no exit timer, somebody presses ^C."""
    return [
        *spawn(4),
        *barrier_in(range(3)),
        (0.1, e.Exit(3, 103, 139, 11, "crash", "it left a core file that is not to be found")),
        (0.1, e.Timer("armed", -1.0, "rank 3 Segmentation fault", "0-2")),
        (14.0, e.Signal("", 2, "SIGINT to fluxstart-tui (pid 99)")),
        *((14.0, e.Pmi(rank, "closed", 1)) for rank in range(3)),
        *((14.02, e.Exit(rank, 100 + rank, 1, 0, "exit")) for rank in range(3)),
        (14.31, e.End(130, 2)),
    ]


def rc1_fails_at_root() -> Timed:
    """rc1 of rank 0 fails; its children notice and exit before it does."""
    return [
        *spawn(4),
        *pmi(4),
        *walk([0], "init"),
        *walk([1, 2, 3], "join"),
        (0.3, e.Log(0, 3, "broker", "rc1.0: false Exited (rc=1) 0.0s")),
        (0.3, e.State(0, "shutdown", "rc1-fail", "init", 0.1)),
        *walk([0], "exit", 0.31, "finalize"),
        *((0.36, e.State(rank, "shutdown", "parent-fail", "join", 0.2)) for rank in (1, 2, 3)),
        *((0.37, e.Exit(rank, 100 + rank, 1, 0, "parent")) for rank in (1, 2, 3)),
        (0.4, e.Exit(0, 100, 1, 0, "exit")),
        (0.41, e.End(1)),
    ]
