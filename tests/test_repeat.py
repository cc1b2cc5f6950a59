"""An instance run several times in a row, as its user does."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui import options
from fluxstart_tui.cli import aside
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

ONCE = "if test -e ran; then echo again; exit 3; else touch ran; fi"


def test_until_one_fails(scene: Path) -> None:
    """Runs go on until one fails, whose code is ours and whose session alone is kept."""
    done = support.run(
        scene, "--broker=embedded", "--repeat=5", "--until-fail", "sh", "-c", ONCE,
        env={"FLUXSTART_TUI_STATE": str(scene / "state")},
    )  # fmt: skip
    assert (done.code, done.out) == (3, "again\n")
    assert "2 runs: 1 succeeded, 1 failed (exit code 3 in 1 run)\n" in done.err
    (kept,) = (scene / "state").iterdir()
    assert "run 2: exit code 3: initial program exited with code 3" in done.err
    assert f"--show={kept}\n" in done.err


def test_a_signal_ends_the_run_and_the_row(scene: Path) -> None:
    """The run ends in order, its session is kept, and no other run begins."""
    process = support.start(
        scene, "--broker=embedded", "--repeat=5", "--record=rows", "-s2", "sleep", "1234"
    )
    run = support.session(scene / "rows" / "1")
    support.wait_for(lambda: support.now(run).program, "the program")
    process.send_signal(signal.SIGTERM)
    done = support.finish(process)
    assert done.code == 128 + signal.SIGTERM
    assert f"stopped in run 1 of 5; its session: {scene}/rows/1\n" in done.err
    assert os.listdir(scene / "rows") == ["1"]
    support.assert_nothing_left(scene)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--until-fail"], "--until-fail only works with --repeat"),
        (["--repeat=0"], "--repeat argument must be > 0"),
        (["--repeat=2", "--junit=x"], "--repeat and --junit exclude each other"),
        (["--bundle=x.tar.gz"], "--bundle only works with --show, without --json"),
        (["--show=x", "--bundle=x.zip"], "--bundle: 'x.zip' does not end with .tar.gz"),
        (["--compare=a,b", "--show"], "--show and --compare exclude each other"),
    ],
)
def test_mistakes(words: list[str], complaint: str) -> None:
    """Each is told in a line."""
    with pytest.raises(options.UsageError, match=f"^me: {complaint}$"):  # noqa: PT012
        draft = options.parse("me", words)
        aside.run("me", draft)
        draft.finish()
