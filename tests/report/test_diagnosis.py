"""--diagnose: reports of logs, whatever is in them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxstart_tui.diagnose.launch import facts
from fluxstart_tui.report import diagnosis, launch_log
from fluxstart_tui.report.launch_times import Times
from tests.diagnose import captures
from tests.support import command, environment, finish, now, run, session, start, wait_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("slurm-die-before-pmi", "slurm-pmi2-ok-n4", "hydra-env-probe", "slurm-net-refused")
DIED, HEALTHY, NO_LAUNCH, REFUSED = (
    next(one for one in captures.ALL if one.name == name) for name in NAMES
)


def report(path: object) -> diagnosis.Report:
    return diagnosis.report(launch_log.read(str(path)))


def test_a_log_of_a_launch_that_hangs(tmp_path: Path) -> None:
    done = run(tmp_path, f"--diagnose={DIED.path}")
    assert done.code == 1
    assert "S1  rank 1 is gone, it exited with code 3; rank 0 waits" in done.out
    assert "line 5 " in done.out


def test_a_log_of_a_healthy_launch(tmp_path: Path) -> None:
    done = run(tmp_path, f"--diagnose={HEALTHY.path}")
    assert done.code == 0
    assert "srun, size 4" in done.out
    assert "nothing wrong" in done.out


def test_a_log_that_a_mail_quotes(tmp_path: Path) -> None:
    plain, quoted = tmp_path / "plain", tmp_path / "quoted"
    lines = [text for _, text in DIED.lines()]
    plain.write_text("".join(f"{text}\n" for text in lines))
    quoted.write_text("".join(f"> {'>' * (n % 2)} {text}\n" for n, text in enumerate(lines)))
    assert [one.id for one in report(quoted).findings] == [one.id for one in report(plain).findings]
    assert report(quoted).findings


@pytest.mark.parametrize("form", [(), ("--json",), ("--markdown",)])
def test_what_is_no_launch(tmp_path: Path, form: tuple[str, ...]) -> None:
    assert run(tmp_path, f"--diagnose={NO_LAUNCH.path}", *form).code == 2


@pytest.mark.parametrize("name", ["nothing", ".", "/dev/zero"])
def test_what_can_not_be_read(tmp_path: Path, name: str) -> None:
    path = os.path.join(tmp_path, name)
    done = run(tmp_path, f"--diagnose={path}")
    assert done.code == 2
    assert done.err.startswith(f"fluxstart-tui: --diagnose: {path}: ")
    assert done.err.count("\n") == 1
    assert done.out == ""


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--json",), "--json only works with"),
        (("--markdown",), "--markdown only works with --diagnose"),
        (("--diagnose=x", "--json", "--markdown"), "--markdown only works with --diagnose"),
        (("--diagnose=x", "--show"), "exclude each other"),
        (("--diagnose=x", "true"), "takes no command"),
    ],
)
def test_options_that_do_not_go_together(tmp_path: Path, words: tuple[str, ...], text: str) -> None:
    done = run(tmp_path, *words)
    assert done.code == 1
    assert text in done.err


def test_standard_input(tmp_path: Path) -> None:
    with DIED.path.open("rb") as log:
        done = subprocess.run(
            command("--diagnose=-", "--json"),
            stdin=log,
            capture_output=True,
            env=environment(tmp_path),
            check=False,
        )
    data = json.loads(done.stdout)
    assert done.returncode == 1
    assert data["launcher"] == "srun"
    assert data["size"] == 2
    assert {phase["name"]: phase["missing"] for phase in data["phases"]}["put"] == "1"
    (found,) = data["findings"]
    assert (found["id"], found["ranks"], found["tip"]) == ("S1", "1", "5")
    assert found["evidence"][0]["line"] == 5
    assert found["remedies"]


def test_a_directory_with_a_log_and_its_command(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("".join(f"{text}\n" for _, text in DIED.lines()))
    (tmp_path / "cmd").write_text("env: A=1\ncmd: srun -n2 flux start\n")
    (tmp_path / "rc").write_text("137\n")
    found = report(tmp_path)
    assert found.log.launch.command == ("A=1", "srun", "-n2", "flux", "start")
    assert found.log.launch.code == 137
    own, *_, kill = found.findings[0].remedies
    assert own == f"grep -nE '(^|[] >])1: ' {tmp_path / 'out'}   # all that rank 1 has said"
    assert kill.startswith("A=1 srun --kill-on-bad-exit -n2 flux start")


def test_a_session_of_test_mode(tmp_path: Path) -> None:
    words = ("-s2", "--broker=embedded", "--headless", f"--record={tmp_path / 's'}")
    assert run(tmp_path, *words, "true").code == 0
    assert report(tmp_path / "s").code == 0
    assert run(tmp_path, *words[:3], f"--record={tmp_path / 'f'}", "false").code == 1
    found = report(tmp_path / "f")
    assert found.log.launch.size == 2
    assert {one.id for one in found.findings} <= {"I2"}


def test_a_session_that_somebody_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "s"
    words = ("-s3", "--broker=embedded", "--headless", f"--record={folder}",
             "--test-exit-timeout=1s")  # fmt: skip
    wrap = ("--wrap-ranks=1", "--wrap=/bin/sh,-c,exec sleep 60", "true")
    process = start(tmp_path, *words, *wrap)
    followed = session(folder)
    wait_for(lambda: len(now(followed).ranks(lambda one: one.barrier == 1)) == 2, "two that wait")
    process.send_signal(signal.SIGINT)
    assert finish(process).code != 0
    assert report(folder).findings == []  # it has not waited long enough for a stall
    monkeypatch.setattr(facts, "STALL", 0.0)
    (found,) = report(folder).findings
    assert (found.id, found.ranks) == ("S2", frozenset({1}))
    assert "it was started" in found.sentence


def test_markdown_shows_lines_as_code_only(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("0: <2>broker.crit[0]: rundir <b>*x*</b>`` is not owned by instance owner\n")
    text = diagnosis.as_markdown(report(log))
    assert "<b>" not in text.replace("    line 1 rank 0:  <2>broker.crit[0]: rundir <b>", "")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_text_fits(width: int) -> None:
    lines = diagnosis.as_text(report(REFUSED.path), width).splitlines()
    wide = [line for line in lines if len(line) > min(width, 100) and "  $ " not in line]
    assert wide == []


def test_keys_of_cards_are_not_shown(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(DIED.path.read_text().replace('"pubkey":"k"', '"pubkey":"SECRET"'))
    found = report(log)
    for text in (diagnosis.as_text(found, 500), diagnosis.as_json(found)):
        assert "pubkey" in text or "..." in text
        assert "SECRET" not in text


@pytest.mark.parametrize(
    ("line", "t", "text"),
    [
        ("2026-11-22T06:37:12.5Z 0: x", 1.5, "0: x"),
        ("2026-11-22 06:37:12,250  9: x", 1.25, " 9: x"),
        ("06:37:12.5 0: x", 1.5, "0: x"),
        ("Nov 22 06:37:12 0: x", 1.0, "0: x"),
        ("1795329432.5 0: x", 1.5, "0: x"),
        ('{"t": 1.5, "s": "0: x"}', 1.5, "0: x"),
        ("[   12.500] 0: x", 1.5, "0: x"),
    ],
)
def test_times_of_many_forms(line: str, t: float, text: str) -> None:
    first = {
        "2026": "2026-11-22T06:37:11Z y", "06:3": "06:37:11 y", "Nov ": "Nov 22 06:37:11 y",
        "1795": "1795329431.0 y", '{"t"': '{"t": 0, "s": "y"}', "[   ": "[   11.000] y",
    }[line[:4]]  # fmt: skip
    times = Times()
    assert times.split(first) == (0.0, "y")
    assert times.split(line) == (t, text)


@pytest.mark.parametrize(
    "line",
    ["0: x", "[0] x", "Nov 22 06:37:11.7 UTC 2026 broker.err[0]: x", "30.073s: flux-shell[0]: x",
     '{"t": 1}', '{"t"', '{"t": "x", "s": "y"}', "2026-02-31T00:00:00 x", "[1,0]<stderr>: x"],
)  # fmt: skip
def test_what_is_no_time(line: str) -> None:
    assert Times().split(line) == (None, line)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_harmless(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    log = tmp_path_factory.getbasetemp() / "bytes"
    log.write_bytes(data)
    found = report(log)
    assert found.code in (0, 1, 2)
    for text in (diagnosis.as_text(found), diagnosis.as_json(found), diagnosis.as_markdown(found)):
        assert text.isascii()
        assert all(line.isprintable() for line in text.splitlines())


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(captures.ALL), st.floats(0, 1), st.binary(max_size=20))
def test_a_log_that_is_cut_and_broken(
    tmp_path_factory: pytest.TempPathFactory, one: captures.Capture, part: float, junk: bytes
) -> None:
    data = one.path.read_bytes()
    at = int(len(data) * part)
    log = tmp_path_factory.getbasetemp() / "broken"
    log.write_bytes(data[:at] + junk + data[at // 2 : at])
    assert report(log).code in (0, 1, 2)


@pytest.mark.parametrize(
    "data",
    [
        b"0: " + b"x" * (8 << 20),
        b"\0" * (4 << 20),
        b"\x1b]" * (1 << 20),
        b"\x1b[" + b"0;" * (1 << 20) + b"\n",
        b"\n" * (1 << 18),
        b'{"t":' * (1 << 18) + b"\n",
        b"[" * (1 << 20) + b"\n0: bootstrap: simple: put key=0 value=" + b"{" * (1 << 20),
    ],
    ids=["line", "nul", "osc", "csi", "newlines", "json", "brackets"],
)
def test_hostile_logs_cost_little(tmp_path: Path, data: bytes) -> None:
    log = tmp_path / "log"
    log.write_bytes(data)
    start = time.process_time()
    found = report(log)
    diagnosis.as_text(found)
    assert time.process_time() - start < 3.0
