"""The log: who writes what where, and in which form."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from fluxstart_tui.broker.attrs import Attributes
from fluxstart_tui.broker.log import Log
from fluxstart_tui.broker.router import Router
from fluxstart_tui.process import LOG_FD
from fluxstart_tui.rfc import message
from tests.broker.instance import Broker, Instance

if TYPE_CHECKING:
    from pathlib import Path

    from fluxstart_tui.rfc.message import Message

STAMP = r"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d\.\d{6} UTC \d{4}"


def test_lines_of_the_leader_are_dated(tmp_path: Path) -> None:
    began = time.monotonic()
    broker = Broker(tmp_path, ["-Slog-stderr-level=6", "sh", "-c", "exit 3"])
    assert broker.wait() == 3
    took = time.monotonic() - began
    lines = broker.stderr.splitlines()
    assert len(lines) == 13
    for line in lines:
        assert re.match(rf"{STAMP} broker\.(info|err)\[0\]: ", line)
    ended = re.search(r"rc2\.0: sh -c exit 3 Exited \(rc=3\) (\d+\.\d)s$", lines[6])
    assert ended is not None
    assert float(ended[1]) <= took  # 0.0 where nothing else runs


def test_only_errors_are_shown_by_default(tmp_path: Path) -> None:
    began = time.monotonic()
    broker = Broker(tmp_path, ["sh", "-c", "exit 3"])
    broker.wait()
    took = time.monotonic() - began
    line = rf"{STAMP} broker\.err\[0\]: rc2\.0: sh -c exit 3 Exited \(rc=3\) (\d+\.\d)s\n"
    told = re.fullmatch(line, broker.stderr)
    assert told is not None
    assert float(told[1]) <= took  # 0.0 where nothing else runs


def test_a_verbose_broker_logs_for_itself_as_systemd_wants(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "-v", "-Shostname=box", "--", "true") as instance:
        instance.wait()
        for rank in (0, 1):
            lines = instance[rank].stderr.splitlines()
            assert lines[0] == f"<6>broker.info[box]: boot: rank={rank} size=2"
            assert all(line.startswith(f"<6>broker.info[{rank}]: ") for line in lines[1:])


def test_more_verbosity_shows_the_network(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "-vv", "-Shostname=box", "--", "true") as instance:
        instance.wait()
        uri = f"ipc://{instance.rundir}/tbon-0"
        assert f"<7>overlay.debug[0]: listening on {uri}\n" in instance[0].stderr
        assert f"<7>overlay.debug[1]: connecting to {uri}\n" in instance[1].stderr


def test_followers_forward_what_the_level_allows(tmp_path: Path) -> None:
    script = "echo told; echo bad >&2"
    for level, told in ((3, False), (6, True)):
        folder = tmp_path / str(level)
        folder.mkdir()
        with Instance(
            folder, 3, "-Stbon.topo=kary:1", "-Slog-stderr-level=6", f"-Slog-forward-level={level}",
            "--", "true", per_rank={2: [f"-Sbroker.rc1_path={script}"]},
        ) as instance:  # fmt: skip
            assert instance.wait() == [0, 0, 0]
            assert re.search(
                rf"^{STAMP} broker\.err\[2\]: rc1\.0: bad$", instance[0].stderr, re.MULTILINE
            )
            assert ("broker.info[2]: rc1.0: told\n" in instance[0].stderr) is told
            assert instance[1].stderr == instance[2].stderr == ""


def test_a_log_file_gets_everything(tmp_path: Path) -> None:
    path = tmp_path / "log"
    broker = Broker(tmp_path, [f"-Slog-filename={path}", "true"])
    assert broker.wait() == 0
    assert broker.stderr == ""
    assert "broker.info[0]: rc2-success: run->cleanup" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_senseless_settings_are_errors(tmp_path: Path) -> None:
    for setting, text in (
        ("log-stderr-level=8", "log-stderr-level: Invalid argument"),
        ("log-forward-level=x", "log-forward-level: Invalid argument"),
        ("log-stderr-mode=x", "getattr log-stderr-mode: Invalid argument"),
    ):
        broker = Broker(tmp_path, [f"-S{setting}", "-Shostname=box", "true"])
        assert broker.wait() == 1
        first, second = broker.stderr.splitlines()
        assert first.endswith(f"broker.err[box]: {text}")
        assert second.endswith("broker.crit[box]: Error initializing logging: Invalid argument")


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["-vv", "-Slog-filename=/dev/full", "sh", "-c", "exit 3"])
    assert broker.wait() == 3


def test_a_log_is_shared_as_it_is_made(tmp_path: Path) -> None:
    """In whatever the launcher names, if that is in memory; what the broker runs knows nothing."""
    program = "env | grep -c LOG_FD; ls /proc/self/fd | tr '\\n' ' '"
    shared = os.memfd_create("log")
    with (tmp_path / "file").open("wb") as file:
        for fd in (shared, file.fileno()):
            broker = Broker(tmp_path, ["sh", "-c", program], env={LOG_FD: str(fd)}, pass_fds=[fd])
            assert broker.wait() == 0
            assert broker.stdout == "0\n0 1 2 3 "  # the last is ls's own
    assert (tmp_path / "file").stat().st_size == 0
    lines = [line for line in os.pread(shared, 1 << 20, 0).decode().splitlines() if line]
    os.close(shared)
    assert all(re.match(r"<\d+>1 \d{4}-\S+Z 0 \S+ \d+ - - ", line) for line in lines)
    texts = [line.split(" ", 7)[7] for line in lines]
    assert texts[0] == "insmod config"
    assert "parent-none: join->config-sync" in " ".join(texts)
    assert "unload-builtins->exit" in texts[-1]


def test_a_shared_log_that_is_none_harms_nobody(tmp_path: Path) -> None:
    for name in ("", "x", "-1", "999", "9" * 99):
        assert Broker(tmp_path, ["true"], env={LOG_FD: name}).wait() == 0


def test_each_line_of_a_text_is_a_record(tmp_path: Path) -> None:
    """As flux_log(3) has it: a first line may be empty, and others are left out if they are."""
    program = "\necho out >/dev/null\n\n: '\r x'\n"
    with Instance(
        tmp_path, 2, "-v", "-Slog-forward-level=6", "--", "sh", "-c", program,
        per_rank={1: [r"-Sbroker.rc3_path=printf 'a\rb\n\n'; exit 1"]},
    ) as instance:  # fmt: skip
        assert instance.wait() == [0, 1]
        head = "\n<6>broker.info[0]: "
        lines = "rc2.0: sh -c ", "echo out >/dev/null", ": '", " x'", " Exited (rc=0) 0.0s"
        assert head + head.join(lines) in instance[0].stderr
        assert "[1]: rc3.0: a\n<6>broker.info[1]: b\n<6>broker.info[1]: rc3.0: \n" in (
            instance[1].stderr
        )


def test_who_ends_a_stream_gets_what_was_logged_before() -> None:
    """And who follows on gets it, too, once."""
    log = Log(Attributes(), "box")
    log.configure(0)
    router = Router("broker", time.monotonic)
    log.serve(router)
    sent: list[tuple[str, int, bytes]] = []

    def take(response: Message) -> None:
        client = (response.routes or [])[1]
        sent.append((client, response.errnum, (response.payload or b"").rpartition(b" ")[2]))

    router.links["link"] = take

    def ask(topic: str, payload: bytes, client: str, flags: int = 0) -> None:
        request = message.request(topic, payload, matchtag=1, flags=flags)
        request.routes = ["link", client]
        router.request(request)

    for client in ("one", "other"):
        ask("log.dmesg", b'{"follow":true}\0', client, message.STREAMING)
    log.debug("text")
    ask("log.cancel", b'{"matchtag":1}\0', "one", message.NORESPONSE)
    log.debug("more")
    assert sent == [
        ("one", 0, b"text\0"), ("other", 0, b"text\0"), ("one", 61, b""), ("other", 0, b"more\0")
    ]  # fmt: skip
