"""rc1, the initial program and rc3: how they run, and what becomes of the exit code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.broker.instance import Broker, Instance

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("program", "code"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 3"], 3),
        (["sh", "-c", "kill -INT $$"], 130),
        (["sh", "-c", "kill -KILL $$"], 137),
        (["/nonexistent"], 127),
        (["/etc/passwd"], 126),
        (["nonexistent-command", "arg"], 127),
        (["/etc/passwd", "arg"], 126),
        (["exit 9"], 9),
        (["exit 256"], 0),
    ],
)
def test_exit_code_is_the_initial_programs(tmp_path: Path, program: list[str], code: int) -> None:
    assert Broker(tmp_path, program).wait() == code


@pytest.mark.parametrize(
    ("rc1", "program", "rc3", "code"),
    [
        ("exit 5", "exit 3", "exit 9", 5),
        ("true", "exit 3", "exit 9", 3),
        ("true", "true", "exit 9", 9),
    ],
)
def test_the_first_failure_counts(
    tmp_path: Path, rc1: str, program: str, rc3: str, code: int
) -> None:
    broker = Broker(
        tmp_path, [f"-Sbroker.rc1_path={rc1}", f"-Sbroker.rc3_path={rc3}", "sh", "-c", program]
    )
    assert broker.wait() == code


def test_a_failed_rc1_skips_the_initial_program(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["-v", "-Sbroker.rc1_path=exit 5", "echo", "hello"])
    assert broker.wait() == 5
    assert broker.stdout == ""
    assert "broker.err[0]: rc1.0: exit 5 Exited (rc=5) 0.0s" in broker.stderr
    assert "rc1-fail: init->shutdown" in broker.stderr


def test_in_recovery_mode_a_failed_rc1_does_not_matter(tmp_path: Path) -> None:
    broker = Broker(
        tmp_path, ["-v", "-Sbroker.rc1_path=false", "-Sbroker.recovery-mode=1", "echo", "hello"]
    )
    assert broker.wait() == 0
    assert broker.stdout == "hello\n"
    assert "rc1-ignorefail: init->quorum" in broker.stderr


def test_rc1_and_rc3_run_everywhere_and_the_program_on_rank_0(tmp_path: Path) -> None:
    rc1 = "echo $FLUX_URI >> $OUT"
    with Instance(
        tmp_path, 3, f"-Sbroker.rc1_path={rc1}", f"-Sbroker.rc3_path={rc1}", "--",
        "sh", "-c", "echo run >> $OUT", env={"OUT": str(tmp_path / "out")},
    ) as instance:  # fmt: skip
        assert instance.wait() == [0, 0, 0]
        lines = (tmp_path / "out").read_text().splitlines()
        uris = [f"local://{instance.rundir}/local-{rank}" for rank in range(3)]
        assert lines[3] == "run"
        assert lines[0] == uris[0]  # a child's rc1 waits for its parent's
        assert lines[-1] == uris[0]  # a parent's rc3 waits for its children's
        assert sorted(lines[:3]) == sorted(lines[4:]) == uris


def test_output_of_rc1_goes_to_the_log_line_by_line(tmp_path: Path) -> None:
    rc1 = r"echo one; echo two >&2; printf 'three\n\377\n\nlast'; cat; sleep 0 &"
    broker = Broker(tmp_path, ["-v", f"-Sbroker.rc1_path={rc1}", "true"])
    assert broker.wait() == 0
    assert broker.stdout == ""
    data = (tmp_path / "err.0").read_bytes()
    for line in (b"one", b"three", b"\xff", b"", b"last"):
        assert b"\n<6>broker.info[0]: rc1.0: " + line + b"\n" in data
    assert b"\n<3>broker.err[0]: rc1.0: two\n" in data


def test_commands_are_free_of_what_the_launcher_said(tmp_path: Path) -> None:
    blocked = {
        "FLUX_JOB_ID": "1", "FLUX_JOB_SIZE": "1", "FLUX_JOB_NNODES": "1", "FLUX_JOB_TMPDIR": "1",
        "FLUX_TASK_RANK": "1", "FLUX_TASK_LOCAL_ID": "1", "FLUX_KVS_NAMESPACE": "1",
        "FLUX_PROXY_REMOTE": "1", "FLUX_PMI_LIBRARY_PATH": "1", "I_MPI_PMI_LIBRARY": "1",
        "NOTIFY_SOCKET": "1", "PMI_APPNUM": "1", "PMIX_X": "1", "SLURM_PROCID": "1",
        "PALS_APID": "1", "FLUX_ENCLOSING_ID": "1",
    }  # fmt: skip
    kept = {"FLUX_START_URI": "local:///x/start", "FLUX_EXEC_PATH": "/x", "FLUX_URI": "old"}
    env = blocked | kept
    with Instance(
        tmp_path, 1, "-Sbroker.rc1_path=env > $OUT.1", "-Sbroker.rc3_path=env > $OUT.3", "--",
        "env", env=env | {"OUT": str(tmp_path / "env")},
    ) as instance:  # fmt: skip
        assert instance.wait() == [0]
        for text in (
            instance[0].stdout,
            (tmp_path / "env.1").read_text(),
            (tmp_path / "env.3").read_text(),
        ):
            seen = dict(line.partition("=")[::2] for line in text.splitlines())
            assert not blocked.keys() & seen.keys()
            assert not [name for name in seen if name.startswith(("PMI", "SLURM_", "PALS_"))]
            assert seen["FLUX_START_URI"] == "local:///x/start"
            assert seen["FLUX_EXEC_PATH"] == "/x"
            assert seen["FLUX_URI"] == f"local://{instance.rundir}/local-0"


def test_commands_have_groups_signals_and_descriptors_of_their_own(tmp_path: Path) -> None:
    look = "cut -d' ' -f5 /proc/$$/stat; grep -E 'Sig(Blk|Ign)' /proc/self/status; ls /proc/$$/fd"
    broker = Broker(tmp_path, ["sh", "-c", f"echo $$; {look}; true"])
    assert broker.wait() == 0
    pid, group, blocked, ignored, *fds = broker.stdout.split("\n")
    assert pid == group
    assert int(blocked.split()[1], 16) == 0
    # beyond 31 are the C library's own
    assert int(ignored.split()[1], 16) & 0x7FFFFFFF == 0
    assert fds == ["0", "1", "2", ""]


def test_no_program_and_no_terminal_is_an_error(tmp_path: Path) -> None:
    for words in ([], ["sh"]):
        broker = Broker(tmp_path, words)
        assert broker.wait() == 1
        assert broker.stderr.endswith(
            "broker.crit[0]: stdin is not a tty - can't run interactive shell\n"
        )


def test_several_ranks_end_with_their_own_codes(tmp_path: Path) -> None:
    with Instance(
        tmp_path, 3, "--", "true", per_rank={2: ["-Sbroker.rc3_path=exit 9"]}
    ) as instance:
        assert instance.wait() == [0, 0, 9]
        # at the default levels a follower's errors are shown by rank 0
        assert re.search(
            r"broker\.err\[2\]: rc3\.0: exit 9 Exited \(rc=9\) 0\.0s\n", instance[0].stderr
        )
