"""JSON as Flux writes it, without spaces, by the interpreter's C parts alone.

The json package itself takes 5.5 ms of CPU to import, mostly for regular expressions that only
its error messages and its slow path need; a broker's whole start may take 25.
"""

from __future__ import annotations

from _json import encode_basestring, make_encoder, make_scanner


class _Options:
    """How to read: what json.JSONDecoder's defaults are."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    array_hook = None
    parse_float = float
    parse_int = int
    memo: dict[str, str] = {}

    @staticmethod
    def parse_constant(name: str) -> object:
        raise ValueError(f"{name} is not JSON")


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} has no JSON form")


_scan = make_scanner(_Options)  # type: ignore[arg-type] # typeshed wants a make_scanner
_encode = make_encoder(None, _refuse, encode_basestring, None, ":", ",", False, False, False)
_BLANKS = " \t\n\r"


def dumps(value: object) -> str:
    """Encode `value` without spaces, non-ASCII text as it is."""
    return "".join(_encode(value, 0))


def loads(text: str) -> object:
    """Decode one JSON value.

    Raises:
        ValueError: `text` is not one.
    """
    body = text.strip(_BLANKS)
    try:
        value, end = _scan(body, 0)
    except (StopIteration, SystemError):
        # Python 3.11's scanner looks for its error in json.decoder, and fails in its absence.
        raise ValueError("not JSON") from None
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None
    if end != len(body):
        raise ValueError("more than one JSON value")
    return value
