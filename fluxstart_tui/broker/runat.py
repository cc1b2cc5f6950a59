"""Runs rc1, the initial program and rc3 (flux-core: broker/runat.c)."""

from __future__ import annotations

import errno
import os

from fluxstart_tui.broker import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping

    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.reactor import Reactor
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
        self.aborted = False
        self.foreground = False
        self.exit_code: int | None = None
        """As waitstatus_to_exitcode has it; None until it is known."""
        self.output: dict[int, bytes] = {}
        """Unfinished line by pipe that is open still."""
        self.done: Callable[[int], None] | None = None


class Runat:
    """The commands of a broker's life, by name: rc1, rc2, rc3.

    Args:
        reactor: watches the commands' output; its owner calls `reap` on each SIGCHLD.
        log: takes the output, and how the commands ended.
        environ: what the commands get.
    """

    def __init__(self, reactor: Reactor, log: Log, environ: Mapping[str, str]) -> None:
        self._reactor = reactor
        self._log = log
        self._environ = environ
        self._commands: dict[str, _Command] = {}
        self._terminal = _Terminal()

    def define(
        self, name: str, words: list[str], *, logged: bool = True, own_group: bool = True
    ) -> None:
        """Define a command.

        Args:
            name: its name.
            words: program and arguments.
            logged: its output goes to the log, and it has no input; else it has our stdio.
            own_group: it gets a process group of its own.
        """
        self._commands[name] = _Command(words, logged=logged, own_group=own_group)

    def __contains__(self, name: str) -> bool:
        return name in self._commands

    def start(self, name: str, done: Callable[[int], None]) -> None:
        """Start a command; `done` is called with its exit code as a shell would give it."""
        command = self._commands[name]
        command.done = done
        command.started = self._reactor.now()
        try:
            command.pid = self._spawn(name, command)
        except OSError as error:
            code = 127 if error.errno == errno.ENOENT else 126
            reason = f"error launching process: {error.strerror}"
            self._reactor.call_later(0, lambda: self._finish(name, command, code, reason))

    def _spawn(self, name: str, command: _Command) -> int:
        actions: list[tuple[int, int, int] | tuple[int, int, str, int, int]] = []
        theirs = []
        if command.logged:
            actions.append((os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0))
            for fd, write in ((1, self._log.info), (2, self._log.err)):
                ours, end = os.pipe()
                theirs.append(end)
                actions.append((os.POSIX_SPAWN_DUP2, end, fd))
                command.output[ours] = b""
                self._reactor.add_reader(ours, self._reader(name, command, ours, write))
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
        """Ask a command to end, by SIGHUP; one that ignores that is only asked again."""
        command = self._commands[name]
        command.aborted = True
        if command.pid and (command.exit_code is None or command.output):
            try:
                (os.killpg if command.own_group else os.kill)(command.pid, signal.SIGHUP)
            except OSError as error:
                self._log.debug(f"kill: {error.strerror}")

    def reap(self) -> None:
        """See which commands have stopped or ended."""
        for name, command in self._commands.items():
            if not command.pid or command.exit_code is not None:
                continue
            pid, status = os.waitpid(command.pid, os.WNOHANG | os.WUNTRACED)
            if pid == 0:
                continue
            if os.WIFSTOPPED(status):
                # A program that reads from the terminal, or sets its modes, is meant to have it.
                if os.WSTOPSIG(status) in (signal.SIGTTIN, signal.SIGTTOU):
                    self._foreground(name, command)
            else:
                command.exit_code = os.waitstatus_to_exitcode(status)
                self._check(name, command)

    def _foreground(self, name: str, command: _Command) -> None:
        try:
            if self._terminal.give(command.pid):
                command.foreground = True
                os.killpg(command.pid, signal.SIGCONT)
        except OSError as error:
            self._log.err(f"error bringing {name} into foreground: {error.strerror}")

    def _check(self, name: str, command: _Command) -> None:
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
            self._finish(name, command, 128 - code, signal.strsignal(-code) or f"signal {-code}")
        elif code == 0 and command.aborted:
            self._finish(name, command, 1, "aborted after exit with rc=0")
        else:
            self._finish(name, command, code, "Exited")

    def _finish(self, name: str, command: _Command, code: int, how: str) -> None:
        elapsed = self._reactor.now() - command.started
        line = program.describe(command.words, self._environ)
        write = self._log.err if code else self._log.info
        write(f"{name}.0: {line} {how} (rc={code}) {elapsed:.1f}s")
        assert command.done is not None
        command.done(code)

    def _reader(
        self, name: str, command: _Command, fd: int, write: Callable[[str], None]
    ) -> Callable[[], None]:
        def readable() -> None:
            data = os.read(fd, _READ_SIZE)
            *lines, rest = (command.output[fd] + data).split(b"\n")
            if rest and (not data or len(rest) > _LINE_MAX):
                lines.append(rest)
                rest = b""
            for line in lines:
                write(f"{name}.0: {line.decode(errors='surrogateescape')}")
            command.output[fd] = rest
            if not data:
                self._close(command, fd)
                self._check(name, command)

        return readable

    def _close(self, command: _Command, fd: int) -> None:
        del command.output[fd]
        self._reactor.remove_reader(fd)
        os.close(fd)


class _Terminal:
    """The terminal on stdin, if there is one: lent to the initial program, and taken back."""

    def __init__(self) -> None:
        self._modes: list[int | list[bytes | int]] | None = None
        if os.isatty(0):
            import termios

            self._modes = termios.tcgetattr(0)

    def give(self, group: int) -> bool:
        """Make `group` the foreground process group if ours is; return whether it was."""
        if self._modes is None or os.tcgetpgrp(0) != os.getpgrp():
            return False
        os.tcsetpgrp(0, group)
        return True

    def take_back(self) -> None:
        """Make our process group the foreground one, and the modes what they were."""
        import termios

        assert self._modes is not None
        os.tcsetpgrp(0, os.getpgrp())
        try:
            termios.tcsetattr(0, termios.TCSAFLUSH, self._modes)
        except termios.error as error:
            raise OSError(*error.args) from None
