"""Stacks of many processes, equal ones together."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.probe import processes
from fluxstart_tui.tui import stacks
from fluxstart_tui.tui.stacks import Gathering, parse
from fluxstart_tui.tui.views.detail import DetailView
from tests.tui.brokers_host import Host, launch, model_of, record, settle

if TYPE_CHECKING:
    from collections.abc import Iterator

GDB = """\
[New LWP 12]
Thread 2 (Thread 0x7f01 (LWP 12) "ZMQbg/IO/0"):
#0  0x00007facbc4aff36 in epoll_wait (epfd=..., events=...) at ../sysdeps/linux/epoll_wait.c:30
#1  0x00007facbc7a20e1 in ?? () from /lib/x86_64-linux-gnu/libzmq.so.5

Thread 1 (Thread 0x7f02 (LWP 11) "flux-broker-3"):
#0  __GI___libc_read (nbytes=..., fd=...) at ../sysdeps/unix/sysv/linux/read.c:26
#1  0x000055f354dcdefe in main (argc=..., argv=...) at broker.c:635
[Inferior 1 (process 11) detached]
"""


def test_what_gdb_says_is_read() -> None:
    assert parse(GDB, 3, 11) == [
        ("ZMQbg/IO/0", ("epoll_wait  epoll_wait.c:30", "??  libzmq.so.5")),
        ("main", ("__GI___libc_read  read.c:26", "main  broker.c:635")),
    ]
    assert parse("ptrace: Operation not permitted.", 3, 11) == []


@contextmanager
def sleeping(count: int) -> Iterator[dict[int, int]]:
    """Yield pids by rank of processes that wait for their stdin."""
    code = "import sys; print(1, flush=True); sys.stdin.read()"
    with contextlib.ExitStack() as stack:
        children = [
            stack.enter_context(
                subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
            )
            for _ in range(count)
        ]  # fmt: skip
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        yield {rank: child.pid for rank, child in enumerate(children)}
        for child in children:
            child.communicate()


def fake_gdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Have `gdb` be a script."""
    path = tmp_path / "gdb"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_equal_stacks_are_one_with_all_their_ranks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_gdb(tmp_path, monkeypatch, f"cat <<'END'\n{GDB}END\n")
    gathering = Gathering(dict.fromkeys(range(stacks.MOST + 3), 11))
    asyncio.run(gathering.run())
    assert not gathering.running
    assert gathering.problem == ""
    assert gathering.left_out == 3
    assert [(one.thread, one.ranks) for one in gathering.stacks()][1] == (
        "ZMQbg/IO/0", frozenset(range(stacks.MOST)))  # fmt: skip


def test_where_gdb_may_not_look_what_threads_wait_in_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_gdb(tmp_path, monkeypatch, "echo 'ptrace: Operation not permitted.'")
    with sleeping(2) as pids:
        gathering = Gathering(pids)
        asyncio.run(gathering.run())
        assert gathering.problem == "gdb may not attach (Operation not permitted)"
        (found,) = gathering.stacks()
        assert (found.thread, found.ranks) == ("main", frozenset({0, 1}))
        monkeypatch.setenv("PATH", str(tmp_path / "none"))
        gathering = Gathering(pids)
        asyncio.run(gathering.run())
        assert gathering.problem == "there is no gdb"
        assert "sleeping" in gathering.stacks()[0].frames[0]


@pytest.mark.skipif(shutil.which("gdb") is None, reason="there is no gdb")
def test_gdb_looks_at_real_processes_and_leaves_them_running() -> None:
    with sleeping(2) as pids:
        gathering = Gathering(pids)
        asyncio.run(gathering.run())
        if not gathering.problem:  # gdb may not be allowed to attach here
            assert gathering.stacks()[0].ranks == {0, 1}
            assert len(gathering.stacks()[0].frames) > 1
        assert [processes.threads(pid)[0].state for pid in pids.values()] == ["S", "S"]


def test_the_view_tells_how_far_it_is_and_esc_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One answers; the other two go on until they are told to end.
    script = f'echo $$ >> {tmp_path}/pids\nfor last do case $last in 11) cat <<"END"\n{GDB}END\n'
    fake_gdb(tmp_path, monkeypatch, script + "exit;; esac; done\nexec sleep 60")

    async def run() -> None:
        view = DetailView(model_of(record(tmp_path / "s", launch(3), [], size=3), 1.0))
        app = Host(view.model, view)
        async with app.run_test(size=(80, 24)) as pilot:
            monkeypatch.setattr(view, "_pids", lambda: ({0: 11, 1: 12, 2: 13}, ""))
            view.focus_main()
            await pilot.press("b")
            async with asyncio.timeout(20):
                while "1 of 3 brokers" not in (text := "\n".join(await settle(pilot))):
                    await asyncio.sleep(0.02)
            assert "Esc stops it" in text
            assert "main thread, 1 rank: 0" in text
            await pilot.press("escape")
            async with asyncio.timeout(20):
                while "stopped: 1 of 3" not in "\n".join(await settle(pilot)):
                    await asyncio.sleep(0.02)
            assert app.shown == []
            await pilot.press("escape")
            assert app.shown == ["brokers"]

    asyncio.run(run())
    pids = [int(one) for one in (tmp_path / "pids").read_text().split()]
    until = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < until
        time.sleep(0.02)
