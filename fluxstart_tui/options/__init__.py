"""flux start's command line: its table of options, its grammar and its checks.

They follow flux-start(1) and flux-core's `src/cmd/flux-start.c`.
"""

from fluxstart_tui.options.checked import KEEP, RECORD_LIMIT, Options
from fluxstart_tui.options.draft import TOLD, Draft
from fluxstart_tui.options.errors import HelpRequested, UsageError
from fluxstart_tui.options.grammar import parse
from fluxstart_tui.options.usage import usage

__all__ = [
    "KEEP", "RECORD_LIMIT", "TOLD", "Draft", "HelpRequested", "Options", "UsageError", "parse",
    "usage",
]  # fmt: skip
