"""PMI-1 simple wire protocol (RFC 13), as flux start's server and flux-broker's client speak it.

Lines of `key=value` pairs, one request or reply a line. What the RFC leaves open (limits, prefix
matching of commands, answers to unknown versions) follows flux-core's
`src/common/libpmi/simple_server.c` and `keyval.c`. No I/O: bytes in, bytes out.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    class Effects(Protocol):
        """What a server makes happen, besides its own state."""

        def reply(self, client: int, data: bytes) -> None:
            """Send `data`, whole lines, to `client`."""

        def finalized(self, client: int) -> None:
            """`client` has finalized and has been told so: its connection is to be closed."""

        def aborted(self, client: int, code: int, message: bytes) -> None:
            """`client` asks that the whole program be ended."""

        def entered(self, client: int, phase: str) -> None:
            """`client` has sent a request that begins a phase, which is not answered yet.

            Phases are init, put, barrier and finalize.
            """

        def released(self) -> None:
            """A barrier is complete and has been let go."""


KVSNAME_MAX = 64
KEY_MAX = 64
VALUE_MAX = 1024
"""Sizes in bytes as get_maxes announces them; they count a terminating NUL."""

LINE_MAX = 65536
"""Longest request line in bytes; a client that sends more without a newline is in error."""

TRACE_MAX = 1215
"""A traced line is cut to this many bytes (simple_server.c: trace)."""

SUCCESS = 0
FAIL = -1
ERR_INIT = 1
ERR_INVALID_KEY = 4
ERR_INVALID_KEY_LENGTH = 5
ERR_INVALID_VAL_LENGTH = 7
ERR_INVALID_LENGTH = 8

_GOT_MAX, _GOT_LINE_MAX = 65536, 256
"""Replies that are remembered, and bytes of a request that is: far more than brokers need."""

_BLANKS = b" \t\n\v\f\r"
_HYDRA_SUFFIX = b" found=TRUE"
_UINT_MAX = 0xFFFFFFFF


class ProtocolError(ValueError):
    """A line that is not PMI-1; the text says what is wrong with it."""


def strerror(code: int) -> str:
    """Name a PMI return code as flux-broker's traces do (flux-core: pmi_strerror.c)."""
    return _STRERROR.get(code, f"pmi error {code}")


_STRERROR = {
    SUCCESS: "success",
    FAIL: "operation failed",
    ERR_INIT: "PMI not initialized",
    2: "input buffer not large enough",
    3: "invalid argument",
    ERR_INVALID_KEY: "invalid key argument",
    ERR_INVALID_KEY_LENGTH: "invalid key length argument",
    6: "invalid val argument",
    ERR_INVALID_VAL_LENGTH: "invalid val length argument",
    ERR_INVALID_LENGTH: "invalid length argument",
    14: "other PMI2 error",
}


def find(line: bytes, key: bytes) -> bytes | None:
    """Return what follows the first `key=` at the start of `line` or after a blank, or None."""
    wanted = key + b"="
    at = line.find(wanted)
    while at > 0 and line[at - 1] not in _BLANKS:
        at = line.find(wanted, at + 1)
    return None if at < 0 else line[at + len(wanted) :]


def word(line: bytes, key: bytes) -> bytes | None:
    """Return the value of `key` up to the next blank, or None if there is no such key."""
    rest = find(line, key)
    if rest is None:
        return None
    parts = rest.split(None, 1)
    return parts[0] if parts and rest[0] not in _BLANKS else b""


def text(line: bytes, key: bytes) -> bytes | None:
    """Return the value of `key` up to the end of the line, or None if there is no such key.

    Hydra 4.1 and 4.2 append ` found=TRUE` to values; it is dropped, as flux-core does.
    """
    rest = find(line, key)
    if rest is None:
        return None
    value = rest.partition(b"\n")[0]
    return value.removesuffix(_HYDRA_SUFFIX) if key == b"value" else value


def integer(line: bytes, key: bytes) -> int | None:
    """Return the decimal value of `key`, or None if it is missing or not a number."""
    rest = find(line, key)
    if rest is None:
        return None
    parts = rest.split(None, 1)
    digits = parts[0] if parts else b""
    body = digits[1:] if digits[:1] in (b"-", b"+") else digits
    # int() would also take the underscores and the non-ASCII digits that strtol refuses.
    return int(digits) if body.isdigit() and len(body) <= 20 else None


def _unsigned(line: bytes, key: bytes) -> int | None:
    value = integer(line, key)
    return value if value is not None and 0 <= value <= _UINT_MAX else None


class Server:
    """The server's half of the protocol for a fixed number of clients, without sockets.

    Args:
        size: number of clients; a barrier is complete when this many `barrier_in` have come.
        preset: keys and values that are there from the beginning, such as PMI_process_mapping.
        effects: where replies, aborts and ends of conversations go.
        trace: called with (client, "C" or "S", line with its newline) for each request and reply.
    """

    def __init__(
        self,
        size: int,
        preset: Iterable[tuple[str, str]],
        effects: Effects,
        trace: Callable[[int, str, bytes], None] | None = None,
    ) -> None:
        self.size = size
        self.kvs = {key.encode(): value.encode() for key, value in preset}
        self.entered = 0
        """Number of `barrier_in` seen since the last barrier completed."""
        self._barrier_held = False
        self._effects = effects
        self._trace = trace
        self._partial: dict[int, bytes] = {}
        self._spoke: set[int] = set()
        self._spawning: set[int] = set()
        # N brokers send the same N `get` lines: a reply is worked out once per line and KVS.
        self._got: dict[bytes, bytes] = {}

    def receive(self, client: int, data: bytes) -> None:
        """Take bytes from `client` and answer the whole lines among them.

        Raises:
            ProtocolError: the conversation with this client cannot go on; the caller ends it.
        """
        self._spoke.add(client)
        data = self._partial.pop(client, b"") + data
        end = data.rfind(b"\n") + 1
        if end < len(data):
            if len(data) - end > LINE_MAX:
                raise ProtocolError(f"line of more than {LINE_MAX} bytes")
            self._partial[client] = data[end:]
            data = data[:end]
        if self._trace is None and client not in self._spawning:
            known = self._remembered(data)
            if known is not None:
                self._effects.reply(client, known)
                return
        for line in data.split(b"\n")[:-1]:
            if len(line) > LINE_MAX:
                raise ProtocolError(f"line of more than {LINE_MAX} bytes")
            if self._trace is not None:
                self._trace(client, "C", line + b"\n")
            reply = self._answer(client, line)
            if reply:
                self._send(client, reply)
            if reply is _FINALIZE_ACK:
                self.drop(client)
                self._effects.finalized(client)
                return

    def _remembered(self, lines: bytes) -> bytes | None:
        """Return the replies to whole lines if all of them are gets that were answered before."""
        reply = self._got.get(lines)
        if reply is None:
            replies = [*map(self._got.get, lines.splitlines(keepends=True))]
            if replies and None not in replies:
                reply = b"".join(replies)  # type: ignore[arg-type] # mypy does not see the test
        return reply

    def drop(self, client: int) -> None:
        """Forget `client`: it has finalized, died or been refused, and gets nothing more."""
        self._spoke.discard(client)
        self._spawning.discard(client)
        self._partial.pop(client, None)

    def _send(self, client: int, reply: bytes) -> None:
        if self._trace is not None:
            self._trace(client, "S", reply)
        self._effects.reply(client, reply)

    def _answer(self, client: int, line: bytes) -> bytes:
        if client in self._spawning:
            if line != b"endcmd":
                return b""
            self._spawning.discard(client)
            return b"cmd=spawn_result rc=-1\n"
        if b"\0" in line:
            raise ProtocolError("NUL byte in a line")
        command = find(line, b"cmd") or b""
        for name, answer in _COMMANDS:
            if command.startswith(name):
                return answer if isinstance(answer, bytes) else answer(self, client, line)
        if (find(line, b"mcmd") or b"").startswith(b"spawn"):
            self._spawning.add(client)
            return b""
        raise ProtocolError("unknown command")

    def hold_barrier(self, held: bool) -> None:
        """Keep barriers from completing, or let go what is complete meanwhile."""
        self._barrier_held = held
        self._release()

    def _init(self, client: int, line: bytes) -> bytes:
        version = _unsigned(line, b"pmi_version")
        subversion = _unsigned(line, b"pmi_subversion")
        if version is None or subversion is None:
            raise ProtocolError("init without versions")
        if version in (0, 2) or (version == 1 and subversion < 1):
            return b"cmd=response_to_init rc=-1\n"
        self._effects.entered(client, "init")
        return b"cmd=response_to_init rc=0 pmi_version=1 pmi_subversion=1\n"

    def _universe(self, _client: int, _line: bytes) -> bytes:
        return b"cmd=universe_size rc=0 size=%d\n" % self.size

    def _key(self, line: bytes) -> bytes | int:
        """Return the key that a put or get names, or the code that refuses it."""
        kvsname = word(line, b"kvsname")
        if kvsname is None:
            raise ProtocolError("no kvsname")
        if len(kvsname) >= KVSNAME_MAX:
            return ERR_INVALID_LENGTH
        key = word(line, b"key")
        if key is None:
            raise ProtocolError("no key")
        return ERR_INVALID_KEY_LENGTH if len(key) >= KEY_MAX else key

    def _put(self, client: int, line: bytes) -> bytes:
        key = self._key(line)
        if isinstance(key, int):
            return b"cmd=put_result rc=%d\n" % key
        rest = find(line, b"value")
        if rest is None:
            raise ProtocolError("put without a value")
        if len(rest) >= VALUE_MAX:
            return b"cmd=put_result rc=%d\n" % ERR_INVALID_VAL_LENGTH
        self.kvs[key] = rest.removesuffix(_HYDRA_SUFFIX)
        self._got.clear()
        self._effects.entered(client, "put")
        return b"cmd=put_result rc=0\n"

    def _get(self, _client: int, line: bytes) -> bytes:
        key = self._key(line)
        if isinstance(key, int):
            return b"cmd=get_result rc=%d\n" % key
        value = self.kvs.get(key)
        if value is None:
            return b"cmd=get_result rc=%d\n" % ERR_INVALID_KEY
        reply = b"cmd=get_result rc=0 value=%b\n" % value
        if len(line) < _GOT_LINE_MAX and len(self._got) < _GOT_MAX:
            self._got[line + b"\n"] = reply
        return reply

    def _barrier(self, client: int, _line: bytes) -> bytes:
        self.entered += 1
        self._effects.entered(client, "barrier")
        self._release()
        return b""

    def _release(self) -> None:
        if self.entered >= self.size and not self._barrier_held:
            self.entered -= self.size
            self._effects.released()
            for client in sorted(self._spoke):
                self._send(client, b"cmd=barrier_out rc=0\n")

    def _finalize(self, client: int, _line: bytes) -> bytes:
        self._effects.entered(client, "finalize")
        return _FINALIZE_ACK

    def _abort(self, client: int, line: bytes) -> bytes:
        code = _unsigned(line, b"exitcode")
        if code is None:
            code = _unsigned(line, b"exit_code")
        message = text(line, b"error_msg")
        self._effects.aborted(
            client,
            1 if code is None else code,
            b"aborted" if message is None or len(message) >= VALUE_MAX else message,
        )
        return b""


_FINALIZE_ACK = b"cmd=finalize_ack rc=0\n"
_MAXES = b"cmd=maxes rc=0 kvsname_max=%d keylen_max=%d vallen_max=%d\n" % (
    KVSNAME_MAX,
    KEY_MAX,
    VALUE_MAX,
)

# A command's answer, or what works it out. Commands match as prefixes, so the longer names that
# begin with `get` come before it.
_COMMANDS: tuple[tuple[bytes, bytes | Callable[[Server, int, bytes], bytes]], ...] = (
    (b"init", Server._init),
    (b"get_maxes", _MAXES),
    (b"abort", Server._abort),
    (b"finalize", Server._finalize),
    (b"get_universe_size", Server._universe),
    (b"get_appnum", b"cmd=appnum rc=0 appnum=0\n"),
    (b"get_my_kvsname", b"cmd=my_kvsname rc=0 kvsname=-\n"),
    (b"put", Server._put),
    (b"get", Server._get),
    (b"barrier_in", Server._barrier),
    (b"publish_name", b"cmd=publish_result rc=-1 msg=command not implemented\n"),
    (b"unpublish_name", b"cmd=unpublish_result rc=-1 msg=command not implemented\n"),
    (b"lookup_name", b"cmd=lookup_result rc=-1 msg=command not implemented\n"),
)


def trace_line(side: str, line: bytes) -> bytes:
    """Format a traced request ("C") or reply ("S"), cut as flux start cuts it, with one newline."""
    return printable((side.encode() + b": " + line)[:TRACE_MAX].rstrip(b"\n")) + b"\n"


def printable(data: bytes) -> bytes:
    r"""Show bytes that could move a terminal's cursor as `\xNN`."""
    if data.isascii() and data.decode("ascii").isprintable():
        return data
    return b"".join(bytes([byte]) if 0x20 <= byte < 0x7F else b"\\x%02x" % byte for byte in data)


def request(cmd: str, **fields: str) -> bytes:
    """Encode a client's request; values go in the order given, a `value` field must be last."""
    pairs = "".join(f" {key}={value}" for key, value in fields.items())
    return f"cmd={cmd}{pairs}\n".encode(errors="surrogateescape")


def expect(line: bytes, cmd: str) -> int:
    """Return the return code of a reply to `cmd`; 0 where the server (old Hydra) leaves it out.

    Raises:
        ProtocolError: the line is not such a reply.
    """
    if not (find(line, b"cmd") or b"").startswith(cmd.encode()):
        raise ProtocolError(f"expected {cmd}, got {line[:80]!r}")
    return integer(line, b"rc") or 0
