"""The command line, attributes and the rundir."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.broker.attrs import Attributes
from fluxstart_tui.broker.commandline import CommandLine
from fluxstart_tui.broker.errors import UsageError
from tests.broker.instance import Broker, Instance

if TYPE_CHECKING:
    from pathlib import Path


def test_words_are_read_as_flux_broker_reads_them() -> None:
    line = CommandLine(
        [
            "-vvSa=1",
            "-S",
            "b=2",
            "--setattr=c",
            "--set",
            "d=4",
            "-c",
            "/x",
            "--conf=y=1",
            "sh",
            "-c",
        ]
    )
    assert line.verbose == 2
    assert line.assignments == ["a=1", "b=2", "c", "d=4"]
    assert (line.config_path, line.conf) == ("/x", ["y=1"])
    assert line.program == ["sh", "-c"]
    assert CommandLine(["--verbose=1", "-vv"]).verbose == 1
    assert CommandLine(["--", "-v"]).program == ["-v"]


@pytest.mark.parametrize(
    "words", [["-z"], ["-v2"], ["--nosuch"], ["--con"], ["-S"], ["--setattr"], ["--verbose=x"]]
)
def test_senseless_words_are_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        CommandLine(words)


def test_every_attribute_of_flux_broker_is_known() -> None:
    attrs = Attributes()
    for name in (
        "statedir", "broker.cleanup-timeout", "broker.sd-notify", "conf.shell_initrc",
        "tbon.torpid_max", "log-syslog-level", "content.hash", "cron.directory", "vendor.x",
        "test.anything", "tbon.interface-hint",
    ):  # fmt: skip
        attrs.set_by_user(f"{name}=1")
        assert attrs.get(name) == "1"


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("nosuch.attr=1", "flux-broker: nosuch.attr: unknown attribute\n"),
        ("rank=1", "flux-broker: rank: attribute may not be set on the command line\n"),
        ("test-ro.x=1", "flux-broker: test-ro.x: attribute may not be set on the command line\n"),
    ],
)
def test_other_attributes_are_refused(tmp_path: Path, setting: str, text: str) -> None:
    broker = Broker(tmp_path, [f"-S{setting}", "true"])
    assert broker.wait() == 1
    assert broker.stderr == text


def test_settings_without_effect_are_told_of(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["-vv", "-Scontent.hash=sha256", "true"])
    assert broker.wait() == 0
    assert "broker.debug[0]: attribute content.hash has no effect" in broker.stderr


@pytest.mark.parametrize(
    "name",
    [
        "broker.quorum-warn",
        "broker.shutdown-warn",
        "broker.shutdown-timeout",
        "broker.cleanup-timeout",
        "broker.unload-builtins-timeout",
    ],
)
def test_senseless_durations_are_errors(tmp_path: Path, name: str) -> None:
    broker = Broker(tmp_path, [f"-S{name}=soon", "true"])
    assert broker.wait() == 1
    assert broker.stderr.endswith(f"broker.crit[0]: Error parsing {name} attribute\n")


def test_a_missing_configuration_is_an_error(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["-Shostname=box", "-c", "/noexist", "true"])
    assert broker.wait() == 1
    assert broker.stderr.endswith(
        "broker.crit[box]: Config file error: stat: /noexist: No such file or directory\n"
    )


def test_a_missing_rundir_is_made_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "made"
    program = "stat -c%a $D; mkdir -p $D/a/b; >$D/a/f; ln -s / $D/root"
    broker = Broker(tmp_path, [f"-Srundir={path}", "sh", "-c", program], env={"D": str(path)})
    assert broker.wait() == 0
    assert broker.stdout == "700\n"
    assert not path.exists()


def test_a_rundir_that_was_there_stays(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "true") as instance:
        assert instance.wait() == [0, 0]
        assert list(instance.rundir.iterdir()) == []


def test_a_sticky_rundir_gets_a_private_one_inside(tmp_path: Path) -> None:
    path = tmp_path / "sticky"
    path.mkdir()
    path.chmod(0o1777)
    broker = Broker(tmp_path, [f"-Srundir={path}", "sh", "-c", "echo $FLUX_URI"])
    assert broker.wait() == 0
    assert re.fullmatch(rf"local://{path}/flux-\w{{6}}/local-0\n", broker.stdout)
    assert list(path.iterdir()) == []


def test_unfit_rundirs_are_errors(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch(mode=0o700)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    long = tmp_path / ("x" * 100)
    long.mkdir()
    length = len(os.fsencode(long))
    for path, text in (
        (file, f"{file}: Not a directory"),
        (closed, f"{closed} does not have owner=rwx permissions"),
        (
            tmp_path / "no" / "where",
            f"error creating {tmp_path}/no/where: No such file or directory",
        ),
        (
            long,
            f"length of {length} bytes exceeds max 96 to allow for AF_UNIX socket creation.",
        ),
    ):  # fmt: skip
        broker = Broker(tmp_path, [f"-Srundir={path}", "true"])
        assert broker.wait() == 1
        assert broker.stderr.endswith(f"broker.crit[0]: rundir {text}\n")


def test_the_process_is_named_after_its_rank(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["sh", "-c", "cat /proc/$PPID/comm"])
    assert broker.wait() == 0
    assert broker.stdout == "flux-broker-0\n"
