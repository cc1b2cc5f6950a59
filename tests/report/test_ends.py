"""What is printed of instances that came up and ended."""

from __future__ import annotations

from tests.diagnose import ends
from tests.report.printing import printed


def test_success() -> None:
    """Nothing is to be said of what went well but where to look."""
    assert (
        printed(ends.success())
        == """\
fluxstart-tui: instance of 4 brokers ended after 0.61 s: exit code 0
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_program_fails() -> None:
    """A failed program has nothing to do with Flux, and is told in two lines."""
    assert (
        printed(ends.program_fails())
        == """\
fluxstart-tui: initial program exited with code 3 at 0.5 s: make check
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_leaf_killed() -> None:
    """The leaf that somebody killed is the failure, not the ranks that the timer killed."""
    assert (
        printed(ends.leaf_killed())
        == """\
fluxstart-tui: instance of 4 brokers FAILED after 22.1 s: exit code 137 (128 + SIGKILL)
  first failure  rank 3 (pid 103) was killed by SIGKILL at 2.1 s (last seen: run); sender unknown,
                 not sent through this program
  meanwhile      program ran (21.9 s), the last 20.0 s without rank 3 (killed by SIGKILL, sender
                 unknown)
  then           at 22.1 s ranks 0-2 were killed by the exit timer
    ranks  last seen  end
    0-2    run        killed by the exit timer
    3      run        killed by SIGKILL, sender unknown
  last output of rank 3:
    | check: 17 tests
    | check: 3 h\\xe4ngen
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_oom() -> None:
    """The OOM killer, and how sure that is."""
    assert (
        printed(ends.oom())
        == """\
fluxstart-tui: instance of 4 brokers FAILED after 25.5 s: exit code 137 (128 + SIGKILL)
  first failure  rank 1 (pid 101) was killed by the OOM killer at 5.5 s (last seen: run); it had
                 8789 MiB at 5.0 s, its cgroup counted 1 OOM kill since it started
  meanwhile      program ran (25.3 s), the last 20.0 s without rank 1 (killed by the OOM killer)
  then           at 25.5 s ranks 0,2-3 were killed by the exit timer
    ranks  last seen  end
    0,2-3  run        killed by the exit timer
    1      run        killed by the OOM killer
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_crash() -> None:
    """A crash with its core; its children are victims."""
    assert (
        printed(ends.crash())
        == """\
fluxstart-tui: instance of 4 brokers FAILED after 3.1 s: exit code 139 (128 + SIGSEGV)
  first failure  rank 0 (pid 100) crashed with SIGSEGV at 3.0 s (last seen: run)
  core file      /var/crash/core.flux-broker-0.100
    | #0  0x00005555 in overlay_send (ov=0x0) at overlay.c:812
    | #1  0x00005556 in main () at broker.c:41
  then           at 3.1 s ranks 1-3 exited with code 1, parent lost
    ranks  last seen  end
    0      run        crashed with SIGSEGV
    1-3    cleanup    exited with code 1, parent lost
  last output of rank 0:
    | Nov 22 06:51:22 UTC 2026 overlay.err[0]: bootstrap.barrier: simple: barrier: operation failed
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_two_signals() -> None:
    """What was going on when the first of two signals came."""
    assert (
        printed(ends.two_signals())
        == """\
fluxstart-tui: instance of 4 brokers INTERRUPTED by SIGINT after 9.5 s: exit code 130
  until then     program ran (7.8 s)
  signal         SIGINT to fluxstart-tui at 8.0 s asked for an orderly end, a second one at 9.5 s
                 killed the brokers
  then           at 9.5 s ranks 0-3 were killed by SIGKILL, to end the instance
    ranks  last seen  end
    0-3    run        killed by SIGKILL, to end the instance
  last output of rank 0:
    | Nov 22 06:51:22 UTC 2026 overlay.err[0]: bootstrap.barrier: simple: barrier: operation failed
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_shut_down() -> None:
    """It is said who asked for the end, and nothing of the hangup that this led to."""
    assert (
        printed(ends.shut_down())
        == """\
fluxstart-tui: instance of 4 brokers SHUT DOWN by the UI after 8.5 s: exit code 143
  until then     program ran (7.8 s)
  shutdown       the UI at 8.0 s asked for an orderly end: exit code 143 = 128 + SIGTERM
  then           at 8.5 s rank 0 exited with code 129 (128 + SIGHUP)
    ranks  last seen  end
    0      run        exited with code 129 (128 + SIGHUP)
    1-3    run        exited with code 0
  last output of rank 0:
    | Nov 22 06:51:22 UTC 2026 overlay.err[0]: bootstrap.barrier: simple: barrier: operation failed
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_unwatched() -> None:
    """Without states, the code of rank 0 alone is most likely the program's."""
    assert (
        printed(ends.unwatched())
        == """\
fluxstart-tui: rank 0 exited with code 3 at 0.7 s, most likely with its initial program's code
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_leaf_told_to_end() -> None:
    """An exit with code 0 is the failure if it armed the timer."""
    assert (
        printed(ends.leaf_told_to_end())
        == """\
fluxstart-tui: instance of 4 brokers FAILED after 23.2 s: exit code 137 (128 + SIGKILL)
  first failure  rank 1 (pid 101) exited with code 0 at 3.1 s, after SIGTERM: start.kill from
                 python3, pid 77, while others went on
  meanwhile      program ran (22.9 s), the last 20.0 s without rank 1 (exited with code 0)
  then           at 23.1 s ranks 0,2-3 were killed by the exit timer
    ranks  last seen  end
    0,2-3  run        killed by the exit timer
    1      exit       exited with code 0
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_slow_rc3() -> None:
    """An orderly end that takes too long is the fault of who was not done."""
    assert (
        printed(ends.slow_rc3())
        == """\
fluxstart-tui: instance of 4 brokers FAILED after 21.2 s: exit code 137 (128 + SIGKILL)
  first failure  rank 0 had not shut down 20.0 s after rank 1 had; killed by the exit timer at 21.1
                 s
  meanwhile      shutting down: waiting for rank 0 (finalize: rc3)
    ranks  last seen      end
    0      finalize: rc3  killed by the exit timer
    1-3    exit           exited with code 0
  last output of rank 0:
    | Nov 22 06:51:22 UTC 2026 overlay.err[0]: bootstrap.barrier: simple: barrier: operation failed
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_killed_through_us() -> None:
    """Who killed a rank through the start service, and what the record lacks."""
    assert (
        printed(ends.killed_through_us())
        == """\
fluxstart-tui: instance of 4 brokers FAILED after 23.1 s: exit code 137 (128 + SIGKILL)
  first failure  rank 2 (pid 102) was killed by SIGKILL at 3.0 s (last seen: run); sent by python3,
                 pid 77
  meanwhile      program ran (22.8 s), the last 20.0 s without rank 2 (killed by SIGKILL, sent by
                 python3, pid 77)
  then           at 23.0 s ranks 0-1,3 were killed by the exit timer
    ranks  last seen  end
    0-1,3  run        killed by the exit timer
    2      run        killed by SIGKILL, sent by python3, pid 77
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  not recorded   12,345,678 bytes of stdout (limit)
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_leaf_lost_in_leader_mode() -> None:
    """An instance that ended well may have lost somebody."""
    assert (
        printed(ends.leaf_lost_in_leader_mode())
        == """\
fluxstart-tui: instance of 4 brokers ended after 5.2 s: exit code 0
  first failure  rank 3 (pid 103) was killed by SIGKILL at 2.0 s (last seen: run); sender unknown
    ranks  last seen  end
    0-2    exit       exited with code 0
    3      run        killed by SIGKILL, sender unknown
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )
