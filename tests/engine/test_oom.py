"""Kills by the OOM killer are read from the counters of either version of cgroups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.engine.oom import OomKills

if TYPE_CHECKING:
    from pathlib import Path

PID = 4711
EVENTS = "low 0\nhigh 0\nmax 12\noom 3\noom_kill {}\noom_group_kill 0\n"
CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"
V2 = "0::/user.slice/job-1/broker\n"
HYBRID = "9:memory:/job-1\n3:cpu,cpuacct:/job-1\n0::/user.slice\n"


class Kernel:
    """A proc and a cgroup file system, as the kernel would show them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.kills = OomKills(str(root / "proc"), str(root / "cgroup"))

    def process(self, pid: int, groups: str) -> None:
        """Put a process into cgroups."""
        path = self.root / f"proc/{pid}"
        path.mkdir(parents=True)
        (path / "cgroup").write_text(groups)

    def write(self, name: str, text: str) -> None:
        """Write a file of a cgroup."""
        path = self.root / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    """An empty one."""
    return Kernel(tmp_path)


@pytest.mark.parametrize(
    ("groups", "file", "text"),
    [
        (V2, "user.slice/job-1/broker/memory.events", EVENTS),
        (V2, "user.slice/job-1/memory.events", EVENTS),  # the leaf has no memory controller
        ("0::/\n", "memory.events", EVENTS),  # in a cgroup namespace of its own
        (HYBRID, "memory/job-1/memory.oom_control", CONTROL),
        ("1:name=systemd:/\n" + HYBRID, "memory/memory.oom_control", CONTROL),
    ],
)
def test_the_count_rises(kernel: Kernel, groups: str, file: str, text: str) -> None:
    """What was counted before a rank started is not its; each kill is told once."""
    kernel.write(file, text.format(5))
    kernel.process(PID, groups)
    kernel.kills.follow(0, PID)
    assert kernel.kills.rise(0) == 0
    kernel.write(file, text.format(6))
    assert kernel.kills.rise(0) == 1
    assert kernel.kills.rise(0) == 0


def test_ranks_of_one_group_share_its_count(kernel: Kernel) -> None:
    """A kill explains the end of one of them; a later one begins with what was counted."""
    file = "user.slice/job-1/broker/memory.events"
    kernel.write(file, EVENTS.format(0))
    for rank in range(2):
        kernel.process(PID + rank, V2)
        kernel.kills.follow(rank, PID + rank)
    kernel.write(file, EVENTS.format(1))
    assert [kernel.kills.rise(1), kernel.kills.rise(0)] == [1, 0]


@pytest.mark.parametrize("groups", ["", "nonsense\n", "0::/\n", "4:cpu:/job\n", V2, HYBRID])
def test_without_a_counter_nobody_was_killed(kernel: Kernel, groups: str) -> None:
    """No memory controller, the root of version 2, a line that is none, or a process gone."""
    kernel.process(PID, groups)
    kernel.kills.follow(0, PID)
    kernel.kills.follow(1, PID + 1)
    assert [kernel.kills.rise(rank) for rank in range(3)] == [0, 0, 0]


@pytest.mark.parametrize("text", ["", "oom_kill many\n", "oom 3\n", "oom_kill 5\n"])
def test_a_counter_that_makes_no_sense_counts_nothing(kernel: Kernel, text: str) -> None:
    """Neither does one that is gone with its group."""
    kernel.write("memory.events", text)
    kernel.process(PID, "0::/\n")
    kernel.kills.follow(0, PID)
    (kernel.root / "cgroup/memory.events").unlink()
    assert kernel.kills.rise(0) == 0
