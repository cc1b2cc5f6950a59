"""Commands that are pushed while the instance runs: cleanup, and more of rc3."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.broker.instance import Instance

if TYPE_CHECKING:
    from pathlib import Path


def push(instance: Instance, *lines: str, name: str = "cleanup") -> None:
    """Push commands as `flux admin cleanup-push` does."""
    with instance.client() as client:
        answer = client.ask("runat.push", json.dumps({"name": name, "commands": lines}))
        assert (answer.errnum, answer.payload) == (0, None)


def instance_of(folder: Path, *options: str, size: int = 1) -> Instance:
    """Start an instance whose initial program ends with its stdin."""
    instance = Instance(folder, size, "-v", *options, "--", "cat", stdin=subprocess.PIPE)
    instance[0].until_stderr("quorum->run")
    return instance


def end_program(instance: Instance) -> None:
    stdin = instance[0].process.stdin
    assert stdin is not None
    stdin.close()


def commands(instance: Instance, name: str) -> list[str]:
    """Return what the log of rank 0 has of commands, less how long they took."""
    found = re.findall(rf"<(\d)>broker\.\w+\[0\]: ({name}\.\d+: .*)", instance[0].stderr)
    return [re.sub(r" \d+\.\ds$", "", f"{severity} {text}") for severity, text in found]


def test_the_last_that_was_pushed_runs_first_and_the_first_failure_counts(tmp_path: Path) -> None:
    with instance_of(tmp_path) as instance:
        push(instance, "exit 3")
        push(instance, "exit 5", "echo out; echo err >&2")
        push(instance, "nosuch-shell-command 2>/dev/null", "exit 4", name="rc3")
        end_program(instance)
        assert instance.wait() == [5]
        assert commands(instance, "cleanup") == [
            "6 cleanup.0: out",
            "3 cleanup.0: err",
            "6 cleanup.0: echo out; echo err >&2 Exited (rc=0)",
            "3 cleanup.1: exit 5 Exited (rc=5)",
            "3 cleanup.2: exit 3 Exited (rc=3)",
        ]
        assert [line.rpartition(" ")[2] for line in commands(instance, "rc3")] == [
            "(rc=4)",
            "(rc=127)",
        ]
        assert "cleanup-fail: cleanup->shutdown" in instance[0].stderr


def test_a_failed_program_outdoes_a_failed_cleanup(tmp_path: Path) -> None:
    with Instance(
        tmp_path, 1, "-v", "--", "sh", "-c", "cat; exit 9", stdin=subprocess.PIPE
    ) as instance:
        instance[0].until_stderr("quorum->run")
        push(instance, "exit 3")
        end_program(instance)
        assert instance.wait() == [9]


def test_commands_pushed_to_a_follower_run_there(tmp_path: Path) -> None:
    with instance_of(tmp_path, size=2) as instance:
        with instance.client(1) as client:
            fields = {"name": "cleanup", "commands": ["echo $FLUX_URI"]}
            assert client.ask("runat.push", json.dumps(fields)).errnum == 0
        end_program(instance)
        assert instance.wait() == [0, 0]
        uri = f"local://{instance.rundir}/local-1"
        assert f"<6>broker.info[1]: cleanup.0: {uri}\n" in instance[1].stderr
        assert "cleanup-success: cleanup->shutdown" in instance[1].stderr
        assert "cleanup-none: cleanup->shutdown" in instance[0].stderr


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, None),
        ({"name": "cleanup"}, None),
        ({"name": 3, "commands": ["true"]}, None),
        ({"name": "cleanup", "commands": []}, "commands array is empty"),
        ({"name": "cleanup", "commands": "true"}, "commands array is empty"),
        ({"name": "cleanup", "commands": [""]}, "cannot push an empty command line"),
        ({"name": "cleanup", "commands": [7]}, "cannot push an empty command line"),
    ],
)
def test_senseless_pushes_are_refused(
    tmp_path: Path, fields: dict[str, object], text: str | None
) -> None:
    with instance_of(tmp_path) as instance:
        with instance.client() as client:
            answer = client.ask("runat.push", json.dumps(fields))
            assert (answer.errnum, answer.text) == (errno.EPROTO, text)
        end_program(instance)
        assert instance.wait() == [0]
        assert "cleanup-none: cleanup->shutdown" in instance[0].stderr


def test_a_signal_limits_the_time_for_cleanup(tmp_path: Path) -> None:
    with instance_of(tmp_path, "-Sbroker.cleanup-timeout=0.1s") as instance:
        push(instance, "echo never", "sleep 60; true")
        instance[0].process.terminate()
        assert instance.wait() == [129]
        assert commands(instance, "cleanup") == ["3 cleanup.0: sleep 60; true Hangup (rc=129)"]


def test_without_a_signal_cleanup_takes_its_time(tmp_path: Path) -> None:
    with instance_of(tmp_path, "-Sbroker.cleanup-timeout=0s") as instance:
        push(instance, "sleep 0.2")
        end_program(instance)
        assert instance.wait() == [0]
        assert commands(instance, "cleanup") == ["6 cleanup.0: sleep 0.2 Exited (rc=0)"]


def test_a_signal_in_cleanup_ends_it(tmp_path: Path) -> None:
    with instance_of(tmp_path) as instance:
        push(instance, "echo never", "trap 'exit 0' HUP; echo up; while :; do sleep 0.05; done")
        end_program(instance)
        instance[0].until_stderr("cleanup.0: up")
        instance[0].process.send_signal(signal.SIGINT)
        assert instance.wait() == [1]
        assert commands(instance, "cleanup")[-1].endswith("aborted after exit with rc=0 (rc=1)")


@pytest.mark.real_flux
def test_flux_admin_finds_its_way(tmp_path: Path) -> None:
    with instance_of(tmp_path) as instance:
        uri = f"local://{instance.rundir}/local-0"
        done = subprocess.run(
            ["flux", "admin", "cleanup-push"],
            input="echo one\necho two\n",
            env={"FLUX_URI": uri, "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        end_program(instance)
        assert instance.wait() == [0]
        assert commands(instance, "cleanup")[::2] == ["6 cleanup.0: one", "6 cleanup.1: two"]
