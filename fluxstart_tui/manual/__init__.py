"""What a system is told of this program: completion for shells, and the manual page.

Both are templates, filled from the table of options.
"""

from __future__ import annotations

from importlib import resources


def template(name: str) -> str:
    """Return a file of this package."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
