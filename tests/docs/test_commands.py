"""Each command that README and docs show is run, and prints what they say.

It is the real program with the embedded broker; what the reader would put in for himself (`DIR`,
`PID`, `RUNDIR`, `JOBID`) is there, and so is a Makefile. Sizes are cut to four brokers and two
repeats, by the `fluxstart-tui` on PATH.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyghostty", reason="there is no emulator to look at a terminal with")

from fluxstart_tui import options
from tests import real_launchers, support
from tests.docs.blocks import Block, blocks
from tests.tui.on_terminal import OnTerminal

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = f"""#!{sys.executable}
import os, re, sys
def cut(word):
    word = re.sub(r"^--repeat=.*", "--repeat=2", word)
    return re.sub(r"^(-s|--test-size=)([5-9]|..+)$", r"\\g<1>4", word)
os.environ["PYTHONPATH"] = {str(support.ROOT)!r}
os.execv(sys.executable, [sys.executable, "-m", "fluxstart_tui", *map(cut, sys.argv[1:])])
"""
ASIDE = ("show", "sessions", "ctl", "diagnose", "print-config", "completion", "man", "version")
"""Options with which there is neither a UI nor an instance."""
INDEX = "TEST_INSTALLATION"
"""Is set where a package index may be asked, as by .ci/run."""
PROGRAMS = ("flux", "make", "man", "pgrep", "srun")


class World:
    """What a reader has: a place to work in, sessions, an instance that runs.

    Args:
        scene: where.
        launched: whether the instance is one of srun's.
    """

    def __init__(self, scene: Path, *, launched: bool) -> None:
        self.scene = scene
        self._launched = launched
        programs = scene / "bin"
        programs.mkdir()
        support.script(programs / "fluxstart-tui", PROGRAM)
        (scene / "Makefile").write_text("check:\n\t@echo checked\n")
        log = support.ROOT / "tests" / "data" / "launches" / "slurm-die-before-pmi.log"
        shutil.copy(log, scene / "log")
        self.env = support.environment(scene, {"XDG_STATE_HOME": str(scene / "state")})
        del self.env["PYTHONPATH"]
        path = self.env["PATH"].split(":")
        self.with_flux = ":".join([str(programs), *path])
        without = [one for one in path if not os.access(f"{one}/flux", os.X_OK)]
        self.env["PATH"] = ":".join([str(programs), *without])
        if "SLURM_CONF" in os.environ:  # which Slurm, rather than that we run below one
            self.env["SLURM_CONF"] = os.environ["SLURM_CONF"]
        self.running: subprocess.Popen[bytes] | None = None

    def filled(self, command: str) -> str:
        """Return a command with what a reader would put in, which is there then."""
        if re.search(r"\bDIR\b|last|--show", command) and not self.sessions():
            support.run(self.scene, "--headless", "--record", "-s2", "true", env=self.env)
        names = {"DIR": str(next(iter(self.sessions()), ""))}
        if re.search(r"--ctl|\b(PID|RUNDIR|JOBID)\b|pgrep", command):
            names |= self.instance()
        return re.sub(r"\b(DIR|PID|RUNDIR|JOBID)\b", lambda name: names[name[1]], command)

    def sessions(self) -> list[Path]:
        """Return the directories of what is recorded, the oldest first."""
        return sorted((self.scene / "state/fluxstart-tui/sessions").glob("*-*"))

    def instance(self) -> dict[str, str]:
        """Have an instance run; return what names it."""
        job = self.scene / "job"
        if self.running is None:
            told = support.script(
                self.scene / "told", f'#!/bin/sh\necho $SLURM_JOB_ID >{job}\nexec "$@"\n'
            )
            how = f"--launcher=srun -N2 -n2 --mpi=pmi2 {told}" if self._launched else "-s4"
            before = self.sessions()
            self.running = support.start(
                self.scene, "--headless", "--record", how, "sleep", "99", env=self.env
            )
            new = support.wait_for(lambda: self.sessions()[len(before) :], "a session")
            followed = support.session(new[0])
            support.wait_for(lambda: support.now(followed).program is not None, "the program")
            self.rundir = str(followed.header["rundir"])
            self.pid = str(followed.state.brokers[0].pid)
        names = {"PID": self.pid, "RUNDIR": self.rundir}
        return names | ({"JOBID": job.read_text().strip()} if job.exists() else {})

    def run(self, command: str) -> tuple[int, str]:
        """Run a command; return its exit code and all that it has printed."""
        if has_ui(command):
            return self._run_in_ui(command)
        env, place = self.env, self.scene
        if " flux " in command:
            env = {**env, "PATH": self.with_flux}
        if ".venv" in command:
            env = {**env, "PYTEST_ADDOPTS": "-n0 tests/rfc/test_fsd.py"}  # of all tests
            place = self._clone()
        done = subprocess.run(
            ["bash", "-c", command], cwd=place, env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            timeout=2 * support.PATIENCE,
        )  # fmt: skip
        return done.returncode, done.stdout

    def _clone(self) -> Path:
        """Return a copy of this repository, with a virtual environment."""
        clone = self.scene / "clone"
        caches = shutil.ignore_patterns(".*_cache", ".git", ".hypothesis", ".venv", "__pycache__")
        shutil.copytree(support.ROOT, clone, ignore=caches)
        subprocess.run(["python3", "-m", "venv", ".venv"], cwd=clone, check=True)
        return clone

    def _run_in_ui(self, command: str) -> tuple[int, str]:
        """Run a command on a terminal, and leave the UI by its key, shutting down what runs."""
        ui = OnTerminal(self.scene, "-c", f"exec {command}", program=["/bin/bash"], env=self.env)
        ui.expect("Brokers", "Timeline")
        ui.type("q")
        shut_down = False
        while os.waitid(os.P_PID, ui.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if "shut down" in ui.look() and not shut_down:
                ui.type("s")
                shut_down = True
        code = ui.end()
        return 0 if shut_down else code, ui.text

    def end(self) -> None:
        """End the instance."""
        if self.running is not None:
            self.running.send_signal(signal.SIGTERM)
            support.finish(self.running)
        for rundir in self.scene.glob("flux-*"):
            if not (rundir / "start").exists():  # of a broker that its launcher has killed
                shutil.rmtree(rundir)


def has_ui(command: str) -> bool:
    """Tell whether a command opens the UI."""
    words = shlex.split(re.sub(r"\$\(.*\)", "PID", command), comments=True)
    if words[0] != "fluxstart-tui" or "|" in words:
        return False
    draft = options.parse(words[0], words[1:])
    compares = "," in (draft.last("compare") or "")
    return not (draft.given("headless") or compares or any(map(draft.given, ASIDE)))


def missing(command: str) -> str:
    """Return why a command can not be run here, "" if it can."""
    if "pip install" in command and INDEX not in os.environ:
        return f"it asks a package index, for which {INDEX} has to be set"
    for program in PROGRAMS:
        if re.search(rf"(^|[ (\"|]){program} ", command) and shutil.which(program) is None:
            return f"there is no {program} on PATH"
    return no_slurm() if any(word in command for word in ("srun", "slurm:")) else ""


def no_slurm() -> str:
    """Return why there is no Slurm, "" if there is."""
    try:
        real_launchers.slurm()
    except pytest.skip.Exception as reason:
        return str(reason)
    return ""


def plain(text: str) -> str:
    """Return a text without what differs from run to run: numbers, the host's name, line ends."""
    text = text.replace(os.uname().nodename, "vm")
    return re.sub(r"\d+(\.\d+)?", "#", " ".join(text.split()))


@pytest.mark.parametrize("block", list(blocks()), ids=lambda block: block.place)
def test_what_is_shown_is_so(scene: Path, block: Block) -> None:
    reasons = []
    asked = " ".join(step.command for step in block.steps)
    world = World(scene, launched="slurm:" in asked and not no_slurm())
    try:
        for step in block.steps:
            if reason := missing(step.command):
                reasons.append(f"{step.command}: {reason}")
                continue
            code, output = world.run(world.filled(step.command))
            assert code in block.codes, f"{step.command}: exit code {code}\n{output}"
            rest = plain(output)
            for piece in map(plain, step.shown):
                assert piece in rest, f"{step.command}: {piece}\nis not in\n{rest}"
                rest = rest.partition(piece)[2]
    finally:
        world.end()
    if reasons:
        pytest.skip("; ".join(reasons))
