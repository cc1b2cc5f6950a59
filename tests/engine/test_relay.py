"""Labels: whole lines, nothing else altered."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.engine.relay import LINE_MAX, Labeler

PIECES = st.lists(st.binary(max_size=40) | st.just(b"\n") | st.just(b"a\nb"), max_size=20)


def run(pieces: list[bytes], label: bytes = b"7: ") -> bytes:
    labeler = Labeler(label)
    return b"".join(out for piece in pieces for out in labeler.feed(piece)) + b"".join(
        labeler.finish()
    )


@given(PIECES)
def test_each_line_gets_its_label_and_nothing_else_changes(pieces: list[bytes]) -> None:
    """However the bytes arrive, taking the labels off gives them back."""
    stream = b"".join(pieces)
    out = run(pieces)
    if not stream:
        assert out == b""
        return
    lines = out.split(b"\n")
    assert lines.pop() == b""
    assert all(line.startswith(b"7: ") for line in lines)
    plain = b"".join(line[3:] + b"\n" for line in lines)
    assert plain == (stream if stream.endswith(b"\n") else stream + b"\n")


@given(PIECES)
def test_what_is_written_is_always_whole_lines(pieces: list[bytes]) -> None:
    """Two ranks can never meet within a line, since no piece leaves one open."""
    labeler = Labeler(b"0: ")
    for piece in pieces:
        out = b"".join(labeler.feed(piece))
        assert out == b"" or out.endswith(b"\n")


@given(st.integers(1, 4), st.integers(0, 3), st.integers(999, 3 * LINE_MAX))
def test_long_lines_are_broken(times: int, rest: int, chunk: int) -> None:
    """A line of more than 64 KiB is broken there by a newline and a label, however it arrives."""
    stream = b"x" * (times * LINE_MAX + rest) + b"\n" + b"y\n"
    pieces = [stream[at : at + chunk] for at in range(0, len(stream), chunk)]
    out = run(pieces, b"L")
    assert max(map(len, out.split(b"\n"))) == LINE_MAX + 1
    assert out.replace(b"\nL", b"").count(b"x") == times * LINE_MAX + rest
    assert out.endswith(b"\nLy\n")


def test_binary_data_passes() -> None:
    """Every byte but the newline is kept as it is."""
    every = bytes(range(256))
    assert run([every]) == b"7: " + every.replace(b"\n", b"\n7: ") + b"\n"
