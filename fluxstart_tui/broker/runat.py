"""Runs rc1, the initial program, cleanup and rc3 (flux-core: broker/runat.c)."""

from __future__ import annotations

import errno
import os

from fluxstart_tui.broker import program
from fluxstart_tui.broker.terminal import Terminal
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping

    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rpc.services import Request
else:
    import _signal as signal

_READ_SIZE = 65536
_LINE_MAX = 65536
_CORE_SIGNALS = range(1, 32)


class _Command:
    """A command, and its process once it has been started."""

    def __init__(self, words: list[str], *, logged: bool, own_group: bool) -> None:
        self.words = words
        self.logged = logged
        self.own_group = own_group
        self.pid = 0
        self.started = 0.0
        self.foreground = False
        self.exit_code: int | None = None
        """As waitstatus_to_exitcode has it; None until it is known."""
        self.output: dict[int, bytes] = {}
        """Unfinished line by pipe that is open still."""


class _Entry:
    """What has one name: commands that run one after the other, the last that was defined first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.waiting: list[_Command] = []
        self.running: _Command | None = None
        self.index = 0
        """How many have run, and so the number of the one that does."""
        self.aborted = False
        self.exit_code = 0
        """That of the first command that failed."""
        self.done: Callable[[int], None] = lambda _: None

    @property
    def title(self) -> str:
        """What the log calls the command that runs."""
        return f"{self.name}.{self.index}"


class Runat:
    """The commands of a broker's life, by name: rc1, rc2, cleanup, rc3.

    Args:
        reactor: watches the commands' output; its owner calls `reap` on each SIGCHLD.
        log: takes the output, and how the commands ended.
        environ: what the commands get.
    """

    def __init__(self, reactor: Reactor, log: Log, environ: Mapping[str, str]) -> None:
        self._reactor = reactor
        self._log = log
        self._environ = environ
        self._entries: dict[str, _Entry] = {}
        self._terminal = Terminal()

    def define(
        self, name: str, words: list[str], *, logged: bool = True, own_group: bool = True
    ) -> None:
        """Define a command, which will run before others of that name.

        Args:
            name: its name.
            words: program and arguments.
            logged: its output goes to the log, and it has no input; else it has our stdio.
            own_group: it gets a process group of its own.
        """
        entry = self._entries.setdefault(name, _Entry(name))
        entry.waiting.append(_Command(words, logged=logged, own_group=own_group))

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def push(self, request: Request) -> None:
        """Answer runat.push, by which `flux admin cleanup-push` defines commands."""
        fields = request.unpack()
        name, lines = fields.get("name"), fields.get("commands")
        if not isinstance(name, str) or "commands" not in fields:
            raise RpcError(errno.EPROTO)
        if not isinstance(lines, list) or not lines:
            raise RpcError(errno.EPROTO, "commands array is empty")
        for line in lines:
            if not isinstance(line, str) or not line:
                raise RpcError(errno.EPROTO, "cannot push an empty command line")
            self.define(name, program.shell_command(line, self._environ))
        request.respond()

    def running(self) -> list[tuple[str, int, list[str]]]:
        """Return name, pid and words of each command that runs."""
        return [
            (entry.name, entry.running.pid, entry.running.words)
            for entry in self._entries.values()
            if entry.running is not None and entry.running.pid
        ]

    def start(self, name: str, done: Callable[[int], None]) -> None:
        """Start the commands of a name.

        Args:
            name: that name.
            done: called with the exit code, as a shell would give it, of the first that failed.
        """
        entry = self._entries[name]
        entry.done = done
        self._start_next(entry)

    def _start_next(self, entry: _Entry) -> None:
        if entry.aborted:
            entry.waiting.clear()
        if not entry.waiting:
            entry.running = None
            entry.done(entry.exit_code)
            return
        command = entry.running = entry.waiting.pop()
        command.started = self._reactor.now()
        try:
            command.pid = self._spawn(entry, command)
        except OSError as error:
            code = 127 if error.errno == errno.ENOENT else 126
            reason = f"error launching process: {error.strerror}"
            self._reactor.call_later(0, lambda: self._finish(entry, command, code, reason))

    def _spawn(self, entry: _Entry, command: _Command) -> int:
        actions: list[tuple[int, int, int] | tuple[int, int, str, int, int]] = []
        theirs = []
        if command.logged:
            actions.append((os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0))
            for fd, write in ((1, self._log.info), (2, self._log.err)):
                ours, end = os.pipe()
                theirs.append(end)
                actions.append((os.POSIX_SPAWN_DUP2, end, fd))
                command.output[ours] = b""
                self._reactor.add_reader(ours, self._reader(entry, command, ours, write))
        group: dict[str, int] = {"setpgroup": 0} if command.own_group else {}
        try:
            return os.posix_spawnp(
                command.words[0],
                command.words,
                self._environ,
                file_actions=actions,
                setsigmask=(),
                setsigdef=_CORE_SIGNALS,
                **group,  # type: ignore[arg-type] # an option by its absence, too
            )
        except OSError:
            for fd in list(command.output):
                self._close(command, fd)
            raise
        finally:
            for fd in theirs:
                os.close(fd)

    def abort(self, name: str) -> None:
        """Ask what runs to end, by SIGHUP, and start no more of that name.

        A command that ignores the signal is only asked again.
        """
        entry = self._entries[name]
        entry.aborted = True
        command = entry.running
        if command is not None and command.pid:
            try:
                (os.killpg if command.own_group else os.kill)(command.pid, signal.SIGHUP)
            except OSError as error:
                self._log.debug(f"kill: {error.strerror}")

    def reap(self) -> None:
        """See which commands have stopped or ended."""
        for entry in self._entries.values():
            command = entry.running
            if command is None or not command.pid or command.exit_code is not None:
                continue
            pid, status = os.waitpid(command.pid, os.WNOHANG | os.WUNTRACED)
            if pid == 0:
                continue
            if os.WIFSTOPPED(status):
                # A program that reads from the terminal, or sets its modes, is meant to have it;
                # flux-broker does not ask what it was that has stopped it.
                self._foreground(entry.name, command)
            else:
                command.exit_code = os.waitstatus_to_exitcode(status)
                self._check(entry, command)

    def _foreground(self, name: str, command: _Command) -> None:
        try:
            if self._terminal.give(command.pid):
                command.foreground = True
                os.killpg(command.pid, signal.SIGCONT)
        except OSError as error:
            self._log.err(f"error bringing {name} into foreground: {error.strerror}")

    def _check(self, entry: _Entry, command: _Command) -> None:
        """Finish a command when both its process has ended and its output has."""
        if command.exit_code is None or command.output:
            return
        if command.foreground:
            try:
                self._terminal.take_back()
            except OSError as error:
                self._log.err(f"failed to reset foreground process group: {error.strerror}")
        code = command.exit_code
        if code < 0:
            self._finish(entry, command, 128 - code, signal.strsignal(-code) or f"signal {-code}")
        elif code == 0 and entry.aborted:
            self._finish(entry, command, 1, "aborted after exit with rc=0")
        else:
            self._finish(entry, command, code, "Exited")

    def _finish(self, entry: _Entry, command: _Command, code: int, how: str) -> None:
        elapsed = self._reactor.now() - command.started
        line = program.describe(command.words, self._environ)
        write = self._log.err if code else self._log.info
        write(f"{entry.title}: {line} {how} (rc={code}) {elapsed:.1f}s")
        entry.exit_code = entry.exit_code or code
        entry.index += 1
        self._start_next(entry)

    def _reader(
        self, entry: _Entry, command: _Command, fd: int, write: Callable[[str], None]
    ) -> Callable[[], None]:
        def readable() -> None:
            data = os.read(fd, _READ_SIZE)
            *lines, rest = (command.output[fd] + data).split(b"\n")
            if rest and (not data or len(rest) > _LINE_MAX):
                lines.append(rest)
                rest = b""
            for line in lines:
                write(f"{entry.title}: {line.decode(errors='surrogateescape')}")
            command.output[fd] = rest
            if not data:
                self._close(command, fd)
                self._check(entry, command)

        return readable

    def _close(self, command: _Command, fd: int) -> None:
        del command.output[fd]
        self._reactor.remove_reader(fd)
        os.close(fd)
