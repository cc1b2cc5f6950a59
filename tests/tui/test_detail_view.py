"""The detail of one broker, and what can be done to it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

from fluxstart_tui.probe import processes
from fluxstart_tui.session import events
from fluxstart_tui.tui.broker_log import LOG
from fluxstart_tui.tui.screens.ask import Ask
from fluxstart_tui.tui.views.detail import DetailView
from fluxstart_tui.tui.views.detail_text import PmiSteps, difference
from tests import support
from tests.tui.brokers_host import Host, launch, model_of, record, settle

if TYPE_CHECKING:
    from pathlib import Path

    from fluxstart_tui.tui.commands import Commands


class Recorded:
    """Commands that only take note."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    async def call(self, topic: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((topic, payload))
        return {}


def session(path: Path) -> str:
    timed: list[tuple[float, events.Event]] = [
        *launch(4),
        (2.5, events.Log(2, 3, "overlay", "something [broke]")),
        (3.0, events.Exit(2, 1002, 139, 11, "crash", "", "/tmp/core.1002")),
        (3.1, events.Backtrace(2, "#0 main ()\n#1 start ()")),
        (3.2, events.Attr(0, "tbon.topo", "kary:2")),
    ]
    output = [
        (1.6, 2, 0, b"last words\n"),
        (1.7, 2, LOG, b"<24>1 2026-01-01T00:00:00.000000Z 2 overlay 1 - - what was logged\n"),
        (1.8, 1, LOG, b"<24>1 2026-01-01T00:00:00.000000Z 1 overlay 1 - - of another rank\n"),
    ]
    return record(path / "s", timed, output, size=4)


def test_a_crash_is_told_with_core_backtrace_steps_and_last_words(tmp_path: Path) -> None:
    async def run() -> None:
        view = DetailView(model_of(session(tmp_path), 4.0))
        app = Host(view.model, view)
        async with app.run_test(size=(120, 60)) as pilot:
            view.show(2)
            shown = "\n".join(await settle(pilot))
            for told in (
                "rank 2  ✗ failed", "/tmp/core.1002", "#1 start ()", "something [broke]",
                "crashed with SIGSEGV", "last words", "quorum-full",
                "err     overlay: what was logged",
                "a record takes no commands",
            ):  # fmt: skip
                assert told in shown, told
            view.focus_main()
            await pilot.press("right")
            assert "its process has ended" in "\n".join(await settle(pilot))
            await pilot.press("left_square_bracket")
            assert app.rank == 1
            assert "only a record" in "\n".join(await settle(pilot))
            await pilot.press("left", "left", "left", "left")
            assert "tbon.topo  kary:2" in "\n".join(await settle(pilot))
            await pilot.press("s")
            assert not isinstance(app.screen, Ask)
            await pilot.press("escape")
            assert app.shown == ["brokers"]

    asyncio.run(run())


def test_signals_start_and_hold_ask_first_and_then_call(tmp_path: Path) -> None:
    commands = Recorded()

    async def run() -> None:
        view = DetailView(model_of(session(tmp_path), 1.0), cast("Commands", commands))
        app = Host(view.model, view)
        async with app.run_test(size=(80, 24)) as pilot:
            view.show(1)
            view.focus_main()
            await settle(pilot)
            await pilot.press("s", "k")
            await pilot.pause()
            await pilot.press("n")
            await pilot.pause()
            assert commands.calls == []
            await pilot.press("s", "s")
            await pilot.pause()
            await pilot.press("y")
            await pilot.pause()
            app.chosen = frozenset({1, 2, 3})
            await pilot.press("s", "c")
            await pilot.pause()
            await pilot.press("y")
            await pilot.pause()
            await pilot.press("r")
            await pilot.pause()
            await pilot.press("y")
            await pilot.pause()

    asyncio.run(run())
    assert commands.calls == [
        ("start.signal", {"ranks": "1", "signum": 19}),
        ("start.signal", {"ranks": "1-3", "signum": 18}),
        ("start.kill", {"rank": 1, "signum": 15}),
        ("start.wait", {"rank": 1}),
        ("start.run", {"rank": 1}),
    ]


def test_a_live_process_shows_what_the_system_knows_of_it() -> None:
    code = "import socket; s = socket.socket(socket.AF_UNIX); s.bind('\\0probe%d'); s.listen();"
    code = code.replace("%d", str(os.getpid())) + "print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={"PROBE": "yes"},
    ) as child:  # fmt: skip
        assert child.stdout is not None
        child.stdout.readline()
        assert processes.argv(child.pid)[1:] == ["-c", code]
        assert processes.environ(child.pid)["PROBE"] == "yes"
        assert [one.tid for one in processes.threads(child.pid)] == [child.pid]
        sockets = processes.sockets(child.pid)
        assert [(one.kind, one.state) for one in sockets] == [("unix", "listening")]
        assert sockets[0].name == f"@probe{os.getpid()}"
        support.wait_for(
            lambda: processes.threads(child.pid)[0].doing.startswith("sleeping"), "its sleeping"
        )
        groups = processes.gather({4: child.pid, 5: child.pid, 7: 0x7FFFFFFF})
        assert [group.ranks for group in groups] == [{4, 5}, {7}]
        assert groups[1].threads == ("can not be seen",)
        child.communicate(b"\n")


def test_what_a_process_runs_is_told_with_its_own_children() -> None:
    script = "sleep 98.7 & echo $!; read line; kill $!"
    with subprocess.Popen(
        [sys.executable, "-c", f"import subprocess; subprocess.call(['sh', '-c', '{script}'])"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        sleeping = int(child.stdout.readline())
        support.wait_for(lambda: processes.argv(sleeping)[:1] == ["sleep"], "the sleep")
        support.wait_for(
            lambda: processes.children(child.pid)[-1].doing.startswith("sleeping"), "its sleeping"
        )
        shell, sleep = processes.children(child.pid)
        assert (shell.depth, shell.command) == (0, f"sh -c {script}")
        assert (sleep.depth, sleep.pid, sleep.command) == (1, sleeping, "sleep 98.7")
        child.communicate(b"\n")


def test_environments_differ_by_what_is_more_less_or_other() -> None:
    rows = difference({"A": "1", "B": "2", "D": "4"}, {"A": "1", "B": "3", "C": "5"})
    texts = ["".join(text for text, _ in row).strip() for row in rows]
    assert texts == ["- B=3", "+ B=2", "- C=5", "+ D=4"]


def test_a_barrier_lasts_as_long_as_in_the_timeline(tmp_path: Path) -> None:
    """It ends when all are let out, and not with the next request of the rank."""
    timed: list[tuple[float, events.Event]] = [
        (0.01, events.Spawn(0, 1000)), (0.02, events.Pmi(0, "barrier", 1)),
        (0.03, events.Barrier(1)), (0.5, events.Pmi(0, "finalize", 1)),
    ]  # fmt: skip
    model = model_of(record(tmp_path / "s", timed, size=1), 1.0)
    steps = [text for _, text in PmiSteps(model).of(0)]
    assert steps == ["PMI barrier 1", "PMI get", "PMI finalize"]
