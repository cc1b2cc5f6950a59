"""The start service's methods that flux start does not have; start_service.py documents them."""

from __future__ import annotations

import binascii
import errno
from collections import Counter

from fluxstart_tui.rfc import idset
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fluxstart_tui.engine.start_control import Control, Held
    from fluxstart_tui.rpc.services import Request, Services

SIGNAL_MAX = 64
_SIZE_MAX = 0xFFFF
_SECONDS_MAX = 1e9
_INPUT_MAX = 1 << 20
"""Bytes of input that may wait for a rank's terminal to take them."""


class Methods:
    """What is answered by telling the engine, once the request is understood.

    Args:
        control: what can be done to the instance.
        ui: pid of the UI that the instance is tied to, 0 if none.
    """

    def __init__(self, control: Control, ui: int) -> None:
        self._control = control
        self._ui = ui
        self._typed: Counter[int] = Counter()
        """Bytes of input that wait, by rank."""

    def register(self, services: Services) -> None:
        """Have these methods answered."""
        services.add("start.timer", self._timer)
        services.add("start.signal", self._signal)
        services.add("start.input", self._input)
        services.add("start.resize", self._resize)
        services.add("start.continue", self._continue)
        services.add("start.pmi", self._pmi)
        services.add("start.shutdown", self._shutdown)

    def _timer(self, request: Request) -> None:
        payload = request.unpack()
        action = payload.get("action")
        by = self.wanted_by(request)
        if action == "extend":
            seconds: Any = payload.get("seconds")
            if type(seconds) not in (int, float):
                raise RpcError(errno.EPROTO, "seconds: a number is needed")
            if not 0 < seconds <= _SECONDS_MAX:
                raise RpcError(errno.EINVAL, f"seconds: more than 0 and at most {_SECONDS_MAX:.0f}")
            request.respond({"remaining": self._control.extend_timer(float(seconds), by)})
        elif action == "cancel":
            self._control.cancel_timer(by)
            request.respond()
        elif action == "fire":
            request.respond({"ranks": idset.encode(self._control.fire_timer(by))})
        else:
            raise RpcError(errno.EINVAL, "action: extend, cancel or fire is needed")

    def _signal(self, request: Request) -> None:
        payload = request.unpack()
        signum = integer(payload, "signum")
        ranks = self._ranks(payload.get("ranks"))
        if not 1 <= signum <= SIGNAL_MAX:
            raise RpcError(errno.EINVAL, f"signum: {signum} is no signal")
        reached = self._control.signal(ranks, signum, self.wanted_by(request))
        request.respond({"ranks": idset.encode(reached)})

    def _input(self, request: Request) -> None:
        payload = request.unpack()
        data, rank = _input_data(payload), self._rank(payload)
        if self._typed[rank] + len(data) > _INPUT_MAX:
            raise RpcError(errno.EAGAIN, "the terminal has not taken the input before")

        def done(errnum: int) -> None:
            self._typed[rank] -= len(data)
            if errnum:
                request.fail(errnum)
            else:
                request.respond()

        self._typed[rank] += len(data)
        try:
            self._control.input(rank, data, done)
        except RpcError:
            self._typed[rank] -= len(data)
            raise

    def _resize(self, request: Request) -> None:
        payload = request.unpack()
        rows, cols = integer(payload, "rows"), integer(payload, "cols")
        if not (0 < rows <= _SIZE_MAX and 0 < cols <= _SIZE_MAX):
            raise RpcError(errno.EINVAL, f"{rows}x{cols} is no size of a terminal")
        self._control.resize(self._rank(payload), rows, cols)
        request.respond()

    def _continue(self, request: Request) -> None:
        self._control.resume(self._rank(request.unpack()))
        request.respond()

    def _pmi(self, request: Request) -> None:
        payload = request.unpack()
        if len(payload) != 1:
            raise RpcError(errno.EPROTO, "either hold or release is needed")
        action, what = payload.popitem()
        barrier = what == "barrier" or (action == "release" and what == "all")
        ranks = frozenset[int]() if what == "barrier" else self._ranks(what)
        if action == "hold":
            held = self._control.hold(ranks, barrier=barrier)
        elif action == "release":
            held = self._control.release(ranks, barrier=barrier)
        else:
            raise RpcError(errno.EPROTO, "either hold or release is needed")
        request.respond(_held(held))

    def _shutdown(self, request: Request) -> None:
        self._control.shutdown(self.wanted_by(request))
        request.respond()

    def wanted_by(self, request: Request) -> str:
        """Name a request's topic and who made it, for the record: the UI, or a process."""
        pid = getattr(request.origin, "pid", 0)
        if self._ui and pid == self._ui:
            return f"{request.message.topic} from the UI"
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                name = f"{file.read().rstrip()}, pid {pid}"
        except OSError:
            name = f"pid {pid}"
        return f"{request.message.topic} from {name}"

    def _rank(self, payload: dict[str, Any]) -> int:
        """Return the rank whose terminal is meant: rank 0's if none is named."""
        rank = integer(payload, "rank") if "rank" in payload else 0
        if not 0 <= rank < self._control.size:
            raise RpcError(errno.ESRCH, f"rank {rank}: there are {self._control.size} ranks")
        return rank

    def _ranks(self, text: object) -> frozenset[int]:
        """Return the ranks that an idset or `all` names."""
        if not isinstance(text, str):
            raise RpcError(errno.EPROTO, "an idset is needed")
        size = self._control.size
        if text == "all":
            return frozenset(range(size))
        try:
            runs = idset.decode_ranges(text)
        except ValueError as error:
            raise RpcError(errno.EINVAL, f"{text!a} is no idset: {error}") from None
        if not runs:
            raise RpcError(errno.EINVAL, "no ranks are given")
        if runs[-1][1] >= size:
            raise RpcError(errno.ESRCH, f"rank {runs[-1][1]}: there are {size} ranks")
        return frozenset(rank for first, last in runs for rank in range(first, last + 1))


def integer(payload: dict[str, Any], name: str) -> int:
    """Return an integer of a request.

    Raises:
        RpcError: EPROTO, there is none.
    """
    value = payload.get(name)
    if type(value) is not int:
        raise RpcError(errno.EPROTO)
    return value


def _held(held: Held) -> dict[str, Any]:
    return {"ranks": idset.encode(held.ranks), "barrier": held.barrier}


def _input_data(payload: dict[str, Any]) -> bytes:
    text, encoding = payload.get("data"), payload.get("encoding")
    if not isinstance(text, str) or encoding not in (None, "base64"):
        raise RpcError(errno.EPROTO, "data is needed, as text or with encoding base64")
    try:
        return text.encode() if encoding is None else binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:  # lone surrogates, and what is no base64
        raise RpcError(errno.EINVAL, f"data: {error}") from None
