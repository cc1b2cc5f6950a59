"""The small JSON codec agrees with the standard library's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui import compactjson

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)  # fmt: skip


@given(values)
def test_values_are_written_and_read_as_json_does(value: object) -> None:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    assert compactjson.dumps(value) == text
    assert compactjson.loads(text) == value
    assert compactjson.loads(f" {json.dumps(value, indent=1)}\n") == value


@given(
    st.text()
    | values.map(json.dumps).flatmap(
        lambda text: st.integers(0, len(text)).map(lambda at: text[:at])
    )
)
def test_what_json_refuses_is_refused(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):
            compactjson.loads(text)
    else:
        if text.strip() not in ("NaN", "Infinity", "-Infinity"):
            assert compactjson.loads(text) == expected


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "[" * 100_000, '{"a":1,}', "1 2", ""])
def test_no_json_at_all_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        compactjson.loads(text)


def test_what_has_no_json_form_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        compactjson.dumps({"a": object()})
