"""What a release consists of agrees with itself: version, changelog, metadata, files, workflows."""

from __future__ import annotations

import email
import re
import runpy
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui import __version__
from fluxstart_tui.manual import completion, page
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = support.ROOT / "fluxstart_tui"
PROJECT = tomllib.loads((support.ROOT / "pyproject.toml").read_text())
WORKFLOWS = {
    path.name: path.read_text() for path in (support.ROOT / ".github/workflows").glob("*.yml")
}
NOTES = runpy.run_path(str(support.ROOT / ".ci/release_notes.py"))["notes"]
READY = """# Changelog

## [Unreleased]

## [1.2.3] - 2026-11-30

### Added

- A thing.

## [1.2.2] - 2026-11-01

- Another.
"""


def files(root: Path) -> set[str]:
    """Return the files below a folder of this repository; what tools keep there is none of them."""
    found = {str(path.relative_to(support.ROOT)) for path in root.rglob("*") if path.is_file()}
    return {name for name in found if "__pycache__" not in name and "/." not in name}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist and wheel, as `python -m build` does, but with the hatchling that is here."""
    pytest.importorskip("hatchling", reason="there is no hatchling to build with")
    folder = tmp_path_factory.mktemp("dist")
    words = [sys.executable, "-m", "hatchling", "build", "-d"]
    subprocess.run([*words, folder, "-t", "sdist"], cwd=support.ROOT, check=True)
    subprocess.run(["tar", "-xzf", *folder.glob("*.tar.gz")], cwd=folder, check=True)
    tree = folder / f"fluxstart_tui-{__version__}"
    subprocess.run([*words, folder, "-t", "wheel"], cwd=tree, check=True)
    return folder


def test_the_sdist_holds_what_tests_need(built: Path) -> None:
    tree = built / f"fluxstart_tui-{__version__}"
    for name in (*files(PACKAGE), *files(support.ROOT / "tests"), *files(support.ROOT / "docs"),
                 ".ci/run", ".github/workflows/ci.yml", "README.md", "CHANGELOG.md",
                 "LICENSE", "pyproject.toml"):  # fmt: skip
        assert (tree / name).is_file(), name


def test_the_wheel_holds_the_program_alone(built: Path) -> None:
    """With its data, manual page and completions, and what it says of itself."""
    wheel = zipfile.ZipFile(next(built.glob("*.whl")))
    info, data = (f"fluxstart_tui-{__version__}.{kind}/" for kind in ("dist-info", "data"))
    names = set(wheel.namelist())
    ours = {name for name in names if not name.startswith((info, data))}
    assert ours == files(PACKAGE)
    manual = wheel.read(f"{data}data/share/man/man1/fluxstart-tui.1").decode()
    assert manual == page.text()
    assert len([name for name in names if name.startswith(data)]) == 1 + len(completion.SHELLS)
    metadata = email.message_from_bytes(wheel.read(f"{info}METADATA"))
    assert metadata["Version"] == __version__
    assert metadata["Requires-Python"] == PROJECT["project"]["requires-python"]


def test_the_version_is_in_one_place(tmp_path: Path) -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "fluxstart_tui/__init__.py"
    told = [str(path) for path in PACKAGE.rglob("*.py") if f'"{__version__}' in path.read_text()]
    assert told == [str(PACKAGE / "__init__.py")]
    assert f'fluxstart\\-tui {__version__}"' in page.text()
    assert support.run(tmp_path, "--version").out.startswith(f"fluxstart-tui {__version__}\n")


def test_versions_of_python_agree() -> None:
    project = PROJECT["project"]
    tested = re.findall(r'"(3\.\d+)"', WORKFLOWS["package.yml"].partition("python: [")[2])
    said = re.findall(r":: (3\.\d+)$", "\n".join(project["classifiers"]), flags=re.MULTILINE)
    assert said == tested
    assert project["requires-python"] == f">={said[0]}"
    assert PROJECT["tool"]["mypy"]["python_version"] == said[0]
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{said[0].replace('.', '')}"
    assert f"Python {said[0]} or newer" in (support.ROOT / "README.md").read_text()


def test_each_dependency_has_its_reason() -> None:
    """Behind it or above it."""
    text = (support.ROOT / "pyproject.toml").read_text()
    extras = PROJECT["project"]["optional-dependencies"].values()
    for name in chain(PROJECT["project"]["dependencies"], *extras):
        assert re.search(rf'(# .*\n *"{re.escape(name)}",|"{re.escape(name)}", +# )', text), name


def test_the_changelog_is_of_this_version() -> None:
    """What is not released yet is under Unreleased; the newest release is no later than we are."""
    changelog = (support.ROOT / "CHANGELOG.md").read_text()
    first, *released = re.findall(r"^## \[(.+?)\]", changelog, flags=re.MULTILINE)
    assert first == "Unreleased"
    numbers = [tuple(map(int, one.split("."))) for one in (__version__, *released)]
    assert numbers == sorted(numbers, reverse=True)


def test_notes_of_a_release() -> None:
    assert NOTES("v1.2.3", "1.2.3", READY) == "### Added\n\n- A thing."


@pytest.mark.parametrize(
    ("tag", "old", "new", "why"),
    [
        ("v1.2.4", "", "", "tag v1.2.4 is not v1.2.3"),
        ("v1.2.3", "[1.2.3]", "[1.2.0]", "does not begin with [Unreleased] and [1.2.3]"),
        ("v1.2.3", "## [Unreleased]\n", "## [Unreleased]\n- Late.\n", "is not empty"),
        ("v1.2.3", " - 2026-11-30", "", "has no date"),
        ("v1.2.3", "### Added\n\n- A thing.\n", "", "tells of nothing"),
    ],
)
def test_a_release_that_is_not_ready(tag: str, old: str, new: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        NOTES(tag, "1.2.3", READY.replace(old, new, 1))


def test_workflows_run_what_they_name_and_may_no_more_than_they_need() -> None:
    pins: dict[str, set[str]] = {}
    for name, text in WORKFLOWS.items():
        assert re.search(r"^permissions:( \{\}|\n  contents: read)$", text, flags=re.MULTILINE)
        assert "actionlint only" in text, f"{name} says that it has run"
        for action, version in re.findall(r"uses: ([^.\s][^@]*)@(.*)", text):
            assert re.fullmatch(r"[0-9a-f]{40} # v[\d.]+", version), f"{name}: {action}"
            pins.setdefault(action, set()).add(version)
    assert all(len(versions) == 1 for versions in pins.values()), pins
    writes = re.findall(r"^ +([\w-]+): write", "\n".join(WORKFLOWS.values()), flags=re.MULTILINE)
    assert sorted(writes) == ["contents", "id-token"]
    publish = WORKFLOWS["release.yml"].partition("  publish:\n")[2].partition("\n\n")[0]
    assert "environment: pypi" in publish
    assert "id-token: write" in publish
