"""Print what CHANGELOG.md says of the release that a tag names: `.ci/release_notes.py v1.2.3`.

Fails, saying why, where the tree is not ready for that release.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SECTION = re.compile(
    r"^## \[(?P<name>.+?)\](?P<date> - \d{4}-\d\d-\d\d)?\n(?P<text>.*?)(?=^## |\Z)",
    re.MULTILINE | re.DOTALL,
)


def notes(tag: str, version: str, changelog: str) -> str:
    """Return the section of a release.

    Args:
        tag: what the release is tagged with.
        version: what the package calls itself.
        changelog: in the format of Keep a Changelog.

    Raises:
        ValueError: the tag is of another version, or the changelog still has under Unreleased what
            belongs to the release, or nothing of it, or no date.
    """
    if tag != f"v{version}":
        raise ValueError(f"tag {tag} is not v{version}, the version of the package")
    sections = list(SECTION.finditer(changelog))[:2]
    if [one["name"] for one in sections] != ["Unreleased", version]:
        raise ValueError(f"CHANGELOG.md does not begin with [Unreleased] and [{version}]")
    unreleased, released = sections
    if unreleased["text"].strip():
        raise ValueError("CHANGELOG.md: [Unreleased] is not empty")
    if not (released["date"] and released["text"].strip()):
        raise ValueError(f"CHANGELOG.md: [{version}] has no date, or tells of nothing")
    return released["text"].strip()


def main() -> int:
    """Print the section, or why there is none."""
    sys.path.insert(0, str(ROOT))
    from fluxstart_tui import __version__

    try:
        print(notes(sys.argv[1], __version__, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
