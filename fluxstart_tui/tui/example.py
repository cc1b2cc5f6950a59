"""The file of settings as it would be if nothing were changed: --print-config."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fluxstart_tui.tui import keymap, settings

if TYPE_CHECKING:
    from collections.abc import Iterable


def text() -> str:
    """Return a file that names every setting and every key, commented out."""
    usual = settings.Settings()
    lines = [
        "# Settings of the terminal UI; what is commented out is as it is without them.",
        f"# theme = {_list(settings.THEMES, '|')}: by default what fits the terminal",
        "",
        "[defaults]",
        f'# view = "{usual.view}"  # {", ".join(settings.VIEWS)}',
        f'# times = "{usual.times}"  # in Output: {", ".join(settings.TIMES)}',
        f"# wrap = {json.dumps(usual.wrap)}",
        f"# follow = {json.dumps(usual.follow)}",
        f"# columns = [{_list(usual.columns)}]  # of the table of brokers",
        '# record-limit = "1GiB"',
        "# keep = 20",
        "",
        "[keys]  # a key, or a list of keys, for each action",
    ]
    for action, keys in keymap.defaults().items():
        shown = _list(map(keymap.plain, keys))
        lines.append(f"# {action} = {shown if len(keys) == 1 else f'[{shown}]'}")
    return "\n".join(lines) + "\n"


def _list(words: Iterable[str], between: str = ", ") -> str:
    return between.join(json.dumps(word, ensure_ascii=False) for word in words)
