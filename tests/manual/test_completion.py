"""Command lines are completed by the shells themselves, on a terminal, with the key for it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyghostty", reason="there is no emulator to look at a terminal with")

from fluxstart_tui.manual import completion, values
from fluxstart_tui.options.table import HIDDEN, TABLE
from tests import support
from tests.tui.on_terminal import OnTerminal

if TYPE_CHECKING:
    from pathlib import Path

SHELLS = {
    "bash": ("--norc --noprofile -i", "source {}"),
    "zsh": ("-f -i", "autoload -U compinit; compinit -D -u; source {}"),
    "fish": ("--no-config -i", "source {}"),
}
SESSION = "20261122-120000-host-1"
CASES = {
    "--headl\t": "--headless",
    "--test-exit-mode=le\t": "--test-exit-mode=leader",
    "--test-exit-mode le\t": "--test-exit-mode leader",
    "--broker=em\t": "--broker=embedded",
    "--broker=some-f\t": "--broker=some-file",
    "--test-rundir=some-d\ttrue": "--test-rundir=some-dir/true",
    "--replay=2026\t": f"--replay={SESSION}",
    "--show=2026\t": f"--show={SESSION}",
    "--attach=2026\t": f"--attach={SESSION}",
    "--attach=la\t": "--attach=last",
    "--pmi-tap=br\t": "--pmi-tap=bridge",
    "--completion=fi\t": "--completion=fish",
    "--ctl=last stat\t": "--ctl=last status",
    "--ctl last timer ext\t1m": "--ctl last timer extend 1m",
    "--ctl=last signal 0-3 CO\t": "--ctl=last signal 0-3 CONT",
    "-s4 my-prog\t": "-s4 my-program",
    "-s4 -o,-v my-prog\tsome-f\t": "-s4 -o,-v my-program some-file",
}
"""What is typed behind the program's name, and what the program is given."""


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes(scene: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} on PATH")
    programs = scene / "bin"
    programs.mkdir()
    for name in ("fluxstart-tui", "my-program"):
        support.script(programs / name, '#!/bin/sh\necho "=> $*;"\n')
    session = scene / "state" / "fluxstart-tui" / "sessions" / SESSION
    session.mkdir(parents=True)
    (session / "session.json").touch()
    (scene / "some-dir").mkdir()
    (scene / "some-file").touch()
    (scene / "completion").write_text(completion.script(shell))
    words, load = SHELLS[shell]
    path = support.environment(scene)["PATH"]
    terminal = OnTerminal(
        scene,
        program=[shutil.which(shell) or "", *words.split()],
        env={"PATH": f"{programs}:{path}", "HOME": str(scene)},
    )
    try:
        terminal.type(load.format(scene / "completion") + "\r")
        for typed, given in CASES.items():
            terminal.type(f"fluxstart-tui {typed}\r")
            terminal.expect(f"=> {given};")
        terminal.type("exit\r")
        assert terminal.end() == 0
    finally:
        terminal.close()
    assert "error" not in terminal.text
    assert "not found" not in terminal.text


@pytest.mark.parametrize("shell", SHELLS)
def test_all_options_are_completed(shell: str) -> None:
    script = completion.script(shell)
    mark = "-l " if shell == "fish" else "--"
    for option in TABLE:
        assert (f"{mark}{option.name}" in script) == (option not in HIDDEN)


def test_values_are_what_their_names_say() -> None:
    assert values.parse("PATH|flux|embedded") == (("flux", "embedded"), ("file",))
    assert values.parse("[SESSION|PID|URI|last]") == (("last",), ("session",))
    assert values.parse("FILE.html|.md|.json") == ((), ("file",))
    assert values.parse("FILE|-|DIR|PID|URI|slurm:JOBID") == (("-",), ("file", "directory"))
    assert values.parse("N") == values.parse("") == ((), ())
