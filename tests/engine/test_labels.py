"""--label-io from the outside."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests import support
from tests.support import broker

if TYPE_CHECKING:
    from pathlib import Path


def test_labels_keep_stdout_and_stderr_apart(scene: Path) -> None:
    """Each line of each stream carries its rank, right-aligned to the widest."""
    done = support.run(scene, broker(scene, "echo out; echo err >&2"), "-s11", "-l")
    assert sorted(done.out.splitlines()) == [f"{rank:2}: out" for rank in range(11)]
    assert sorted(done.err.splitlines()) == [f"{rank:2}: err" for rank in range(11)]


def test_lines_of_ranks_never_mix(scene: Path) -> None:
    """Four ranks writing in bursts of odd sizes, both streams into one pipe: no line is torn."""
    body = (
        "awk -v r=$PMI_RANK 'BEGIN { for (i = 0; i < 4000; i++) {"
        ' printf "%s-%s", r, i; printf "-%s\\n", i * 7;'
        ' if (i % 3 == 0) { printf "e%s-%s\\n", r, i > "/dev/stderr"; fflush() } } }\''
    )
    done = support.run(scene, broker(scene, body), "-s4", "-l", stderr=subprocess.STDOUT)
    lines = done.out.splitlines()
    for rank in range(4):
        mine = [line[3:] for line in lines if line.startswith(f"{rank}: ")]
        assert [line for line in mine if line[0] != "e"] == [
            f"{rank}-{i}-{i * 7}" for i in range(4000)
        ]
        assert [line for line in mine if line[0] == "e"] == [
            f"e{rank}-{i}" for i in range(0, 4000, 3)
        ]
    assert len(lines) == 4 * (4000 + 1334)


def test_background_processes_are_not_waited_for(scene: Path) -> None:
    """A process that keeps the pipe open after the end does not keep us."""
    body = (
        "setsid sh -c 'echo $$ >pid; exec sleep 77' & while [ ! -s pid ]; do :; done; printf done"
    )
    done = support.run(scene, broker(scene, body), "-s1", "-l")
    assert (done.code, done.out) == (0, "0: done\n")
    os.kill(int((scene / "pid").read_text()), 9)


def test_a_slow_reader_loses_nothing(scene: Path) -> None:
    """More output than pipes and backlog hold reaches a reader that starts late."""
    body = "head -c 30000000 /dev/zero | tr '\\0' x | fold -w 99"
    process = support.start(scene, broker(scene, body), "-s2", "-l")
    support.wait_for(
        lambda: [line for line in support.processes_of(scene) if "fold" in line], "the writers"
    )
    done = support.finish(process)
    assert done.code == 0
    count = done.out.count("x")
    assert count == 60_000_000
