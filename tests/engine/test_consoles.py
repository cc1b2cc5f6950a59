"""A terminal for every rank: its size, its session, its ^C, its record; typed to by --ctl."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.session.output import STREAMS
from tests import support

if TYPE_CHECKING:
    import subprocess

EMPTY = ("-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "-Sstatedir=state")
BROKERS = ["embedded", pytest.param("flux", marks=pytest.mark.real_flux)]
WRAPPER = Path(__file__).parent / "terminal_wrapper.py"
IN_ORDER = "same=True leads=True controls=True"
"""What the wrapper says of a terminal of its own."""


class Wrapped:
    """An instance whose brokers are wrapped in the program that tells of its terminal."""

    def __init__(self, scene: Path, *args: str, program: tuple[str, ...] = ("true",)) -> None:
        self.scene = scene
        self.path = scene / "session"
        wrap = f"--wrap={sys.executable},{WRAPPER}"
        words = ("--headless", f"--record={self.path}", *args, *EMPTY, wrap, *program)
        self.process: subprocess.Popen[bytes] = support.start(scene, *words)
        self.session = support.session(self.path)
        self._follower = self.session.output.follow(streams={STREAMS.index("tty")})
        self._texts: dict[int, bytes] = defaultdict(bytes)

    def __enter__(self) -> Wrapped:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def tty(self, rank: int) -> str:
        """Return what has been written to a rank's terminal."""
        for chunk in self._follower.poll():
            self._texts[chunk.rank] += chunk.data
        return self._texts[rank].decode()

    def shows(self, rank: int, text: str, times: int = 1) -> None:
        """Wait until a text is on a rank's terminal."""
        support.wait_for(lambda: self.tty(rank).count(text) >= times, f"{text} of rank {rank}")

    def ctl(self, *words: str) -> str:
        """Command it."""
        done = support.run(self.scene, f"--ctl={self.path}", *words)
        assert (done.code, done.err) == (0, ""), done
        return done.out


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> str:
    return f"--broker={request.param}"


def test_every_rank_has_a_terminal_of_its_own(scene: Path, broker: str) -> None:
    """Each leads a session on its own pty, with its own size; ^C is for one of them only."""
    with Wrapped(scene, "-s3", "--pty=all", broker) as one:
        for rank in range(3):
            one.shows(rank, f"rank {rank}: 24x80 {IN_ORDER}")
        one.ctl("resize", "30", "100", "1")
        one.ctl("resize", "31", "101")
        for rank, size in ((0, "31x101"), (1, "30x100"), (2, "24x80")):
            one.ctl("input", "look\n", str(rank))
            one.shows(rank, f"rank {rank}: {size} {IN_ORDER}", 1 + (rank == 2))
        one.ctl("input", "\x03", "2")
        one.shows(2, "rank 2: interrupted")
        one.ctl("input", "\x03")
        one.shows(0, "rank 0: interrupted")
        assert "interrupted" not in one.tty(1)
        for rank in range(3):
            one.ctl("input", "go\n", str(rank))
        assert support.finish(one.process).code == 0
        names = [one.tty(rank).split("on ")[1].split()[0] for rank in range(3)]
        assert len(set(names)) == 3
        assert one.session.header["terminals"] == "0-2"
    support.assert_nothing_left(scene)


def test_a_rank_that_dies_and_comes_back(scene: Path, broker: str) -> None:
    """What it wrote last is kept, others go on, and its next process gets the same terminal."""
    with Wrapped(scene, "-s3", "--pty=1-2", "--wrap-ranks=1", broker) as one:
        one.shows(1, "rank 1:")
        one.ctl("kill", "1", "KILL")
        assert support.run(scene, f"--ctl={one.path}", "wait", "1").code == 137
        one.ctl("input", "typed ahead\n", "1")
        one.ctl("run", "1")
        one.shows(1, IN_ORDER, 2)
        names = [line.split()[0] for line in one.tty(1).split("on ")[1:]]
        assert len(set(names)) == 1
        done = support.run(scene, f"--ctl={one.path}", "input", "x")
        assert (done.code, done.err) == (
            1,
            "fluxstart-tui: input: rank 0 has no terminal of ours\n",
        )
        one.ctl("timer", "fire")
        assert support.finish(one.process).code == 137
    support.assert_nothing_left(scene)


def test_killed_with_its_terminals_nothing_is_left(scene: Path) -> None:
    """The guardian finds brokers that lead sessions of their own."""
    with Wrapped(scene, "-s3", "--pty=all", "--broker=embedded") as one:
        for rank in range(3):
            one.shows(rank, "rank")
        one.process.kill()
        one.process.wait()
    support.assert_nothing_left(scene, timeout=20)


def test_where_nobody_could_look(scene: Path) -> None:
    """One clear line, before anything has been made."""
    done = support.run(scene, "--headless", "--broker=embedded", "-s2", "--pty=all", "true")
    assert (done.code, done.out) == (1, "")
    assert done.err == "fluxstart-tui: --pty only works in the UI or with --record\n"
    support.assert_nothing_left(scene)


def test_without_our_options_a_wrapped_broker_has_what_flux_start_gives_it(scene: Path) -> None:
    """No session of its own, no terminal: headless, --wrap is what it is to flux start."""
    words = ("--headless", "--broker=embedded", "-s1", *EMPTY)
    wrap = f"--wrap={sys.executable},{WRAPPER}"
    done = support.run(scene, *words, wrap, "true")
    assert done.code == 0, done
    assert "rank 0: no terminal leads=False" in done.out
