"""No credential leaves the machine with a bundle, and what is in it still is a session."""

from __future__ import annotations

import json
import tarfile
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxstart_tui.report import bundle, scrub_spool, secrets
from fluxstart_tui.report.scrub import Scrubber
from fluxstart_tui.session import events as e
from fluxstart_tui.session.output import Spool
from fluxstart_tui.session.reader import Session
from tests.diagnose import blocks, ends

PEM = "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----"
PLANTS = (
    "DB_PASSWORD={}", "export MY_API_KEY='{}'", '{{"token": "{}"}}', "--auth-token {}",
    "--secret={}", 'secret-key = "{}"', "cmd=put kvsname=k key=7.secret-key value={}",
    "Authorization: Bearer {}", "https://user:{}@example.org/", "MUNGE:{}:", "ghp_{}",
    PEM, "value of the environment: {}",
)  # fmt: skip
"""What secrets stand in; the last is known by its value alone."""

VALUES = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=20,
                 max_size=60)  # fmt: skip


def session(directory: Path, pieces: list[tuple[float, int, int, bytes]], text: str) -> None:
    """Record a session in small segments, with a text in all places that take one."""
    header = {**blocks.HEADER, "argv": ["fluxstart-tui", *text.split(" ", 1)]}
    (directory / "session.json").write_text(json.dumps(header))
    timed = [*ends.success(), (0.7, e.Message(text)), (0.7, e.Attr(0, "x.token", "Attr" + text))]
    (directory / "events.jsonl").write_text("".join(e.encode(t, event) for t, event in timed))
    spool = Spool(str(directory), 1 << 30, segment=300)
    spool.append(pieces)
    spool.close()


@settings(max_examples=25, deadline=None)
@given(data=st.data(), plant=st.sampled_from(PLANTS), value=VALUES)
def test_no_planted_secret_survives(data: st.DataObject, plant: str, value: str) -> None:
    """Wherever it lies across runs, segments and windows, and offsets stay as they were."""
    text = plant.format(value)
    before = data.draw(st.integers(0, 1500)) * b"x" + b" "
    whole = before + text.encode() + b"\n" + value.encode() * (plant == PLANTS[0])
    cuts = data.draw(st.lists(st.integers(len(before), len(whole)), max_size=6))
    ends_at = sorted({0, *cuts, len(whole)})
    pieces: list[tuple[float, int, int, bytes]] = []
    for number, (begin, end) in enumerate(pairwise(ends_at)):
        pieces += [(number, 1, 0, whole[begin:end]), (number, 2, 0, b"other\n")]
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(scrub_spool, "_BLOCK", 512)
        patch.setattr(scrub_spool, "LONGEST", 300)
        session(Path(name), pieces, text)
        before_scrub = list(Session(name).events())
        scrubber = Scrubber({"SOME_TOKEN": value} if plant == PLANTS[-1] else {})
        scrubber.session(name)
        after = Session(name)
        output = b"".join(chunk.data for chunk in after.output.chunks(ranks=(1,)))
        assert value.encode() not in output
        assert (len(output), b"*" * len(value) in output) == (len(whole), True)
        assert (
            b"".join(one.data for one in after.output.chunks(ranks=(2,))).strip(b"other\n") == b""
        )
        files = b"".join(path.read_bytes() for path in Path(name).iterdir())
        assert value.encode() not in files
        assert [type(event) for _, event in after.events()] == [type(x) for _, x in before_scrub]
        assert after.header["size"] == 4
        assert scrubber.left
        assert not any(value in one.what for one in scrubber.left)


def test_innocent_text_stays() -> None:
    """Public keys, paths to secrets and what Flux prints are no secrets."""
    for text in (
        '{"host":"vm","uri":["ipc:///tmp/flux-x/tbon-0"],"pubkey":"NrfE96R6$!-3?wjKKJ/a7]z#xe"}',
        "TOKEN_FILE=/run/secret.d/file PWD=/home OLDPWD=/ all tests_passed=7",
        "flux start -o,-Slog-stderr-level=7 --test-size=4 local:///run/flux/local",
    ):
        assert list(secrets.find(text)) == []


def test_bundle(tmp_path: Path) -> None:
    """It unpacks to a session with reports, versions, settings and what was left out."""
    directory = tmp_path / "20261122-010203-host-7"
    directory.mkdir()
    session(directory, [(0.1, 0, 0, b"MY_TOKEN=hunter2hunter2\nhello\n")], "hi")
    (directory / "core").write_text("MY_TOKEN=hunter2hunter2")
    (tmp_path / "config.toml").write_text('theme = "light"\n')
    target = tmp_path / "bundle.tar.gz"
    left = bundle.create(str(directory), str(target), str(tmp_path / "config.toml"), {})
    assert len(left) == 2  # and an attribute
    with tarfile.open(target) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # since Python 3.11.4
        archive.extractall(tmp_path / "out")
    unpacked = tmp_path / "out" / directory.name
    assert {path.name for path in unpacked.iterdir()} >= {
        "session.json", "events.jsonl", "output.000", "output.000.idx", "report.txt", "report.html",
        "VERSIONS.txt", "LEFT-OUT.txt", "config.toml",
    }  # fmt: skip
    assert not (unpacked / "core").exists()
    assert "hunter2" not in "".join(path.read_text("latin-1") for path in unpacked.iterdir())
    told = (unpacked / "LEFT-OUT.txt").read_text()
    assert "output.000, byte 9 (rank 0, stdout): 14 bytes: what stands behind TOKEN\n" in told
    assert "ended after" in (unpacked / "report.txt").read_text()
    assert Session(str(unpacked)).state.end == e.End(0)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
