"""Sequences of events of instances that come up and end in ways real ones do.

Times and orders are those of real brokers under flux start, as are the texts of log records.
"""

from __future__ import annotations

from fluxstart_tui.rfc import idset
from fluxstart_tui.session import events as e
from tests.diagnose.blocks import Timed, down, pmi, spawn, timer_kills, up, walk

GDB = """
Thread 2 (LWP 101):
#0  0x00007f0a in poll () from /lib/libc.so.6

Thread 1 (LWP 100):
#0  0x00005555 in overlay_send (ov=0x0) at overlay.c:812
#1  0x00005556 in main () at broker.c:41
"""
"""What gdb says of a core file: the thread that crashed is the last one."""


def success(size: int = 4) -> Timed:
    """Nothing goes wrong."""
    return [
        *up(size),
        (0.5, e.Program("ended", 0, "true")),
        *down(reversed(range(size)), 0.5),
        (0.61, e.End(0)),
    ]


def program_fails(size: int = 4) -> Timed:
    """The initial program exits with code 3, nothing else happens."""
    return [
        *up(size),
        (0.5, e.Log(0, 3, "broker", "rc2.0: make check Exited (rc=3) 0.3s")),
        (0.5, e.Program("ended", 3, "make check")),
        (0.5, e.State(0, "cleanup", "rc2-fail", "run", 0.3)),
        *walk([0], "exit", 0.51, "shutdown"),
        *down(range(1, size), 0.5),
        (0.7, e.Exit(0, 100, 3, 0, "exit")),
        (0.7, e.Message("0 (pid 100) exited with rc=3")),
        (0.71, e.End(3)),
    ]


def leaf_killed(size: int = 4) -> Timed:
    """Somebody kills the last rank while the program runs; the exit timer kills the others."""
    leaf = size - 1
    return [
        *up(size),
        (2.1, e.Exit(leaf, 100 + leaf, 137, 9, "sender", "not sent through this program")),
        (2.1, e.Timer("armed", 22.1, f"rank {leaf} Killed", idset.encode(range(leaf)))),
        (2.6, e.Log(0, 3, "broker", f"dead to Flux: fake{leaf} (rank {leaf})")),
        *timer_kills(range(leaf), 22.1, f"rank {leaf} Killed"),
        (22.12, e.End(137)),
    ]


def oom() -> Timed:
    """The kernel kills rank 1, the others are killed by the timer."""
    detail = "its cgroup counted 1 OOM kill since it started"
    return [
        *up(4),
        (5.0, e.Sample("0-3", [3.0] * 4, [60_000, 9_000_000, 50_000, 50_000], [20] * 4, [50] * 4)),
        (5.5, e.Exit(1, 101, 137, 9, "oom", detail)),
        (5.5, e.Timer("armed", 25.5, "rank 1 Killed", "0,2-3")),
        *timer_kills((0, 2, 3), 25.5, "rank 1 Killed"),
        (25.52, e.End(137)),
    ]


def crash() -> Timed:
    """Rank 0 crashes with a core; its children lose their parent."""
    return [
        *up(4),
        (3.0, e.Exit(0, 100, 139, 11, "crash", "", "/var/crash/core.flux-broker-0.100")),
        (3.0, e.Timer("armed", 23.0, "rank 0 Segmentation fault", "1-3")),
        *(
            (3.01, e.Log(r, 2, "overlay", "ci-7 (rank 0) sent disconnect control message"))
            for r in range(1, 4)
        ),
        *((3.01, e.State(r, "cleanup", "parent-fail", "run", 2.8)) for r in range(1, 4)),
        *((3.1, e.Exit(r, 100 + r, 1, 0, "parent")) for r in range(1, 4)),
        (3.11, e.Backtrace(0, GDB)),
        (3.11, e.End(139)),
    ]


def two_signals() -> Timed:
    """A program ignores SIGHUP: the first ^C does not end it, the second kills."""
    by = "SIGINT to fluxstart-tui (pid 99)"
    return [
        *up(4),
        (8.0, e.Signal("", 2, by)),
        (8.0, e.Timer("armed", 28.0, by, "0-3")),
        (8.1, e.Signal("0", 15, by)),
        (9.5, e.Signal("0-3", 9, f"a second signal: {by}")),
        *((9.51, e.Exit(r, 100 + r, 137, 9, "shutdown", by)) for r in range(4)),
        (9.52, e.End(130, 2)),
    ]


def shut_down() -> Timed:
    """Somebody asks the UI for an end; the shell is ended by the SIGHUP that follows."""
    by = "start.shutdown from the UI"
    return [
        *up(4),
        (8.0, e.Signal("", 15, by)),
        (8.0, e.Timer("armed", 28.0, by, "0-3")),
        (8.1, e.Signal("0", 15, by)),
        (8.2, e.Log(0, 3, "broker", "rc2.0: /bin/bash Hangup (rc=129) 7.9s")),
        (8.2, e.Program("ended", 129, "/bin/bash Hangup")),
        (8.2, e.State(0, "cleanup", "rc2-fail", "run", 7.9)),
        *((8.5, e.Exit(r, 100 + r, 0 if r else 129, 0, "exit")) for r in range(4)),
        (8.52, e.End(143, 15)),
    ]


def unwatched() -> Timed:
    """The program exits with code 3 and nobody has watched the brokers' states."""
    return [
        *spawn(4),
        *pmi(4),
        *((0.5, e.Exit(rank, 100 + rank, 0, 0, "exit")) for rank in (1, 2, 3)),
        (0.5, e.Timer("armed", 20.5, "rank 1 exited", "0")),
        (0.7, e.Exit(0, 100, 3, 0, "exit")),
        (0.7, e.Timer("cancelled", -1.0, "rank 1 exited")),
        (0.71, e.End(3)),
    ]


def leaf_told_to_end() -> Timed:
    """Somebody sends SIGTERM to a leaf: it shuts down in order, and the timer kills the rest."""
    return [
        *up(4),
        *down([1], 3.0)[:-1],
        (3.1, e.Exit(1, 101, 0, 0, "exit", "after SIGTERM: start.kill from python3, pid 77")),
        (3.1, e.Timer("armed", 23.1, "rank 1 exited", "0,2-3")),
        *timer_kills((0, 2, 3), 23.1, "rank 1 exited"),
        (23.2, e.End(137)),
    ]


def slow_rc3() -> Timed:
    """Rank 0's rc3 takes longer than the exit timer, which the leaves' orderly end has armed."""
    return [
        *up(4),
        (1.0, e.Program("ended", 0, "true")),
        *walk([0], "finalize", 1.0, "cleanup"),
        *down([1, 2, 3], 1.0),
        (1.1, e.Timer("armed", 21.1, "rank 1 exited", "0")),
        *timer_kills([0], 21.1, "rank 1 exited"),
        (21.2, e.End(137)),
    ]


def killed_through_us() -> Timed:
    """Somebody kills rank 2 through the start service; some output is lost."""
    return [
        *up(4),
        (3.0, e.Signal("2", 9, "start.kill from python3, pid 77")),
        (3.0, e.Exit(2, 102, 137, 9, "user", "start.kill from python3, pid 77")),
        (3.0, e.Timer("armed", 23.0, "rank 2 Killed", "0-1,3")),
        *timer_kills([0, 1, 3], 23.0, "rank 2 Killed"),
        (23.1, e.Lost("stdout", "0-3", 12_345_678, "limit")),
        (23.1, e.End(137)),
    ]


def leaf_lost_in_leader_mode() -> Timed:
    """A leaf is killed, but in exit mode leader only rank 0's exit code counts."""
    return [
        *up(4),
        (2.0, e.Exit(3, 103, 137, 9, "sender")),
        (5.0, e.Program("ended", 0, "true")),
        *down([2, 1, 0], 5.0),
        (5.2, e.End(0)),
    ]
