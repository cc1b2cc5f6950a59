"""Exit codes, timers, messages and rundirs of test instances whose brokers are small scripts."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests import support
from tests.support import PMI, broker

if TYPE_CHECKING:
    from pathlib import Path


def lines(text: str) -> list[str]:
    return sorted(re.sub(r"pid \d+", "pid P", text).splitlines())


def test_a_successful_instance_is_silent(scene: Path) -> None:
    """Exit code 0 of all brokers is ours, with nothing on stderr."""
    assert support.run(scene, broker(scene, "exit 0"), "-s4") == (0, "", "")


def test_exit_messages_and_highest_code(scene: Path) -> None:
    """Mode any: each failing rank is named, the highest code is returned."""
    done = support.run(scene, broker(scene, "exit $PMI_RANK"), "-s3", "--no-summary")
    assert done.code == 2
    assert lines(done.err) == [
        "fluxstart-tui: 1 (pid P) exited with rc=1",
        "fluxstart-tui: 2 (pid P) exited with rc=2",
    ]


def test_leader_mode_returns_rank_0s_code(scene: Path) -> None:
    """Mode leader: other ranks' codes do not count."""
    body = "exit $((7 - 4 * (PMI_RANK > 0)))"
    done = support.run(scene, broker(scene, body), "-s2", "--test-exit-mode=leader")
    assert done.code == 7


@pytest.mark.parametrize(
    ("signal", "code", "words"),
    [("KILL", 137, "Killed"), ("TERM", 143, "Terminated"), ("SEGV", 139, "Segmentation fault")],
)
def test_a_broker_killed_by_somebody_else(scene: Path, signal: str, code: int, words: str) -> None:
    """A death by signal is named as flux start names it and gives 128 + signal."""
    body = f"ulimit -c 0; kill -{signal} $$; sleep 99"
    done = support.run(scene, broker(scene, body), "-s1", "--no-summary")
    assert done.code == code
    assert lines(done.err) == [f"fluxstart-tui: 0 (pid P) {words}"]


def test_exit_timer_kills_the_others(scene: Path) -> None:
    """After the first exit the others have their time; then they are killed and named."""
    body = "[ $PMI_RANK = 2 ] && exit 0; exec sleep 99"
    options = ("-s4", "--test-exit-timeout=100ms", "--no-summary")
    done = support.run(scene, broker(scene, body), *options)
    assert done.code == 137
    assert lines(done.err) == [
        "fluxstart-tui: 0 (pid P) Killed",
        "fluxstart-tui: 1 (pid P) Killed",
        "fluxstart-tui: 3 (pid P) Killed",
        "fluxstart-tui: Exit timeout: killed rank 0-1,3",
    ]


def test_exit_timer_ends_what_brokers_run(scene: Path) -> None:
    """The kill reaches process groups below a broker and their children."""
    body = "[ $PMI_RANK = 1 ] && exit 0\nsetsid sh -c 'sleep 77 & sleep 78' & exec sleep 99"
    done = support.run(scene, broker(scene, body), "-s2", "--test-exit-timeout=0.3")
    assert done.code == 137
    assert support.processes_of(scene) == []


def test_exit_timer_reaches_children_that_outlive_a_killed_broker(scene: Path) -> None:
    """What a broker ran is ended even if somebody else had killed that broker before."""
    body = "[ $PMI_RANK = 0 ] || exec sleep 99\nsetsid sleep 77 & kill -KILL $$"
    done = support.run(scene, broker(scene, body), "-s2", "--test-exit-timeout=0")
    assert done.code == 137
    assert support.processes_of(scene) == []


def test_a_normal_end_leaves_background_processes_alone(scene: Path) -> None:
    """Like flux start, a good end does not hunt down what the program left running on purpose."""
    support.run(scene, broker(scene, "setsid sleep 77 >/dev/null 2>&1 & exit 0"), "-s1")
    left = support.wait_for(lambda: support.processes_of(scene), "the background process")
    assert "sleep 77" in left[0]
    os.kill(int(left[0].split()[0]), 9)


def test_a_stopped_broker_is_ended_by_the_timer(scene: Path) -> None:
    """A broker that is stopped holds nothing up for longer than the timeout."""
    body = "[ $PMI_RANK = 0 ] && exit 0; kill -STOP $$"
    done = support.run(scene, broker(scene, body), "-s2", "--test-exit-timeout=0.2")
    assert done.code == 137
    assert "Exit timeout: killed rank 1" in done.err


def test_pmi_abort_kills_everybody(scene: Path) -> None:
    """An abort is named with its message and ends all brokers; its code is not used."""
    body = "send('cmd=abort exitcode=3 error_msg=it broke\\n') if rank == 1 else 0\ntime.sleep(99)"
    done = support.run(scene, broker(scene, body, PMI), "-s3")
    assert done.code == 137
    assert done.err.startswith("fluxstart-tui: 1: PMI_Abort(): it broke\n")
    assert done.err.count("Killed") == 3


@pytest.mark.parametrize("what", ["/nonexistent", "/etc/passwd", ","])
def test_a_broker_that_can_not_be_executed(scene: Path, what: str) -> None:
    """A wrapper that is missing or no program gives flux start's line and exit code 1."""
    done = support.run(scene, broker(scene, "exit 0"), "-s3", f"--wrap={what}")
    reason = "Permission denied" if what == "/etc/passwd" else "No such file or directory"
    assert done == (1, "", f"fluxstart-tui: flux_exec: {reason}\n")


def test_a_start_that_fails_half_way_leaves_nothing(scene: Path) -> None:
    """If one rank can not be started, those that were are ended."""
    done = support.run(
        scene, broker(scene, "sleep 99"), "-s3", "--wrap=/nonexistent", "--wrap-ranks=2"
    )
    assert done.code == 1
    assert "flux_exec: No such file or directory" in done.err


@pytest.mark.parametrize("timeout", ["30d", "1e300", "inf"])
def test_exit_timeouts_without_end(scene: Path, timeout: str) -> None:
    """A timeout of weeks, or of more than time itself, is one that does not expire."""
    body = "[ $PMI_RANK = 0 ] || sleep 0.2"
    done = support.run(scene, broker(scene, body), "-s2", f"--test-exit-timeout={timeout}")
    assert done == (0, "", "")


def test_wrap_ranks_limits_the_wrapper(scene: Path) -> None:
    """Only the named ranks are wrapped, and -v shows it."""
    done = support.run(
        scene, broker(scene, "exit 0"), "-s3", "-vX", "--wrap=gdb,--args", "--wrap-ranks=1"
    )
    assert [" gdb --args " in line for line in done.err.splitlines()] == [False, True, False]


def test_leader_start_mode_starts_rank_0_only(scene: Path) -> None:
    """All argument vectors are shown, one broker runs."""
    done = support.run(
        scene, broker(scene, "echo $PMI_RANK/$PMI_SIZE"), "-s3", "-v", "--test-start-mode=leader"
    )
    assert (done.code, done.out, done.err.count("\n")) == (0, "0/3\n", 3)


def test_environment_of_a_broker(scene: Path) -> None:
    """A broker gets our environment plus what flux start adds, and nothing else."""
    body = "print(dict(os.environb) if rank == 1 else '', end='')"
    extra = {"LC_ALL": "", "LANG": "", "LC_CTYPE": "", "EMPTY": "", "\u00c4": "\udcff"}
    done = support.run(scene, broker(scene, body, PMI), "-s2", "--test-hosts=h[7-8]", env=extra)
    assert done.code == 0
    given = {os.fsdecode(k): os.fsdecode(v) for k, v in ast.literal_eval(done.out).items()}
    # The broker is Python too, and sets this one for itself; the next test looks from a shell.
    del given["LC_CTYPE"]
    expected = support.environment(scene, extra)
    assert {name for name in expected if name not in given} == {"LC_CTYPE"}
    added = {name: value for name, value in given.items() if expected.get(name) != value}
    rundir = added.pop("FLUX_START_URI")
    assert re.fullmatch(rf"local://{scene}/flux-\w{{6}}/start", rundir)
    assert added == {
        "PMI_FD": "3",
        "PMI_RANK": "1",
        "PMI_SIZE": "2",
        "FLUX_FAKE_HOSTNAME": "h8",
    }


def test_c_locale_adds_nothing_to_the_environment(scene: Path) -> None:
    """Python's LC_CTYPE of the C locale stays with us."""
    env = support.environment(scene)
    bare = {name: "" for name in env if name.startswith(("LC_", "LANG"))}
    for name in bare:
        env.pop(name)
    done = subprocess.run(
        support.command(broker(scene, "env"), "-s1"),
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert "LC_CTYPE" not in done.stdout


def test_rundir_option(scene: Path) -> None:
    """--rundir is made if missing and then removed; one that was there stays with its content."""
    plain = broker(scene, "[ -S mine/start ] && ls -ld mine | cut -c1-10")
    assert support.run(scene, plain, "-s1", "--rundir=mine") == (0, "drwx------\n", "")
    assert not (scene / "mine").exists()
    (scene / "mine").mkdir()
    (scene / "mine" / "kept").touch()
    assert support.run(scene, plain, "-s1", "--rundir=mine").code == 0
    assert sorted(path.name for path in (scene / "mine").iterdir()) == ["kept"]
    done = support.run(scene, plain, "-s1", "--rundir=no/such")
    assert done == (1, "", "fluxstart-tui: no/such: No such file or directory\n")


def test_test_rundir_and_cleanup(scene: Path) -> None:
    """--test-rundir is used as it is; with -cleanup it goes, whatever is in it."""
    (scene / "rd").mkdir()
    body = broker(scene, "mkdir -p rd/a/b; touch rd/a/b/c")
    assert support.run(scene, body, "-s1", "--test-rundir=rd").code == 0
    assert (scene / "rd" / "a" / "b" / "c").exists()
    cleanup = ("--test-rundir=rd", "--test-rundir-cleanup")
    assert support.run(scene, body, "-s1", *cleanup).code == 0
    assert not (scene / "rd").exists()


def test_two_instances_can_not_share_a_rundir(scene: Path) -> None:
    """The second is told so; a socket whose owner has died is no obstacle."""
    (scene / "rd").mkdir()
    body = broker(scene, "touch up; exec sleep 99")
    first = support.start(scene, body, "-s1", "--test-rundir=rd")
    support.wait_for((scene / "up").exists, "the first broker")
    second = support.run(scene, body, "-s1", "--test-rundir=rd")
    assert second.code == 1
    assert second.err.endswith("rd/start: Address already in use\n")
    first.terminate()
    assert support.finish(first).code == 143
    import socket

    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(scene / "rd" / "start"))
    assert support.run(scene, broker(scene, "exit 0"), "-s1", "--test-rundir=rd").code == 0


def test_a_file_called_start_is_not_ours(scene: Path) -> None:
    """What is no socket is not removed to make place for ours."""
    (scene / "rd").mkdir()
    (scene / "rd" / "start").write_text("precious")
    done = support.run(scene, broker(scene, "exit 0"), "-s1", "--test-rundir=rd")
    assert done.code == 1
    assert done.err.endswith("rd/start: Address already in use\n")
    assert (scene / "rd" / "start").read_text() == "precious"


def test_cleanup_is_not_for_somebody_elses_rundir(scene: Path) -> None:
    """An instance that was refused a rundir does not remove it, whatever it was told."""
    (scene / "rd").mkdir()
    body = broker(scene, "touch up; exec sleep 99")
    first = support.start(scene, body, "-s1", "--test-rundir=rd")
    support.wait_for((scene / "up").exists, "the first broker")
    second = support.run(scene, body, "-s1", "--test-rundir=rd", "--test-rundir-cleanup")
    assert second.code == 1
    assert (scene / "rd" / "start").exists()
    first.terminate()
    support.finish(first)


def test_a_task_map_that_is_too_long(scene: Path) -> None:
    """A map whose PMI form would be huge is one line, not a traceback."""
    done = support.run(
        scene, broker(scene, "exit 0"), "-s2", "--test-pmi-clique=[[0,1,1,2000000000]]"
    )
    assert done.code == 1
    assert done.err.startswith("fluxstart-tui: test-pmi-clique: ")
    assert done.err.count("\n") == 1


def test_an_abort_can_not_write_to_the_terminal(scene: Path) -> None:
    """Control characters and undecodable bytes in an abort's text are shown harmlessly."""
    body = "send(b'cmd=abort error_msg=\\xe2\\x1b[31mred\\n'); time.sleep(99)"
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = support.run(scene, broker(scene, body, PMI), "-s1", env=env)
    assert done.code == 137
    assert done.err.startswith("fluxstart-tui: 0: PMI_Abort(): \\xe2\\x1b[31mred\n")


def test_rundir_too_long(scene: Path) -> None:
    """A path that leaves no room for socket names is refused, naming the limit."""
    deep = scene / ("d" * 90)
    deep.mkdir()
    done = support.run(scene, broker(scene, "exit 0"), "-s1", env={"TMPDIR": str(deep)})
    assert done.code == 1
    assert "exceed the limit of 96" in done.err


@pytest.mark.parametrize("tmpdir", ["/nonexistent", "/proc", "/etc/passwd"])
def test_rundir_can_not_be_made(scene: Path, tmpdir: str) -> None:
    """One line names the directory and the reason."""
    done = support.run(scene, broker(scene, "exit 0"), "-s1", env={"TMPDIR": tmpdir})
    assert done.code == 1
    assert re.fullmatch(rf"fluxstart-tui: mkdtemp {tmpdir}/flux-\w{{6}}: [A-Z].*\n", done.err)


@pytest.mark.skipif(os.getuid() != 0, reason="mounting a small file system needs root")
def test_no_inodes_for_the_rundir(scene: Path) -> None:
    """A file system that is full gives one line with its reason, and nothing is started."""
    small = scene / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "nr_inodes=1,size=4k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        done = support.run(scene, broker(scene, "touch ran"), "-s1", env={"TMPDIR": str(small)})
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert done.code == 1
    assert done.err.endswith(": No space left on device\n")
    assert done.err.startswith(f"fluxstart-tui: mkdtemp {small}/flux-")
    assert not (scene / "ran").exists()


def test_deleted_working_directory(scene: Path) -> None:
    """A working directory that is gone is said at once, with exit code 1."""
    gone = scene / "gone"
    gone.mkdir()
    done = support.run(scene, "-s1", "true", cwd=gone, preexec_fn=lambda: os.rmdir(gone))
    text = "Unable to get current working directory: No such file or directory"
    assert done == (1, "", f"fluxstart-tui: {text}\n")


def test_noexec_leaves_nothing_and_runs_nothing(scene: Path) -> None:
    """-X makes all checks and starts nothing, in leader start mode too."""
    plain = broker(scene, "touch ran")
    for mode in ("all", "leader"):
        assert support.run(scene, plain, "-s2", "-X", f"--test-start-mode={mode}").code == 0
    assert not (scene / "ran").exists()
    assert support.rundirs(scene) == []
