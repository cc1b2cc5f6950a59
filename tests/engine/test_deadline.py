"""--timeout: what hangs ends by itself, and says of itself where, on whom and why it hung."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from fluxstart_tui.engine import backtrace
from fluxstart_tui.report import show
from fluxstart_tui.session.reader import Session
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

GDB = """#!/bin/sh
printf '[New LWP 7]\\n\\nThread 1 (LWP 7 "broker"):\\n#0  0x1 in stuck () from /lib/x.so\\n'
"""


def with_gdb(scene: Path) -> str:
    """Return a PATH with a debugger that answers at once."""
    (scene / "bin").mkdir()
    support.script(scene / "bin" / "gdb", GDB)
    return f"{scene}/bin:{os.environ['PATH']}"


HANGS = """
printf 'cmd=init pmi_version=1 pmi_subversion=1\\n' >&$PMI_FD
read -r answer <&$PMI_FD
[ $PMI_RANK = 2 ] && kill -STOP $$
printf 'cmd=barrier_in\\n' >&$PMI_FD
exec sleep 1000
"""
"""A broker of which rank 2 is stopped before the barrier."""


def test_a_hung_start_ends_and_names_rank_phase_and_cause(scene: Path) -> None:
    """On stderr, in the session, in JUnit and on GitHub; stdout is the program's."""
    env = {
        "PATH": with_gdb(scene),
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(scene / "step.md"),
    }
    done = support.run(
        scene, "--headless", support.broker(scene, HANGS), "-s4", "--record=session",
        "--timeout=0.7", "--test-exit-timeout=0.1", "--progress", "--junit=r.xml", "true", env=env,
    )  # fmt: skip
    cause = "waiting in PMI barrier 1 for rank 2 (PMI init, suspended by a signal (SIGSTOP))"
    assert done.code == 124
    assert done.out == ""
    assert "TIMED OUT" in done.err
    assert cause in re.sub(r"\n +", " ", done.err)
    assert re.search(r"\[ +\d+\.\d{3} s\] PMI init 4/4\n", done.err)
    assert "::error title=fluxstart-tui%3A [S3]::rank 2 came no further than: after" in done.err
    shown = show.one(str(scene / "session"), as_json=False)
    assert "rank 2: process" in shown
    assert "state T" in shown
    assert "| #0  0x1 in stuck () from /lib/x.so" in shown
    suite = ElementTree.parse(scene / "r.xml").getroot().find("testsuite")
    assert suite is not None
    (failure,) = suite.iter("failure")
    assert failure.get("message", "").startswith("rank 2 came no further than: after")
    assert "### S3: rank 2 came no further" in (scene / "step.md").read_text()
    events = [type(one).__name__ for _, one in Session(str(scene / "session")).events()]
    order = [events.index(name) for name in ("Probe", "Timeout", "Backtrace", "Signal", "End")]
    assert order == sorted(order)


def test_python_is_asked_for_its_own_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of its interpreter, which gdb sees, tell nothing."""
    monkeypatch.setenv("PATH", with_gdb(tmp_path).partition(":")[0])
    assert backtrace.live(os.getpid()) == ""
    support.script(tmp_path / "bin" / "py-spy", "#!/bin/sh\necho 'wait (a.py:3)'\n")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/bin")
    assert backtrace.live(os.getpid()) == "wait (a.py:3)"


def test_a_singleton_and_a_launcher_end_too(scene: Path) -> None:
    """Neither has an exit timer."""
    broker = support.broker(scene, "exec sleep 1000")
    words = ("--headless", "--no-summary", "--timeout=0.2", broker)
    launcher = f"--launcher={sys.executable} {support.ROOT}/tests/standin_launcher.py -n 2"
    env = {"PATH": with_gdb(scene)}
    started = [
        support.start(scene, *words, f"--record={name}", *more, env=env)
        for name, more in (("one", ()), ("two", (launcher,)))
    ]
    assert [support.finish(one).code for one in started] == [124, 124]
    for name in ("one", "two"):
        end = Session(str(scene / name)).state.end
        assert end is not None
        assert (end.code, end.signum) == (124, 0)


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("--timeout=0",), "--timeout argument must be > 0"),
        (("--timeout=soon",), "Invalid argument for option 'timeout': 'soon'"),
        (("--junit=/nowhere/r.xml",), "--junit: /nowhere/r.xml: No such file or directory"),
    ],
)
def test_mistakes_get_one_line(scene: Path, args: tuple[str, ...], text: str) -> None:
    """Before anything is started."""
    done = support.run(scene, "--headless", "--broker=embedded", "-s1", *args, "true")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert text in done.err
