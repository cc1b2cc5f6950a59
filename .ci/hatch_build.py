"""Build hook: manual page and completions go into the wheel, to where systems look for them."""

# ruff: noqa: ARG002 - hatchling names the arguments
from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACES = {
    "bash": "share/bash-completion/completions/fluxstart-tui",
    "zsh": "share/zsh/site-functions/_fluxstart-tui",
    "fish": "share/fish/vendor_completions.d/fluxstart-tui.fish",
}


class Manual(BuildHookInterface):
    """Makes the files of the table of options as it is now."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files."""
        sys.path.insert(0, self.root)
        from fluxstart_tui.manual import completion, page

        files = {PLACES[shell]: completion.script(shell) for shell in completion.SHELLS}
        files["share/man/man1/fluxstart-tui.1"] = page.text()
        self._made = Path(tempfile.mkdtemp())
        for place, text in files.items():
            file = self._made / Path(place).name
            file.write_text(text, encoding="utf-8")
            build_data["shared_data"][str(file)] = place

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the files."""
        shutil.rmtree(self._made)
