"""What docs list is all that there is, and their links lead somewhere."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.options import table
from fluxstart_tui.session import events, output
from tests import support
from tests.docs.blocks import FILES

if TYPE_CHECKING:
    from pathlib import Path

DOCS = support.ROOT / "docs"
GUIDE = support.ROOT / ".github" / "CONTRIBUTING.md"
RULE = re.compile(r"[A-Z]\d{1,2}")


def rules() -> set[str]:
    """Return the ids of all rules: strings that are one, and causes that a sentence names."""
    found = set()
    for file in (support.ROOT / "fluxstart_tui" / "diagnose" / "launch").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if RULE.fullmatch(node.value):
                    found.add(node.value)
                found |= set(re.findall(r"\((N\d): ", node.value))
    return found


def test_each_rule_is_explained_once() -> None:
    text = (DOCS / "troubleshooting.md").read_text()
    told = re.findall(rf"^\| ({RULE.pattern}) \|", text, flags=re.MULTILINE)
    assert len(told) == len(set(told))
    assert set(told) == rules()


def test_each_event_is_described_with_its_fields() -> None:
    text = (DOCS / "session-format.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", text, flags=re.MULTILINE))
    for name, kind in events.KINDS.items():
        assert [f for f in kind._fields if f"`{f}`" not in rows[name]] == [], name
    assert all(f"`{cause}`" in text for cause in events.CAUSES)
    for number, stream in enumerate(output.STREAMS):
        assert f"| {number} | `{stream}` |" in text


def test_each_import_contract_is_told() -> None:
    project = tomllib.loads((support.ROOT / "pyproject.toml").read_text())
    told = " ".join((DOCS / "architecture.md").read_text().split())
    for contract in project["tool"]["importlinter"]["contracts"]:
        assert f"- {contract['name']}" in told


def test_each_room_is_told() -> None:
    text = (DOCS / "architecture.md").read_text()
    package = support.ROOT / "fluxstart_tui"
    rooms = [f"{room.parent.name}/" for room in package.glob("*/__init__.py")]
    modules = [file.name for file in package.glob("*.py") if not file.name.startswith("__")]
    for name in (*rooms, *modules):
        assert f"`{name}`" in text


def test_each_option_of_its_own_is_told() -> None:
    text = (DOCS / "using.md").read_text()
    flux_start = {option.name for option in (table.HELP, *table.GENERAL, *table.TESTING)}
    for option in table.TABLE:
        if option.name not in flux_start and option not in table.HIDDEN:
            assert re.search(rf"`--{option.name}[`=\[ ]", text), option.name


@pytest.mark.parametrize("file", [*FILES, GUIDE], ids=lambda file: file.name)
def test_links_lead_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", file.read_text()):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        there = (file.parent / path) if path else file
        assert there.exists(), target
        heads = re.findall(r"^#+ (.*)$", there.read_text(), flags=re.MULTILINE) if anchor else ()
        anchors = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
        assert not anchor or anchor in anchors, target
