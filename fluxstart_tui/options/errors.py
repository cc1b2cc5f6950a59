"""Why parsing a command line ends early."""

from __future__ import annotations


class UsageError(Exception):
    """A command line that is refused; the text is what to print, prefix included, exit code 1."""


class HelpRequested(Exception):  # noqa: N818 - not an error
    """`--help` was met: parsing ends there, whatever follows."""
