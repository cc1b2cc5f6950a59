"""Real launches, run again in their own time by a launcher that prints what was printed then."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.diagnose.launch import finding
from fluxstart_tui.launchers import table
from tests.diagnose import captures
from tests.diagnose.test_captures import LONG, STALLS, WITHIN, decidable
from tests.support import PATIENCE, start

if TYPE_CHECKING:
    import subprocess

    from tests.diagnose.captures import Capture

REPLAY = Path(__file__).with_name("replay_launcher.py")
NAMES = {"salloc", "flux", *table.SHARED, *(word for one in table.TABLE for word in one.words)}
FOUND = re.compile(r"fluxstart-tui: \[(\w+)\] ")
REPORTED = re.compile(r"([A-Z]\d+) +\S")
AT_ONCE = 24
"""Launches that run side by side: they sleep most of the time."""
ENOUGH = 35.0
"""Seconds after which a launch is stopped that has no stall to wait for."""
QUIET = finding.PATIENCE + WITHIN
"""Seconds without a line that such a launch has at the most: by then a stall would be named."""


def duration(capture: Capture) -> float:
    """Return for how many seconds a launch is looked at."""
    end = max(t for t, _ in capture.lines())
    return min(end, decidable(capture) + WITHIN if capture in LONG else ENOUGH)


def replay(tmp: Path, capture: Capture) -> subprocess.Popen[bytes]:
    """Run a capture's command by --launcher, its launcher replaced by the stand-in."""
    at = next(n for n, word in enumerate(capture.command) if os.path.basename(word) in NAMES)
    stand_in = tmp / os.path.basename(capture.command[at])
    stand_in.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {REPLAY} "$@"\n')
    stand_in.chmod(0o755)
    launcher = shlex.join([str(stand_in), *capture.command[at + 1 :]])
    told = {"REPLAY_LOG": str(capture.path), "REPLAY_CODE": str(capture.code)}
    if capture not in LONG:
        told["REPLAY_QUIET"] = str(QUIET)
    with (tmp / "out").open("wb") as out:
        return start(
            tmp, "--headless", "--broker=embedded", f"--launcher={launcher}", "--launcher-raw",
            "true", env=told, stdout=out,
        )  # fmt: skip


def wrong(tmp: Path, capture: Capture) -> str:
    """Replay a launch and return what is not as it has to be."""
    limit = decidable(capture) + WITHIN if capture in LONG else ENOUGH
    process = replay(tmp, capture)
    assert process.stderr is not None
    timer = threading.Timer(limit + 1.0, process.send_signal, (signal.SIGTERM,))
    found: dict[str, float] = {}
    reported = set()
    begin = time.monotonic()
    line = b""
    with process.stderr as lines:
        for line in lines:
            if b": running: " in line:
                begin = time.monotonic()
                timer.start()  # not before: a busy machine takes its time until there
            if told := FOUND.match(line.decode()):
                found.setdefault(told[1], time.monotonic() - begin)
            if told := REPORTED.match(line.decode()):
                reported.add(told[1])
    code = process.wait(PATIENCE)
    timer.cancel()
    timer.join()
    if code != capture.code:
        return f"exit code {code}, not {capture.code}: {line.decode()}"
    shown = b"".join(
        line.partition(b" ")[2] for line in capture.path.read_bytes().splitlines(keepends=True)
    )
    if (tmp / "out").read_bytes() != shown:
        return "its output was not passed on"
    fine = capture.expected in ("OK", "I1")  # that a program ran in the end is said of logs only
    if (found or reported) if fine else not capture.right(reported):
        return f"expected {capture.expected}, found {found}, reported {reported}"
    stalls = STALLS & set(capture.expected.split()) if capture in LONG else set()
    if any(found.get(stall, limit + 1.0) > limit for stall in stalls):
        return f"expected {stalls} by {limit:.1f} s, found {found}"
    return ""


@pytest.mark.timeout(300)
def test_each_launch_is_told_rightly_and_in_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the end all that is right and nothing else, stalls within 3 s, and of a good one none."""

    def one(capture: Capture) -> str:
        folder = tmp_path / str(capture.number)  # sockets' names are short
        folder.mkdir()
        return (told := wrong(folder, capture)) and f"{capture.name}: {told}"

    longest_first = sorted(captures.ALL, key=duration, reverse=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        bad = [told for told in pool.map(one, longest_first) if told]
    with capsys.disabled():
        print(f"\nlaunches replayed: {len(captures.ALL) - len(bad)}/{len(captures.ALL)} right")
        print(f"of them stalls named while they lasted: {len(LONG)}")
    assert not bad, "\n".join(bad)
