"""The broker's log: what is written where, and in which form (flux-core: broker/log.c).

Records travel as lines of `<PRI>1 TIME RANK APP PID - - TEXT`, as flux-core's stdlog.c writes
them: a severity is PRI >> 3.
"""

from __future__ import annotations

import errno
import os
import time

from fluxstart_tui.broker.errors import StartError
from fluxstart_tui.broker.router import Streams, respond_raw
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable

    from fluxstart_tui.broker.attrs import Attributes
    from fluxstart_tui.broker.router import Router
    from fluxstart_tui.rpc.services import Request

    Record = tuple[float, int, str, bytes]
    """When, severity, who, and the text: to be formatted if somebody asks for it."""
else:  # the same, without all the rest of collections
    from _collections import deque

CRIT = 2
ERR = 3
INFO = 6
DEBUG = 7

_NAMES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_STDERR = 2
_RING_SIZE = 1024
_SIZE_MAX = (1 << 63) - 1


class Log:
    """Where the broker's rooms and the brokers below it report to.

    Until `configure` is called, the rank is not known: records bear the host's name, and all that
    the level lets through goes to stderr.

    Args:
        attrs: the attributes.
        hostname: stands for the rank until that is known.
        shared: descriptor to which each record is written as a line as well, or None.
    """

    def __init__(self, attrs: Attributes, hostname: str, shared: int | None = None) -> None:
        self._attrs = attrs
        self._name = hostname
        self._rank: int | None = None
        self._local = attrs.get("log-stderr-mode") == "local"
        self._stderr_level = _level(attrs.get("log-stderr-level")) or ERR
        self._critical_level = CRIT
        self._forward_level = -1
        self._level = -1
        self._file = -1
        self.ring: deque[Record | bytes] = deque(maxlen=0)
        """The latest records, those that clients have made in their form."""
        self.count = self.local = self.remote = 0
        """How many records went into the ring, were made here, and came from below."""
        self._shared = shared
        self._followers = Streams()
        self._pid = os.getpid()
        self._second, self._stamp = -1, b""
        self.forward: Callable[[bytes], None] | None = None
        """Sends a record to the parent, if there is one to send to."""

    def configure(self, rank: int) -> None:
        """Take the rank, and the attributes that say what goes where.

        Raises:
            StartError: an attribute has no sensible value; which one has been logged.
        """
        self._stderr_level = self._attribute("log-stderr-level", ERR)
        self._forward_level = self._attribute("log-forward-level", ERR)
        self._critical_level = self._attribute("log-critical-level", CRIT)
        mode = self._attrs.setdefault("log-stderr-mode", "leader")
        if mode not in ("leader", "local"):
            self.err("getattr log-stderr-mode: Invalid argument")
            raise StartError("Error initializing logging: Invalid argument")
        self._level = self._attribute("log-level", DEBUG)
        self.ring = deque(maxlen=self._ring_size())
        self._attribute("log-syslog-level", ERR)
        self._attrs.setdefault("log-syslog-enable", "0")
        path = self._attrs.get("log-filename")
        if path is not None and rank == 0:
            self._open(path)
        self._rank = rank
        self._name = str(rank)

    def serve(self, router: Router) -> None:
        """Answer log.dmesg."""
        self._followers = router.streams("log")
        router.add("log.dmesg", self._dmesg)
        router.add("log.cancel", self._followers.cancel)

    def _dmesg(self, request: Request) -> None:
        fields = request.unpack()
        follow, nobacklog = fields.get("follow"), fields.get("nobacklog", False)
        if not isinstance(follow, bool) or not isinstance(nobacklog, bool):
            raise RpcError(errno.EPROTO)
        if not request.streaming:
            raise RpcError(errno.EPROTO)
        if not nobacklog:
            respond_raw(request, [self.format(record) + b"\0" for record in self.ring])
        if follow:
            self._followers.append(request)
        else:
            request.end()

    def _attribute(self, name: str, default: int) -> int:
        level = _level(self._attrs.setdefault(name, str(default)))
        if level is None:
            self.err(f"{name}: Invalid argument")
            raise StartError("Error initializing logging: Invalid argument")
        return level

    def _ring_size(self) -> int:
        value = self._attrs.setdefault("log-ring-size", str(_RING_SIZE))
        try:
            size = int(value or "")
        except ValueError:
            size = -1
        if not 0 <= size <= _SIZE_MAX:
            self.err("log-ring-size: Invalid argument")
            raise StartError("Error initializing logging: Invalid argument")
        return size

    def set_stderr_level(self, level: int) -> None:
        """Show more or less from now on."""
        self._stderr_level = level

    def _open(self, path: str) -> None:
        try:
            self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        except OSError as error:
            self.err(f"Error opening logfile {path}: {error.strerror}")
            raise StartError(f"Error initializing logging: {error.strerror}") from None

    def crit(self, text: str, app: str = "broker") -> None:
        """Log what ends the broker; it is seen on its own stderr whatever the mode."""
        self._write(CRIT, app, text)

    def err(self, text: str, app: str = "broker") -> None:
        """Log a failure."""
        self._write(ERR, app, text)

    def info(self, text: str, app: str = "broker") -> None:
        """Log an event of normal life."""
        self._write(INFO, app, text)

    def debug(self, text: str, app: str = "broker") -> None:
        """Log what only developers want to know."""
        self._write(DEBUG, app, text)

    def _write(self, severity: int, app: str, text: str) -> None:
        here = severity <= self._critical_level or (
            severity <= self._stderr_level and (self._local or not self._rank)
        )
        up = self._rank and severity <= self._forward_level and self.forward is not None
        keep = severity <= self._level
        if not (here or up or keep or self._file >= 0):
            self.local += 1
            return
        data = text.encode(errors="surrogateescape")
        if b"\n" in data or b"\r" in data:
            # Each line is a record of its own (flux-core: libflux/flog.c), the first even if empty.
            first, *others = data.replace(b"\r", b"\n").split(b"\n")
            for line in (first, *filter(None, others)):
                self._write(severity, app, line.decode(errors="surrogateescape"))
            return
        now = time.time()
        self.local += 1
        if keep:
            self._keep((now, severity, app, data))
        if here:
            self._show(_STDERR, severity, now, app, self._name, data, local=self._local)
        if self._file >= 0:
            self._show(self._file, severity, now, app, self._name, data, local=False)
        if up and self.forward is not None:
            self.forward(self.format((now, severity, app, data)))

    def _keep(self, record: Record | bytes) -> None:
        if self.ring.maxlen:
            self.count += 1
            self.ring.append(record)
            if self._shared is not None or self._followers:
                self._tell(self.format(record))

    def _tell(self, record: bytes) -> None:
        if self._shared is not None:
            _share(self._shared, record)
        for request in self._followers:
            respond_raw(request, (record + b"\0",))

    def format(self, record: Record | bytes) -> bytes:
        """Return a record as it travels."""
        if isinstance(record, bytes):
            return record
        when, severity, app, data = record
        second = int(when)
        if second != self._second:
            self._second = second
            self._stamp = b"%04d-%02d-%02dT%02d:%02d:%02d" % time.gmtime(second)[:6]
        return b"<%d>1 %b.%06dZ %b %b %d - - %b" % (
            severity << 3, self._stamp, (when - second) * 1e6, self._name.encode(), app.encode(),
            self._pid, data,
        )  # fmt: skip

    def receive(self, record: bytes) -> None:
        """Take a record from a broker below or from a client.

        Those of this rank are kept; others are shown on rank 0 and passed on elsewhere.
        """
        parts = record.split(b" ", 7)
        severity = _severity(parts[0])
        if len(parts) < 8 or severity is None:
            return
        name, app = (part.decode(errors="replace") for part in parts[2:4])
        ours = name == self._name
        if ours:
            self.local += 1
            if severity <= self._level:
                self._keep(record)
        else:
            self.remote += 1
        if self._rank and severity <= self._forward_level and self.forward is not None:
            self.forward(record)
        here = ours and (
            severity <= self._critical_level or (self._local and severity <= self._stderr_level)
        )
        if self._rank and not here:
            return
        when = _parse_time(parts[1])
        if here or (severity <= self._stderr_level and not self._local):
            local = here and self._local
            self._show(_STDERR, severity, when, app, name, parts[7], local=local)
        if self._file >= 0:
            self._show(self._file, severity, when, app, name, parts[7], local=False)

    def _show(
        self, fd: int, severity: int, when: float, app: str, name: str, data: bytes, *, local: bool
    ) -> None:
        if local:
            head = f"<{severity}>{app}.{_NAMES[severity]}[{name}]: "
        else:
            moment = time.localtime(when)
            stamp = time.strftime("%b %d %H:%M:%S", moment)
            zone = time.strftime("%Z %Y", moment)
            head = f"{stamp}.{int(when % 1 * 1e6):06d} {zone} {app}.{_NAMES[severity]}[{name}]: "
        try:
            os.write(fd, head.encode() + data + b"\n")
        except OSError:
            # A log that cannot be written is no reason to end what it tells of.
            return


def _share(fd: int, record: bytes) -> None:
    try:
        # One that could not be written to its end, by whomever, is to spoil no other one.
        os.write(fd, b"\n%b\n" % record.rstrip(b"\0").replace(b"\n", b" "))
    except OSError:  # no memory, or more than we may write
        return


def _level(value: str | None) -> int | None:
    """Parse a level; negative ones let nothing through, ones beyond debug are refused."""
    try:
        level = int(value or "")
    except ValueError:
        return None
    return level if level <= DEBUG else None


def _severity(head: bytes) -> int | None:
    try:
        severity = int(head[1 : head.index(b">")]) >> 3
    except ValueError:
        return None
    return severity if 0 <= severity <= DEBUG else None


def _parse_time(stamp: bytes) -> float:
    """Parse `YYYY-MM-DDTHH:MM:SS.ffffffZ`; now if it is not that."""
    try:
        fields = [int(stamp[a:b]) for a, b in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16))]
        seconds = float(stamp[17:].rstrip(b"Z"))
        year, month, day, hour, minute = fields
        # mktime takes local standard time (neither calendar nor strptime is worth its import)
        return time.mktime((year, month, day, hour, minute, 0, 0, 0, 0)) - time.timezone + seconds
    except (ValueError, OverflowError):
        return time.time()
