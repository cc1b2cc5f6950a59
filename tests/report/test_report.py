"""The report of a session: whatever a broker has said, it is text; and it says what matters."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxstart_tui import cli
from fluxstart_tui.cli import reports
from fluxstart_tui.engine.errors import LaunchError
from fluxstart_tui.report import gathered, newest, session_markdown, session_report
from fluxstart_tui.report.html.markup import tag
from fluxstart_tui.session import events as e
from fluxstart_tui.session.files import Files
from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.session.reader import Session
from tests import support
from tests.diagnose import blocks, ends, launches
from tests.report.test_anything import EVENTS
from tests.report.test_junit import STOPPED

if TYPE_CHECKING:
    from tests.diagnose.blocks import Timed

    Piece = tuple[float, int, int, bytes]

TAGS = frozenset(re.findall(r"\w+", """
a article b body button caption code dd details div dl dt figcaption figure footer form h1 h2 h3 h4
head header html i input label li main meta nav option output p path pre rect script section select
span strong style summary svg table tbody td th thead title tr ul
"""))  # fmt: skip
HOSTILE = (
    "</script><script>alert(1)</script>", "<!--<script>", "\u2028\u2029", "a\0b", "]]>", "&amp;",
    "<img src=x onerror=alert(1)>", "\x1b[31mred\x1b[0m", '" onload="x', "`|*_[x](javascript:y)",
    "</pre></details>", "\u202eltr", "'><svg/onload=1>",
)  # fmt: skip


class Page(HTMLParser):
    """What a page consists of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.words = ""
        self.data: dict[str, str] = {}
        self._script = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self._script = dict(attrs).get("id") or "own" if tag == "script" else ""

    def handle_endtag(self, tag: str) -> None:
        self._script = ""

    def handle_data(self, data: str) -> None:
        if self._script:
            self.data[self._script] = self.data.get(self._script, "") + data
        else:
            self.words += data


def session(path: Path, timed: Timed, out: list[Piece] | None = None, size: int = 4) -> str:
    """Write a session."""
    header = {"format": 1, "size": size, "mode": "test", "argv": ["fluxstart-tui", *HOSTILE]}
    files = Files(str(path), header, 1 << 30)
    files.write(out or [], timed)
    files.close(0.0)
    return str(path)


def checked(directory: str) -> Page:
    """Return the page of a session in which nothing is but what we have put there."""
    text = session_report.text(".html", directory)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", text)
    page = Page(text)
    assert set(page.tags) <= TAGS
    assert not [name for name in page.names if name.startswith("on") or name == "src"]
    assert page.tags.count("script") == len(page.data)
    for name, data in page.data.items():
        assert name == "own" or isinstance(json.loads(data), list)
    return page


@settings(max_examples=10, deadline=None)
@given(EVENTS, st.lists(st.tuples(st.integers(0, 6), st.binary(max_size=60) | st.sampled_from(
    [one.encode() + b"\n" for one in HOSTILE])), max_size=20))  # fmt: skip
def test_any_session(timed: list[tuple[float, e.Event]], said: list[tuple[int, bytes]]) -> None:
    """Whatever has happened and was said, there is a report in each form."""
    few: Timed = [(t, one) for t, one in timed if getattr(one, "rank", 0) < 100
           and not isinstance(one, e.Hold | e.Online | e.Size | e.Sample)]  # fmt: skip
    with tempfile.TemporaryDirectory() as directory:
        path = session(Path(directory), few, [(0.5, 1, stream, data) for stream, data in said])
        checked(path)
        assert json.loads(session_report.text(".json", path))["version"] == 1
        assert len(session_report.text(".md", path)) < 65_536


def test_hostile_output_is_text(tmp_path: Path) -> None:
    """It is shown as it was said, by the script too."""
    out = [(0.5, 2, 0, f"{one}\n".encode()) for one in HOSTILE]
    page = checked(session(tmp_path, ends.success(), out))
    lines = [line[3] for line in json.loads(page.data["output-data"])]
    assert lines[0] == HOSTILE[0]
    assert lines[7] == "red"
    assert "</script><script>alert(1)</script>" in page.words
    markdown = session_markdown.text(Session(str(tmp_path)))
    assert re.findall(r"^</pre></details>", markdown, re.MULTILINE) == []


def test_attributes_are_escaped() -> None:
    """Markup is what we have made; anything else is text."""
    made = tag("p", "<b>", tag("i", "&"), title='"><script>', hidden=True, id=None)
    assert made == '<p title="&quot;&gt;&lt;script&gt;" hidden>&lt;b&gt;<i>&amp;</i></p>'
    assert "&lt;u&gt;" in made + "<u>"


def test_a_hang_is_told(tmp_path: Path) -> None:
    """The culprit, who waited for it, and who never came to the barrier."""
    path = session(tmp_path, launches.stuck_before_barrier())
    found = gathered.gather(path)
    assert found.culprits
    culprit = f"rank {min(found.culprits)}"
    page = checked(path)
    assert f"{culprit} never came." in page.words
    assert f"Waiting in PMI barrier 1 for {culprit}" in page.words
    assert f"\n## ❌ Waiting in PMI barrier 1 for {culprit}" in f"\n{session_markdown.of(found)}"


def test_a_timeout_is_told(tmp_path: Path) -> None:
    """What was said before time was up, who was seen to be stopped, and what to do."""
    timed = [*STOPPED, (9.4, e.Backtrace(0, "sleep 9 (pid 7):\n\nThread 1 (LWP 7):\n#0  nap ()"))]
    out = [(8.0, 0, 1, b"before\n"), (9.6, 0, 1, b"after\n")]
    found = gathered.gather(session(tmp_path, timed, out))
    summary = found.verdict.summary
    assert [one.lines for one in summary.outputs if one.rank == 0] == [["before"]]
    assert summary.backtrace == ["sleep 9 (pid 7):", "#0  nap ()"]
    assert "rank 3 seen to be suspended" in [one.text for one in found.history.moments]
    page = checked(str(tmp_path))
    assert "Program ran (8.8 s); rank 3 was suspended by a signal" in page.words
    command = "fluxstart-tui --ctl=last signal 3 CONT"
    assert command in page.words
    assert f"\n    {command}" in session_markdown.of(found)


def test_a_log_begins_with_what_is_no_detail(tmp_path: Path) -> None:
    """Records of level debug are shown when they are asked for."""
    records = [b"<%d>1 T 0 broker - - - %s\n" % (n * 8, name) for n, name in ((7, b"x"), (6, b"y"))]
    out = [(0.5, 0, STREAMS.index("log"), record) for record in records]
    page = checked(session(tmp_path, ends.success(), out))
    assert "2 log records." in page.words
    assert "broker: y" in page.words
    assert "broker: x" not in page.words
    assert [line[2] for line in json.loads(page.data["log-data"])] == ["debug", "info"]


def test_many_ranks(tmp_path: Path) -> None:
    """Equal ranks share a row, and a line that all of them said is one."""
    size = 200
    timed = [*blocks.spawn(size), *blocks.pmi(size), *blocks.walk(range(size), "run"),
             (9.0, e.Exit(77, 177, 137, 9, "sender")), (9.5, e.End(137))]  # fmt: skip
    out = [(1.0, rank, 0, b"same\n") for rank in range(size)]
    page = checked(session(tmp_path, timed, out, size))
    assert json.loads(page.data["output-data"]) == [[1.0, "0-199", "stdout", "same"]]
    assert page.tags.count("rect") < 100


def test_old_output_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the report says how much of it."""
    monkeypatch.setattr(gathered, "OUTPUT_MAX", 10_000)
    out = [(0.1 * n, 0, 0, f"line {n}\n".encode()) for n in range(9000)]
    page = checked(session(tmp_path, ends.success(), out))
    lines = json.loads(page.data["output-data"])
    assert lines[-1][3] == "line 8999"
    left = sum(len(data) for *_, data in out[: 9000 - len(lines)])
    assert f"{left:,} bytes of older lines of output are left out" in page.words


def test_the_end_of_a_flood(tmp_path: Path) -> None:
    """Of a run that is longer than all that is wanted the end is shown."""
    path = session(tmp_path, ends.success(), [(0.1, 0, 0, b"x\n" * 3000 + b"last\n")])
    found = newest.newest(Session(path).output, newest.OUTPUT, 100)
    assert (found.left_out, found.lines[-1].text, len(found.lines)) == (5905, "last", 49)


def test_log_records_have_a_severity() -> None:
    """One that is none is shown as it is."""
    record = b"<28>1 2026-11-22T12:00:00.000000Z 3 broker - - - rc1: <b>"
    assert newest._record(record) == ("err", "broker: rc1: <b>")
    assert newest._record(b"<x>") == ("info", "<x>")
    assert STREAMS[newest.LOG[0]] == "log"


def test_after_a_run(tmp_path: Path) -> None:
    """A run writes a report, and --show writes one of its session."""
    words = ("--headless", "--broker=embedded", "-s1", "--record=s", "--report=r.html")
    done = support.run(tmp_path, *words, "echo", "hi")
    assert (done.code, done.out) == (0, "hi\n"), done
    assert "came to state run" in Page((tmp_path / "r.html").read_text()).words
    report = tmp_path / "r.json"
    assert cli.main(["fluxstart-tui", f"--show={tmp_path}/s", f"--report={report}"]) == 0
    assert json.loads(report.read_text())["summary"]["outcome"] == "success"


@pytest.mark.parametrize(
    ("name", "why"),
    [("r.pdf", "the name of a report ends in"), ("nowhere/r.md", "No such file or directory")],
)
def test_a_report_that_can_not_be(tmp_path: Path, name: str, why: str) -> None:
    """It is told before anything starts."""
    with pytest.raises(LaunchError, match=f"--report: .*{name}: {why}"):
        reports.check(str(tmp_path / name))


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_in_a_browser(tmp_path: Path) -> None:
    """The script runs under the page's own policy, and what a broker said does not."""
    out = [(0.5, 2, 0, f"{one}\n".encode()) for one in HOSTILE]
    (tmp_path / "s").mkdir()
    path = session(tmp_path / "s", launches.stuck_before_barrier(), out)
    session_report.write(str(tmp_path / "r.html"), path)
    shown = subprocess.run(
        [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
         f"--user-data-dir={tmp_path}/profile", "--dump-dom", f"file://{tmp_path}/r.html"],
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout  # fmt: skip
    page = Page(shown)
    assert f"{len(HOSTILE)} of {len(HOSTILE)} lines" in page.words
    assert "Zoom in" in shown
    assert "img" not in page.tags
