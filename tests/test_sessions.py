"""A recorded run says what the run itself has said, and its summary what has happened."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.session import home
from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.session.reader import Session
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

BROKERS = ["embedded", pytest.param("flux", marks=pytest.mark.real_flux)]
EMPTY = ("-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "-Sstatedir=state")
TRACE = re.compile(r"(\d+): ([CS]): (.*)")


def streams(session: Session, *names: str) -> dict[tuple[int, str], bytes]:
    """Return what each rank has sent in each of these streams."""
    found: dict[tuple[int, str], bytes] = {}
    for chunk in session.output.chunks():
        name = STREAMS[chunk.stream]
        if name in names:
            found[chunk.rank, name] = found.get((chunk.rank, name), b"") + chunk.data
    return found


@pytest.mark.parametrize("broker", BROKERS)
def test_the_wire_is_what_the_trace_shows(scene: Path, broker: str) -> None:
    """What -vv prints of each rank's PMI conversation is in the record, line by line."""
    done = support.run(
        scene, "--headless", "--record=session", f"--broker={broker}", "-s8", "-vv", *EMPTY, "true"
    )
    assert done.code == 0, done.err
    traced: dict[tuple[int, str], list[str]] = {}
    for rank, side, line in TRACE.findall(done.err):
        traced.setdefault((int(rank), {"C": "pmi-c", "S": "pmi-s"}[side]), []).append(line)
    recorded = {
        key: [line[:1212] for line in data.decode().splitlines()]
        for key, data in streams(Session(str(scene / "session")), "pmi-c", "pmi-s").items()
    }
    assert recorded == traced
    assert len(recorded) == 16


def test_a_program_whose_end_was_only_printed(scene: Path) -> None:
    """Rank 0 may be gone before it can be asked; what it has printed is told, and recorded."""
    line = "Nov 22 23:49:39.411802 UTC 2026 broker.err[0]: rc2.0: sh -c x Exited (rc=3) 0.0s"
    broker = support.broker(scene, f"echo '{line}' >&2; exit 3")
    done = support.run(scene, "--headless", "--record=session", broker)
    assert done.code == 3
    assert "initial program exited with code 3" in done.err
    state = Session(str(scene / "session")).state
    assert state.program is not None
    assert (state.program.action, state.program.code) == ("ended", 3)


@pytest.mark.parametrize("end", ["exit 0", "exit 4", "kill -KILL $$"])
def test_what_is_printed_of_another_instance_is_no_end_of_this_one(scene: Path, end: str) -> None:
    """The program may start instances itself, and rank 0 print what they say."""
    line = "Nov 22 23:49:39.411802 UTC 2026 broker.err[0]: rc2.0: sh -c x Exited (rc=3) 0.0s"
    broker = support.broker(scene, f"echo '{line}' >&2; {end}")
    done = support.run(scene, "--headless", "--record=session", broker)
    assert "code 3" not in done.err
    assert Session(str(scene / "session")).state.program is None


@pytest.mark.parametrize("broker", BROKERS)
def test_a_summary_names_the_first_failure(scene: Path, broker: str) -> None:
    """On stderr, by --show, and as data: the program's code, and nothing on success."""
    words = ("--headless", f"--broker={broker}", "-s8", *EMPTY)
    done = support.run(scene, *words, "--record=session", "sh", "-c", "echo last words; exit 3")
    assert done.code == 3
    assert "initial program exited with code 3" in done.err
    shown = support.run(scene, "--show=session")
    assert shown.code == 0
    assert "initial program exited with code 3" in shown.out
    data = json.loads(support.run(scene, "--show=session", "--json").out)
    assert (data["code"], data["size"]) == (3, 8)
    quiet = support.run(scene, *words, "--no-summary", "sh", "-c", "exit 3")
    assert "initial program" not in quiet.err
    assert support.run(scene, *words, "--record=good", "true").err == ""
    table = support.run(scene, "--show=good").out
    assert [line.split()[:2] for line in table.splitlines()[2:4]] == [
        ["phase", "first"], ["spawned", table.splitlines()[3].split()[1]]
    ]  # fmt: skip
    assert table.splitlines()[-1].startswith("  exit ")


def test_a_hang_says_who_is_missing(scene: Path) -> None:
    """A rank that never speaks PMI is named, in an instance that was interrupted."""
    process = support.start(
        scene, "--headless", "--record=session", "--broker=embedded", "-s4",
        "-Sfault.init=2:hang", "--test-exit-timeout=0.5", "true",
    )  # fmt: skip
    session = support.session(scene / "session")

    def others_wait() -> bool:
        state = support.now(session)
        return all(state.broker(rank).pmi == "barrier" for rank in (0, 1, 3))

    support.wait_for(others_wait, "the barrier")
    process.send_signal(signal.SIGINT)
    done = support.finish(process)
    assert done.code == 128 + signal.SIGINT
    assert "INTERRUPTED by SIGINT" in done.err
    assert re.search(r"waiting in PMI barrier 1 for rank 2", done.err)


def test_sessions_are_listed_and_the_oldest_go(scene: Path) -> None:
    """--sessions has what --record wrote where sessions live; --keep limits their number."""
    env = {"XDG_STATE_HOME": str(scene / "state")}
    words = ("--headless", "--record", "--keep=2", "--broker=embedded", "-s1")
    for code in (0, 3, 4):
        support.run(scene, *words, "--no-summary", "sh", "-c", f"exit {code}", env=env)
    rows = json.loads(support.run(scene, "--sessions", "--json", env=env).out)
    assert [row["code"] for row in rows] == [4, 3]
    assert "initial program exited with code 4" in rows[0]["failure"]
    assert "no sessions" in support.run(scene, "--sessions", env={"XDG_STATE_HOME": "/nowhere"}).out


def test_a_directory_among_the_sessions_is_one_of_them(scene: Path) -> None:
    """The UI names the place of its session: the oldest make room for it all the same."""
    env = {"XDG_STATE_HOME": str(scene / "state")}
    root = scene / "state/fluxstart-tui/sessions"
    for number in range(1, 4):
        path = root / home.new_name(number * 1e6, "host", number)
        words = ("--headless", f"--record={path}", "--keep=2", "--broker=embedded", "-s1", "true")
        assert support.run(scene, *words, env=env).code == 0
    assert sorted(one.name[-1] for one in root.iterdir()) == ["2", "3"]
    support.run(scene, *words[:1], "--record=elsewhere", "--keep=1", *words[3:], env=env)
    assert len(list(root.iterdir())) == 2


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("-s1", "--record", "--record-limit=many", "true"), "--record-limit: 'many' is no size"),
        (("-s1", "--record", "--keep=0", "true"), "--keep argument must be > 0"),
        (("-s1", "--record=/proc/nowhere", "true"), "--record: /proc/nowhere: "),
        (("--show=nowhere",), "--show: "),
        (
            ("--json",),
            "--json only works with --show, --sessions, --diagnose, --repeat or --compare=A,B",
        ),
        (("--show", "--sessions"), "--show and --sessions exclude each other"),
        (("--sessions", "true"), "--sessions takes no command: 'true'"),
        (("--attach=1", "--headless"), "--attach: stdin and stdout are not terminals"),
    ],
)
def test_mistakes_get_one_line(scene: Path, args: tuple[str, ...], text: str) -> None:
    """Each names the option, on stderr, with exit code 1."""
    done = support.run(scene, "--broker=embedded", *args, env={"XDG_STATE_HOME": str(scene)})
    assert done.code == 1
    assert done.out == ""
    assert text in done.err
    assert done.err.count("\n") == 1


def test_output_passes_through_and_is_kept(scene: Path) -> None:
    """Recorded output reaches stdout and stderr as it is, byte by byte, and the record too."""
    body = r"""printf 'a\0b\nno newline'; printf '\033[1mred\r\n' >&2"""
    done = support.run(scene, support.broker(scene, body), "--record=session", "-s1")
    assert done.code == 0
    assert (done.out, done.err) == ("a\0b\nno newline", "\x1b[1mred\r\n")
    found = streams(Session(str(scene / "session")), "stdout", "stderr")
    assert found == {(0, "stdout"): b"a\0b\nno newline", (0, "stderr"): b"\x1b[1mred\r\n"}
