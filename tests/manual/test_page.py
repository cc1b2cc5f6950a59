"""The manual page tells of every option, and those who read such pages do not complain of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.control_verbs import VERBS
from fluxstart_tui.manual import page
from fluxstart_tui.options.table import HIDDEN, NONE, TABLE
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

SECTIONS = ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES",
            "EXAMPLES", "SEE ALSO")  # fmt: skip


@pytest.mark.parametrize("words", ["mandoc -T lint", "man --warnings -l", "groff -man -ww -z"])
def test_nobody_complains(tmp_path: Path, words: str) -> None:
    program, *rest = words.split()
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} on PATH")
    file = tmp_path / "fluxstart-tui.1"
    file.write_text(page.text())
    done = subprocess.run(
        [program, *rest, str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    shown = done.stdout if program == "man" else ""
    assert (done.returncode, done.stdout, done.stderr) == (0, shown, "")


def test_all_that_there_is_is_in_it() -> None:
    text = page.text()
    assert tuple(re.findall(r"^\.SH \"?([A-Z ]+)", text, flags=re.MULTILINE)) == SECTIONS
    plain = re.sub(r"\\f[BIR]", "", text).replace(r"\-", "-")
    for option in TABLE:
        value = "" if option.arg == NONE else option.arginfo.removeprefix("[").removesuffix("]")
        head = re.escape(f"--{option.name}") + r"(\[?=" + re.escape(value) + r"\]?)?$"
        assert bool(re.search(head, plain, flags=re.MULTILINE)) == (option not in HIDDEN)
    for name, verb in VERBS.items():
        assert f"\n.TP\n{name} {verb.usage}".rstrip() in plain
    assert "@" not in text


def test_the_program_prints_it(tmp_path: Path) -> None:
    assert support.run(tmp_path, "--man").out == page.text()
    assert support.run(tmp_path, "--completion=tcsh") == (
        1, "", "fluxstart-tui: unknown --completion: tcsh\n"
    )  # fmt: skip
