"""A session as a file to attach to a bug report: what was recorded, without credentials."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tarfile
import tempfile
from importlib import metadata

from fluxstart_tui import __version__
from fluxstart_tui.diagnose.words import printable
from fluxstart_tui.report import diagnosis, launch_log, show, summary
from fluxstart_tui.report.gathered import gather
from fluxstart_tui.report.html import page
from fluxstart_tui.report.scrub import Scrubber
from fluxstart_tui.report.text import text
from fluxstart_tui.session.header import HEADER, JOURNAL, open_regular
from fluxstart_tui.session.output import segment_name
from fluxstart_tui.session.output_reader import SpoolReader
from fluxstart_tui.session.reader import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from fluxstart_tui.report.secrets import Left

ENDINGS = (".tar.gz", ".tgz")
LEFT_OUT = "LEFT-OUT.txt"

_SETTINGS_MAX = 1 << 20
"""Bytes of the UI's settings that are taken."""

_INTRODUCTION = """\
What looks like a credential has asterisks in its place, as many as it had bytes. It is found by the
name before it (token, secret, password, key...), by its form (private keys, tokens, MUNGE
credentials, passwords in URLs), and by its value where the environment of `--bundle` had it under
such a name. What has neither is not found: look through these files before you send them.
Not taken at all: the environment, core files, and what is in the directory but not of the session.
"""


def create(directory: str, target: str, settings: str, environ: Mapping[str, str]) -> list[Left]:
    """Write a bundle, whole or not at all.

    Args:
        directory: the session's.
        target: the file, of which the name has one of ENDINGS.
        settings: the UI's configuration file, which need not be there.
        environ: variables whose values are left out if their names are those of credentials.

    Returns:
        What was left out.

    Raises:
        SessionError: it is no session.
        OSError: the file can not be written.
    """
    Session(directory).close()
    own = _settings(settings)
    name = os.path.basename(os.path.abspath(directory))
    parent = os.path.dirname(os.path.abspath(target))
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=parent) as room:
        place = os.path.join(room, name)
        os.mkdir(place, 0o700)
        _copy(directory, place)
        scrubber = Scrubber(environ)
        texts = {"config.toml": scrubber.settings(own, "config.toml")} if own else {}
        scrubber.session(place)
        reports = _reports(place) | {LEFT_OUT: _listing(scrubber.left)}
        texts |= {file: scrubber.report(one, file) for file, one in reports.items()}
        for file, content in texts.items():
            with open(os.path.join(place, file), "x", encoding="utf-8", errors="replace") as made:
                made.write(content)
        packed = os.path.join(room, "bundle")
        with tarfile.open(packed, "w:gz") as archive:
            archive.add(place, name)
        os.chmod(packed, 0o600)
        os.replace(packed, target)
    return scrubber.left


def _copy(directory: str, place: str) -> None:
    """Copy a session's files, those that are regular: it may be one that somebody sent."""
    numbers = SpoolReader(directory).numbers()
    spool = [f"{segment_name(number)}{end}" for number in numbers for end in (".idx", "")]
    for name in (HEADER, JOURNAL, *spool):
        try:
            fd = open_regular(os.path.join(directory, name))
        except OSError:
            if name == HEADER:
                raise
            fd = os.open(os.devnull, os.O_RDONLY)  # there is an empty one in its place
        with open(fd, "rb") as source, open(os.path.join(place, name), "xb") as copy:
            shutil.copyfileobj(source, copy)


def _settings(path: str) -> str:
    """Return what the UI's configuration file says, "" if there is none as with most users."""
    try:
        with open(open_regular(path), encoding="utf-8", errors="replace") as file:
            return file.read(_SETTINGS_MAX)
    except OSError:
        return ""


def _reports(place: str) -> dict[str, str]:
    """Return the texts that are made of a session that has been scrubbed, by their names."""
    session = Session(place)
    found = summary.summarize(session.header, session.state, show.tail(session, session.state))
    hindrances = diagnosis.report(launch_log.read(place))
    texts = {
        "VERSIONS.txt": versions(session.header),
        "report.txt": text(found) + "\n" + diagnosis.as_text(hindrances),
        "report.html": page.page(gather(place)),
    }
    session.close()
    return {name: one.replace(place, os.path.basename(place)) for name, one in texts.items()}


def versions(header: Mapping[str, Any]) -> str:
    """Return what ran and what made the bundle, a line each.

    Args:
        header: of the session.
    """
    lines = [("recorded by", header.get("program")), ("on host", header.get("host"))]
    lines += [
        (name, header.get(f"broker{key}"))
        for name, key in (("broker", ""), ("broker kind", "_kind"), ("Flux", "_version"))
    ]
    lines += [
        ("bundled by", f"fluxstart-tui {__version__}"),
        ("Python", f"{platform.python_implementation()} {sys.version}"),
        ("kernel", " ".join(os.uname())),
        ("libc", " ".join(platform.libc_ver())),
        ("textual", _version("textual")),
    ]
    return "".join(f"{name}: {printable(str(value), 400)}\n" for name, value in lines if value)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _listing(left: list[Left]) -> str:
    lines = [f"{one.place}: {one.size} bytes: {printable(one.what, 200)}" for one in left]
    return _INTRODUCTION + "\n" + "".join(f"{line}\n" for line in lines or ["Nothing was found."])
