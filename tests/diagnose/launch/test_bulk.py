"""Lines that are taken at once are taken as they would be one by one."""

from __future__ import annotations

from collections import defaultdict

import pytest

from fluxstart_tui.diagnose.launch.live import STDERR, STDOUT, Watch
from fluxstart_tui.diagnose.launch.text import HEADS

RUN = "<6>broker.info[{0}]: quorum-full: quorum->run 1s"
LABELS = {
    "colon": "{0}: {1}",
    "brackets": "[{0}] {1}",
    "tag": "[1,{0}]<std{2}>: {1}",
    "angle": "{0}{3}>{1}",
    "host": "node{0} {0}: {1}",
    "": "task {0} | {1}",
}


def made(label: str, rank: int, text: str, side: str) -> bytes:
    return label.format(rank, text, side, "(err)" if side == "err" else "").encode()


def watch(name: str, *, taught: bool = True) -> Watch:
    """Return what has heard of ranks 0 and 1."""
    one = Watch(name, 2, ["x"], 0.0, plain=False, found=lambda _: None)
    hello = "fluxstart-tui: hello rank={0} host=node{0}"
    for rank in (0, 1):
        for text in (hello, RUN) if taught else ():
            one.take(0.1, STDERR, made(LABELS[name], rank, text.format(rank), "err"))
    return one


@pytest.mark.parametrize("name", LABELS)
def test_each_form_of_label(name: str) -> None:
    label = LABELS[name]
    lines = [
        made(label, 0, "zero", "out"), made(label, 1, "one", "err"), b"the launcher itself",
        made(label, 0, "", "out"), b"", made(label, 1, "\xff: 2: x", "out"),
    ]  # fmt: skip
    alone, together = watch(name), watch(name)
    kept: dict[str, dict[tuple[int, int], list[bytes]]] = {
        which: defaultdict(list) for which in ("alone", "together")
    }
    for line in lines:
        said = alone.take(1.0, STDOUT, line)
        kept["alone"][said.rank, said.stream].append(said.text)
    many = together.take_many(1.0, STDOUT, b"\n".join(lines) + b"\n")
    assert many is not None
    for said in many:
        kept["together"][said.rank, said.stream] += said.text.split(b"\n")
    assert kept["together"] == kept["alone"]
    assert together.launch.lines == alone.launch.lines


def test_what_tells_something_is_looked_at() -> None:
    one = watch("colon")
    for head in HEADS:
        assert one.take_many(1.0, STDOUT, f"1: x\n0: {head}x\n".encode()) is None
    for text in ("0: " + RUN.format(0), "0: fluxstart-tui: hello rank=0", "0: 12srun: error: x"):
        assert one.take_many(1.0, STDOUT, f"1: x\n{text}\n".encode()) is None
    assert one.take_many(1.0, STDOUT, b"2: of a rank that has not spoken\n") is None
    assert watch("colon", taught=False).take_many(1.0, STDOUT, b"0: x\n") is None
