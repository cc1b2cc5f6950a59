"""What widgets that show ranks, or other rows known by a number, tell their owner."""

from __future__ import annotations

from textual.message import Message


class Moved(Message):
    """The cursor is on another rank or row."""

    def __init__(self, key: int) -> None:
        super().__init__()
        self.key = key


class Chose(Message):
    """Ranks or rows were chosen."""

    def __init__(self, keys: frozenset[int]) -> None:
        super().__init__()
        self.keys = keys


class Opened(Message):
    """Enter was pressed on a rank or row, or it was clicked twice."""

    def __init__(self, key: int) -> None:
        super().__init__()
        self.key = key
