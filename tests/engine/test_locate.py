"""Which broker is run, with which environment, and what is said about it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests import support

if TYPE_CHECKING:
    from pathlib import Path

SAY = "#!/bin/sh\necho $0 ${GIVEN:-nothing}\n"


@pytest.fixture
def bare(scene: Path) -> str:
    """Give a PATH without any flux on it."""
    directory = scene / "bare"
    directory.mkdir()
    for name in ("sh", "env", "echo", "true"):
        found = shutil.which(name)
        assert found
        (directory / name).symlink_to(found)
    return str(directory)


def flux(scene: Path, body: str) -> str:
    directory = scene / "withflux"
    directory.mkdir()
    support.script(directory / "flux", "#!/bin/sh\n" + body)
    return str(directory)


def test_flux_exec_path_is_searched(scene: Path, bare: str) -> None:
    """The first executable flux-broker in FLUX_EXEC_PATH is run; empty items are passed over."""
    (scene / "x").mkdir()
    (scene / "x" / "flux-broker").touch()
    (scene / "y").mkdir()
    support.script(scene / "y" / "flux-broker", SAY)
    env = {"PATH": bare, "FLUX_EXEC_PATH": f":{scene}/x:{scene}/y"}
    assert support.run(scene, "-s1", env=env).out == f"{scene}/y/flux-broker nothing\n"


def test_flux_exec_path_without_a_broker(scene: Path, bare: str) -> None:
    """If FLUX_EXEC_PATH is set, nothing else is tried, as with flux start."""
    done = support.run(scene, "-s1", env={"PATH": bare, "FLUX_EXEC_PATH": "/x:/y"})
    assert done == (1, "", "fluxstart-tui: Could not locate broker in /x:/y\n")


def test_flux_on_path_gives_broker_and_environment(scene: Path, bare: str) -> None:
    """Without FLUX_EXEC_PATH, `flux env` says where the broker is and what it needs."""
    (scene / "libexec").mkdir()
    support.script(scene / "libexec" / "flux-broker", SAY)
    body = f'shift; GIVEN="by flux" FLUX_EXEC_PATH={scene}/libexec PYTHONPATH=x exec "$@"\n'
    env = {"PATH": f"{flux(scene, body)}:{bare}"}
    assert support.run(scene, "-s1", env=env).out == f"{scene}/libexec/flux-broker by flux\n"
    # `flux env` sets PYTHONPATH for Flux's own Python; `flux start` leaves it as it was.
    support.script(scene / "libexec" / "flux-broker", "#!/bin/sh\necho $PYTHONPATH\n")
    assert support.run(scene, "-s1", env=env).out == f"{support.ROOT}\n"


@pytest.mark.parametrize(
    "body", ["exit 1\n", "echo hello\n", 'shift; exec "$@"\n'], ids=["fails", "talks", "empty"]
)
def test_another_program_called_flux(scene: Path, bare: str, body: str) -> None:
    """A `flux` that is not Flux's leads to the embedded broker, and the notice says why."""
    directory = flux(scene, body)
    done = support.run(scene, "-s1", "echo", "ok", env={"PATH": f"{directory}:{bare}"})
    assert (done.code, done.out) == (0, "ok\n")
    assert done.err == (
        f"fluxstart-tui: {directory}/flux does not lead to a flux-broker:"
        " using the embedded broker, which runs no jobs\n"
    )


def test_no_flux_at_all(scene: Path, bare: str) -> None:
    """Without Flux the embedded broker is used, with one line of notice; asked for, silently."""
    done = support.run(scene, "-s2", "echo", "ok", env={"PATH": bare})
    notice = "there is no flux on PATH: using the embedded broker, which runs no jobs"
    assert done == (0, "ok\n", f"fluxstart-tui: {notice}\n")
    asked = support.run(scene, "--broker=embedded", "-s2", "echo", "ok", env={"PATH": bare})
    assert asked == (0, "ok\n", "")


def test_insisting_on_flux(scene: Path, bare: str) -> None:
    """--broker=flux refuses the fallback."""
    done = support.run(scene, "--broker=flux", "-s1", "true", env={"PATH": bare})
    text = "--broker=flux: FLUX_EXEC_PATH is not set and there is no flux on PATH"
    assert done == (1, "", f"fluxstart-tui: {text}\n")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/no/such", "No such file or directory"),
        ("/etc/passwd", "Permission denied"),
        ("/etc", "Is a directory"),
    ],
)
def test_a_given_path_that_is_no_broker(scene: Path, path: str, reason: str) -> None:
    """--broker=PATH names what is wrong with it."""
    done = support.run(scene, f"--broker={path}", "-s1", "true")
    assert done == (1, "", f"fluxstart-tui: --broker={path}: {reason}\n")


def test_version_names_the_broker(scene: Path, bare: str) -> None:
    """--version says which broker would be used."""
    done = support.run(scene, "--version", env={"PATH": bare})
    assert done.code == 0
    assert done.out.startswith("fluxstart-tui ")
    assert "embedded" in done.out
    with open("/dev/full", "wb") as full:
        done = support.run(scene, "--version", env={"PATH": bare}, stdout=full)
    assert done.code == 1
    assert done.err == "fluxstart-tui: write error on stdout: No space left on device\n"


def test_order_of_checks(scene: Path, bare: str) -> None:
    """The broker is looked for before the size is checked, and after the exit mode."""
    env = {"PATH": bare, "FLUX_EXEC_PATH": "/x"}
    assert "Could not locate" in support.run(scene, "-s0", env=env).err
    assert "unknown --test-exit-mode" in support.run(scene, "--test-exit-mode=x", env=env).err
