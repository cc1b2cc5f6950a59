"""What sessions may hold, for Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from fluxstart_tui.rfc import idset
from fluxstart_tui.session import events

RANKS = st.integers(0, 40)
IDSETS = st.sets(RANKS).map(idset.encode)
TIMES = st.floats(0, 1e6).map(lambda t: round(t, 6))
_TEXT = st.text(max_size=20)
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-(2**53), 2**53),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "str": _TEXT,
    "list[int]": st.lists(st.integers(0, 2**53), max_size=5),
    "list[float]": st.lists(st.floats(0, 1e9), max_size=5),
}
_NAMED = {"rank": RANKS, "child": RANKS, "ranks": IDSETS | _TEXT}


def of_kind(kind: type[events.Event]) -> st.SearchStrategy[events.Event]:
    """Return any event of a kind."""
    fields = {
        name: _NAMED.get(name, _FIELDS[annotation.__forward_arg__])
        for name, annotation in kind.__annotations__.items()
    }
    return st.builds(kind, **fields)


EVENTS = st.sampled_from(list(events.KINDS.values())).flatmap(of_kind)
TIMED = st.tuples(TIMES, EVENTS)

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.sampled_from(
        ["0-4294967295", "0-65535", "9999999999", "[0-3", "\x00", "\ud800", "0-1048575"]
    )
    | _TEXT
)
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3)
)
_NAMES = sorted({name for kind in events.KINDS.values() for name in kind._fields})


@st.composite
def _almost(draw: st.DrawFn) -> dict[str, Any]:
    """An object of some kind, some fields of which are something else or missing."""
    fields: dict[str, Any] = {"t": draw(TIMES), "e": "none"}
    event = draw(EVENTS)
    fields |= {"e": type(event).__name__.lower()} | event._asdict()
    for name in draw(st.sets(st.sampled_from(sorted(fields)), max_size=3)):
        if draw(st.booleans()):
            fields[name] = draw(_JSON)
        else:
            del fields[name]
    return fields


OBJECTS = _almost() | st.dictionaries(st.sampled_from(["t", "e", *_NAMES]), _JSON) | _JSON
