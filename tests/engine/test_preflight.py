"""--preflight: PMI is tried under the same launcher, then the instance is started or is not."""

from __future__ import annotations

import shlex
import signal
from typing import TYPE_CHECKING

import pytest

from tests.real_launchers import hydra
from tests.support import assert_nothing_left, finish, processes_of, run, script, start, wait_for

if TYPE_CHECKING:
    from pathlib import Path

PREFLIGHT = ("--headless", "--broker=embedded", "--preflight")


def launcher(major: int, *words: str) -> str:
    return "--launcher=" + shlex.join([*hydra(major), "-n", "3", *words])


@pytest.mark.parametrize(("major", "options"), [(4, ()), (4, ("--pmi-tap",)),
                                                (5, ("--pmi-tap=bridge",))])  # fmt: skip
def test_the_launch_goes_on_where_pmi_works(
    tmp_path: Path, major: int, options: tuple[str, ...]
) -> None:
    done = run(tmp_path, *PREFLIGHT, launcher(major), *options, "echo", "hi")
    assert (done.code, done.out) == (0, "[0] hi\n"), done.err
    first, second = done.err.splitlines()
    assert first == "fluxstart-tui: preflight: PMI works for 3 tasks"
    assert second.startswith("fluxstart-tui: running: ")
    assert_nothing_left(tmp_path)


def test_mpich_5_is_refused_and_the_cure_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, *PREFLIGHT, launcher(5), "echo", "hi")
    assert (done.code, "[0] hi" in done.out) == (1, False)
    assert "[P7]" in done.err
    assert "--pmi-tap=bridge" in done.err
    assert "no broker is started" in done.err
    assert_nothing_left(tmp_path)


def test_a_signal_ends_it_and_nothing_is_started(tmp_path: Path) -> None:
    late = script(tmp_path / "late", '#!/bin/sh\n[ $PMI_RANK = 1 ] && sleep 60\nexec "$@"\n')
    process = start(tmp_path, *PREFLIGHT, launcher(4, late), "echo", "hi")
    wait_for(lambda: any("exchange.py" in one for one in processes_of(tmp_path)), "the exchange")
    process.send_signal(signal.SIGTERM)
    done = finish(process)
    assert done.code != 0
    assert "[0] hi" not in done.out
    assert "preflight: it was stopped" in done.err
    assert_nothing_left(tmp_path)


def test_it_needs_a_launcher(tmp_path: Path) -> None:
    done = run(tmp_path, "--headless", "--preflight", "true")
    assert (done.code, done.err) == (1, "fluxstart-tui: --preflight only works with --launcher\n")
