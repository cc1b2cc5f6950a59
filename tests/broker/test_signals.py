"""Signals to brokers, by the state that they are in."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.broker.instance import BROKER, PATIENCE, Broker, Instance, until

DEADLY = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGALRM)


def until_dead(pid: int) -> None:
    """Wait until a process is gone or waits for a parent that does not care."""

    def dead() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    until(dead, f"end of {pid}")


@pytest.mark.parametrize("signum", DEADLY, ids=lambda signum: signum.name)
def test_a_deadly_signal_hangs_up_the_initial_program(
    tmp_path: Path, signum: signal.Signals
) -> None:
    broker = Broker(tmp_path, ["-v", "sh", "-c", "echo up; exec sleep 60"])
    broker.until_stdout("up")
    broker.process.send_signal(signum)
    assert broker.wait() == 129
    assert f"broker.info[0]: signal {signum.value}\n" in broker.stderr
    assert re.search(r"rc2\.0: sh -c echo up; exec sleep 60 Hangup \(rc=129\)", broker.stderr)
    assert "rc2-fail: run->cleanup" in broker.stderr


def test_a_program_that_takes_the_hangup_well_fails_all_the_same(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["sh", "-c", "trap 'exit 0' HUP; echo up; sleep 60 & wait"])
    broker.until_stdout("up")
    broker.process.terminate()
    assert broker.wait() == 1
    assert "aborted after exit with rc=0 (rc=1)" in broker.stderr


def test_a_program_that_ignores_the_hangup_is_only_asked_again(tmp_path: Path) -> None:
    broker = Broker(
        tmp_path,
        ["-v", "sh", "-c", "trap '' HUP; echo up; cat; exit 5"],
        stdin=subprocess.PIPE,
    )
    broker.until_stdout("up")
    for count in (1, 2):
        broker.process.terminate()
        until(lambda count=count: broker.stderr.count("signal 15\n") == count, "signal")  # type: ignore[misc]
    assert broker.process.poll() is None
    assert broker.process.stdin is not None
    broker.process.stdin.close()
    assert broker.wait() == 5


def test_background_processes_of_the_program_get_the_hangup_too(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["sh", "-c", "sleep 60 & echo up $!; wait"])
    broker.until_stdout("up")
    broker.process.terminate()
    assert broker.wait() == 129
    until_dead(int(broker.stdout.split()[1]))


@pytest.mark.parametrize("name", ["rc1", "rc3"])
def test_a_signal_in_rc1_or_rc3_hangs_that_up(tmp_path: Path, name: str) -> None:
    broker = Broker(tmp_path, ["-v", f"-Sbroker.{name}_path=echo up; sleep 60; true", "true"])
    broker.until_stderr(f"{name}.0: up\n")
    broker.process.terminate()
    assert broker.wait() == 129
    assert f"{name}.0: echo up; sleep 60; true Hangup (rc=129)" in broker.stderr


def test_a_signal_to_a_follower_shuts_it_down_alone(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "-v", "--", "cat", stdin=subprocess.PIPE) as instance:
        instance[1].until_stderr("quorum->run")
        instance[1].process.terminate()
        assert instance[1].wait() == 0
        assert "broker.info[1]: shutdown: run->cleanup" in instance[1].stderr
        host = subprocess.run(["uname", "-n"], capture_output=True, text=True, check=True)
        instance[0].until_stderr(f"broker.err[0]: dead to Flux: {host.stdout.strip()} (rank 1)\n")
        assert instance[0].process.poll() is None
        assert instance[0].process.stdin is not None
        instance[0].process.stdin.close()
        assert instance[0].wait() == 0


def test_a_signal_while_waiting_for_a_quorum_ends_the_wait(tmp_path: Path) -> None:
    with Instance(
        tmp_path, 2, "-v", "--", "true", per_rank={1: ["-Sbroker.rc1_path=echo up; sleep 60"]}
    ) as instance:
        instance[0].until_stderr("online: ")
        instance[1].until_stderr("rc1.0: up")
        instance[0].process.terminate()
        instance[0].until_stderr("broker.info[0]: quorum-fail: quorum->shutdown")
        instance[1].process.terminate()
        assert instance.wait() == [0, 129]


def test_usr1_on_rank_0_finds_no_job_manager(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["sh", "-c", "echo up; read line"], stdin=subprocess.PIPE)
    broker.until_stdout("up")
    broker.process.send_signal(signal.SIGUSR1)
    broker.until_stderr(
        "broker.err[0]: job-manager.killall: No service matching job-manager.killall is"
        " registered: Function not implemented\n"
    )
    assert broker.process.stdin is not None
    broker.process.stdin.close()
    assert broker.wait() == 1


def test_a_broker_that_leads_its_group_ends_what_is_left_in_it(tmp_path: Path) -> None:
    # as a job shell starts it: the program shares the broker's group
    done = subprocess.run(
        [
            "setsid",
            "--wait",
            *BROKER,
            "sh",
            "-c",
            "sleep 60 >&- 2>&- & echo $!; exit 4",
        ],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
    )
    assert done.returncode == 4
    until_dead(int(done.stdout))
