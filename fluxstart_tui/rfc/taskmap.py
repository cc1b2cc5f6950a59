"""Task maps (RFC 34): which tasks, here broker ranks, share a node.

Three notations are read: PMI's `(vector,(0,2,2))` (RFC 13), the raw list of idsets `0-1;2-3`, and
JSON, `[[0,2,2,1]]` or `{"version":1,"map":[[0,2,2,1]]}`. What is accepted and how a refusal reads
follows flux-core's `libtaskmap/taskmap.c`, since flux start prints that text. Only broken JSON is
refused in the words of Python's reader rather than of the library that Flux uses.
"""

from __future__ import annotations

from typing import NamedTuple

from .idset import BLANKS, decode_ranges, strtoul


class Block(NamedTuple):
    """Consecutive tasks: `ppn` on each of `nnodes` nodes from `nodeid`, `repeat` times."""

    nodeid: int
    nnodes: int
    ppn: int
    repeat: int


class TaskMap(NamedTuple):
    """A task map; without blocks the mapping is unknown."""

    blocks: tuple[Block, ...]


PMI_BLOCKS_MAX = 1 << 16
"""Most blocks `encode_pmi` writes, as a short map may repeat a block two thousand million times."""

_ERROR_MAX = 160
_ULONG_MAX = 0xFFFFFFFFFFFFFFFF


class TaskMapError(ValueError):
    """A task map that cannot be decoded; the text is the one flux start would print."""

    def __init__(self, reason: str) -> None:
        # flux-core keeps a reason in 160 bytes, which also keeps a hostile map off the screen
        super().__init__(reason if len(reason) < _ERROR_MAX else reason[: _ERROR_MAX - 2] + "+")


def single(size: int) -> TaskMap:
    """Map all of `size` tasks to one node."""
    return TaskMap((Block(0, 1, size, 1),))


def per_broker(size: int) -> TaskMap:
    """Map each of `size` tasks to a node of its own."""
    return TaskMap((Block(0, size, 1, 1),))


def encode_pmi(taskmap: TaskMap) -> str:
    """Encode a task map as a PMI_process_mapping value (RFC 13).

    Args:
        taskmap: The map; PMI knows no repeats, so repeated blocks are written out.

    Returns:
        The value, empty for an unknown mapping.

    Raises:
        TaskMapError: If more than `PMI_BLOCKS_MAX` blocks would be written.
    """
    if sum(block.repeat for block in taskmap.blocks) > PMI_BLOCKS_MAX:
        raise TaskMapError(f"more than {PMI_BLOCKS_MAX} blocks in PMI_process_mapping")
    vector = "".join(
        f",({block.nodeid},{block.nnodes},{block.ppn})" * block.repeat for block in taskmap.blocks
    )
    return f"(vector{vector})" if vector else ""


def decode(text: str) -> TaskMap:
    """Decode a task map in any of its notations.

    Args:
        text: The map; empty means an unknown mapping.

    Returns:
        The map. JSON blocks are kept as they are, the other notations are made into few blocks.

    Raises:
        TaskMapError: If the text is malformed, or tasks are missing or duplicate.
    """
    if not text or "vector," in text:
        return TaskMap(tuple(_decode_pmi(text)))
    if not any(c in "({[]})" for c in text):
        return TaskMap(tuple(_decode_raw(text)))
    return TaskMap(tuple(_decode_json(text)))


def _decode_pmi(text: str) -> list[Block]:
    blocks: list[Block] = []
    vector = False
    for token in filter(None, text.split("(")):
        entry = token.lstrip(BLANKS)
        if entry.startswith("vector,"):
            vector = True
        elif entry:
            if not vector:
                raise TaskMapError("vector prefix must precede blocklist")
            _append(blocks, *_decode_pmi_block(entry))
    return blocks


def _decode_pmi_block(entry: str) -> tuple[int, int, int]:
    """Decode `NODEID,NNODES,PPN)`; anything may follow the parenthesis."""
    numbers: list[int] = []
    rest = entry
    for delimiter in ",,)":
        number, end = strtoul(rest)
        if abs(number) > _ULONG_MAX or rest[end : end + 1] != delimiter:
            raise TaskMapError(f"unable to parse block: ({entry}")
        numbers.append(_int32(number))
        rest = rest[end + 1 :]
    nodeid, nnodes, ppn = numbers
    if nodeid < 0 or nnodes <= 0 or ppn <= 0:
        raise TaskMapError(f"invalid number in block: ({entry}")
    return nodeid, nnodes, ppn


def _decode_raw(text: str) -> list[Block]:
    runs: list[tuple[int, int, int]] = []
    try:
        for nodeid, ids in enumerate(filter(None, text.split(";"))):
            runs += ((lo, hi, nodeid) for lo, hi in decode_ranges(ids))
    except ValueError as e:
        raise TaskMapError(str(e)) from None
    blocks: list[Block] = []
    last = -1
    for lo, hi, nodeid in sorted(runs, key=lambda run: run[0]):
        if lo <= last:
            raise TaskMapError(_name_tasks("duplicate taskid{} specified", lo, min(hi, last)))
        if lo > last + 1:
            raise TaskMapError(_name_tasks("missing taskid{}", last + 1, lo - 1))
        _append(blocks, nodeid, 1, hi - lo + 1)
        last = hi
    return blocks


def _name_tasks(what: str, lo: int, hi: int) -> str:
    return f"{what.format('')}: {lo}" if lo == hi else f"{what.format('s')}: {lo}-{hi}"


def _append(blocks: list[Block], nodeid: int, nnodes: int, ppn: int) -> None:
    """Add a block, joined with the last one if both continue or repeat each other.

    A joined block may in turn repeat the one before it.
    """
    new = Block(nodeid, nnodes, ppn, 1)
    if blocks:
        last = blocks[-1]
        if nodeid == last.nodeid + last.nnodes and ppn == last.ppn and last.repeat == 1:
            new = blocks.pop()._replace(nnodes=last.nnodes + nnodes)
        elif nodeid == last.nodeid and nnodes == last.nnodes == 1:
            new = blocks.pop()._replace(ppn=last.ppn + ppn)
    if blocks and blocks[-1][:3] == new[:3]:
        new = new._replace(repeat=blocks.pop().repeat + new.repeat)
    blocks.append(new)


def _decode_json(text: str) -> list[Block]:
    import json  # the rarest notation pays for it, not every start

    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TaskMapError(f"not JSON: {error}") from None
    if isinstance(value, dict):
        if "version" not in value:
            raise TaskMapError("Object item not found: version")
        version = _expect_int(value["version"])
        if "map" not in value:
            raise TaskMapError("Object item not found: map")
        if version != 1:
            raise TaskMapError(f"expected version=1, got {version}")
        value = value["map"]
        if not isinstance(value, list):
            raise TaskMapError("taskmap must be an array")
    if not isinstance(value, list):
        raise TaskMapError("taskmap must be an object or array")
    return [_decode_json_block(i, entry) for i, entry in enumerate(value)]


def _decode_json_block(index: int, entry: object) -> Block:
    if not isinstance(entry, list):
        raise TaskMapError(f"entry {index} in taskmap is not an array")
    numbers: list[int] = []
    for i in range(4):
        if i == len(entry):
            raise TaskMapError(f"error in taskmap entry: Array index {i} out of range")
        numbers.append(_expect_int(entry[i], "error in taskmap entry: "))
    if numbers[0] < 0 or min(numbers[1:]) <= 0:
        raise TaskMapError("invalid entry [{},{},{},{}]".format(*numbers))
    return Block(*numbers)


def _expect_int(value: object, prefix: str = "") -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return _int32(value)
    names = {dict: "object", list: "array", str: "string", float: "real"}
    name = names.get(type(value)) or ("null" if value is None else str(value).lower())
    raise TaskMapError(f"{prefix}Expected integer, got {name}")


def _int32(number: int) -> int:
    """Convert as C does from a long to an int, which loses the upper bits."""
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)
