"""What is printed of instances that did not come up."""

from __future__ import annotations

from tests.diagnose import launches
from tests.report.printing import printed


def test_stuck_before_barrier() -> None:
    """Whoever interrupts a hang wants to know on whom it waited."""
    assert (
        printed(launches.stuck_before_barrier())
        == """\
fluxstart-tui: instance of 4 brokers INTERRUPTED by SIGINT after 14.3 s: exit code 130
  until then     waiting in PMI barrier 1 for rank 3 (not in PMI yet)
  signal         SIGINT to fluxstart-tui at 14.0 s asked for an orderly end
  then           at 14.0 s ranks 0-3 exited with code 1
  progress       3 of 4 ranks through PMI init to barrier (not 3)
    ranks  last seen       end
    0-2    PMI barrier 1   exited with code 1
    3      not in PMI yet  exited with code 1
  last output of rank 3:
    | check: 17 tests
    | check: 3 h\\xe4ngen
  errors logged by rank 0:
    | overlay: bootstrap.barrier: simple: barrier: operation failed
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_never_spawned() -> None:
    """Ranks that nobody started are named as such."""
    assert (
        printed(launches.never_spawned())
        == """\
fluxstart-tui: instance of 4 brokers INTERRUPTED by SIGTERM after 60.0 s: exit code 143
  until then     waiting in PMI barrier 1 for ranks 1-3 (never started)
  signal         SIGTERM to fluxstart-tui at 60.0 s asked for an orderly end
  then           at 60.0 s rank 0 exited with code 1
  progress       1 of 4 ranks through spawned to barrier (not 1-3)
    ranks  last seen      end
    0      PMI barrier 1  exited with code 1
    1-3    never started  -
  last output of rank 0:
    | Nov 22 06:51:22 UTC 2026 overlay.err[0]: bootstrap.barrier: simple: barrier: operation failed
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_rc1_fails() -> None:
    """A rank whose rc1 failed is shown with its words."""
    assert (
        printed(launches.rc1_fails())
        == """\
fluxstart-tui: instance of 4 brokers FAILED after 20.4 s: exit code 137 (128 + SIGKILL)
  first failure  rank 3 (pid 103) failed in rc1 at 0.3 s and exited with code 1
  meanwhile      quorum 3/4 for 20.3 s: waiting for rank 3 (exited with code 1)
  then           at 20.4 s ranks 0-2 were killed by the exit timer
  progress       3 of 4 ranks through rc1 (not 3)
    ranks  last seen  end
    0-2    quorum     killed by the exit timer
    3      init: rc1  exited with code 1
  errors logged by rank 3:
    | broker: rc1.0: mount: /scratch: permission denied
    | broker: rc1.0: flux modprobe rc1 Exited (rc=1) 0.2s
  last output of rank 3:
    | check: 17 tests
    | check: 3 h\\xe4ngen
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_aborted() -> None:
    """Who called PMI abort, and with which text."""
    assert (
        printed(launches.aborted())
        == """\
fluxstart-tui: instance of 4 brokers FAILED after 0.08 s: exit code 137 (128 + SIGKILL)
  first failure  rank 2 called PMI abort at 0.06 s with code 1: out of infiniband contexts
  then           at 0.07 s ranks 0-1,3 were killed by the PMI abort
    ranks  last seen      end
    0-3    PMI barrier 1  killed by the PMI abort
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_violation() -> None:
    """A rank that broke PMI is to blame for those that waited for it; its text is harmless."""
    assert (
        printed(launches.violation())
        == """\
fluxstart-tui: instance of 4 brokers FAILED after 20.1 s: exit code 137 (128 + SIGKILL)
  first failure  rank 2 broke the PMI protocol at 0.06 s: unknown command 'cmd=\\x1b[31mfoo'
  meanwhile      waiting in PMI barrier 1 for rank 2 (exited with code 1)
  then           at 20.1 s ranks 0-1,3 were killed by the exit timer
  progress       3 of 4 ranks through put to barrier (not 2)
    ranks  last seen             end
    0-1,3  PMI barrier 1         killed by the exit timer
    2      PMI before barrier 1  exited with code 1
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_crash_then_interrupt() -> None:
    """A signal is what follows if something failed before."""
    assert (
        printed(launches.crash_then_interrupt())
        == """\
fluxstart-tui: instance of 4 brokers INTERRUPTED by SIGINT after 14.3 s: exit code 130
  first failure  rank 3 (pid 103) crashed with SIGSEGV at 0.1 s (last seen: not in PMI yet); it left
                 a core file that is not to be found
  meanwhile      waiting in PMI barrier 1 for rank 3 (crashed with SIGSEGV)
  then           SIGINT to fluxstart-tui at 14.0 s asked for an orderly end
                 at 14.0 s ranks 0-2 exited with code 1
  progress       3 of 4 ranks through PMI init to barrier (not 3)
    ranks  last seen       end
    0-2    PMI barrier 1   exited with code 1
    3      not in PMI yet  crashed with SIGSEGV
  last output of rank 3:
    | check: 17 tests
    | check: 3 h\\xe4ngen
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_rc1_fails_at_root() -> None:
    """Children that lose their parent are not to blame even if they exit first."""
    assert (
        printed(launches.rc1_fails_at_root())
        == """\
fluxstart-tui: instance of 4 brokers FAILED after 0.41 s: exit code 1
  first failure  rank 0 (pid 100) failed in rc1 at 0.3 s and exited with code 1
  then           at 0.37 s ranks 1-3 exited with code 1, parent lost
  progress       1 of 4 ranks through join (not 1-3)
    ranks  last seen  end
    0      init: rc1  exited with code 1
    1-3    shutdown   exited with code 1, parent lost
  errors logged by rank 0:
    | broker: rc1.0: false Exited (rc=1) 0.0s
  last output of rank 0:
    | Nov 22 06:51:22 UTC 2026 overlay.err[0]: bootstrap.barrier: simple: barrier: operation failed
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )


def test_big() -> None:
    """A thousand brokers take no more room than four."""
    assert (
        printed(launches.big(), 1024)
        == """\
fluxstart-tui: instance of 1024 brokers FAILED after 21.0 s: exit code 137 (128 + SIGKILL)
  first failure  rank 63 (pid 163) exited with code 1 at 0.92 s (last seen: PMI after barrier 1); 15
                 ranks 127,191,255,319,383,447,511,575,...,1023 likewise
  meanwhile      waiting in PMI barrier 2 for 16 ranks 63,127,191,255,319,383,447,511,...,1023
                 (exited with code 1)
  then           at 20.9 s 1008 ranks 0-62,64-126,128-190,192-254,...,960-1022 were killed by the
                 exit timer
    number  ranks                                     last seen            end
    1008    0-62,64-126,128-190,192-254,...,960-1022  PMI barrier 2        killed by the exit timer
    16      63,127,191,255,319,383,447,511,...,1023   PMI after barrier 1  exited with code 1
  errors logged by ranks 63,127,191:
    | overlay: error binding to interface ib0
  command        fluxstart-tui --record -s4 make check
  broker         flux-broker 0.88.0 /usr/libexec/flux/cmd/flux-broker, on ci-7, 2026-11-22T06:51:02Z
  look further   fluxstart-tui --replay=/s/1
"""
    )
