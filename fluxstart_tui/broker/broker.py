"""One broker, put together (flux-core: broker/broker.c)."""

from __future__ import annotations

import errno
import os
import resource
import time

from fluxstart_tui import __version__, compactjson, process
from fluxstart_tui.broker import program, rundir, tbon
from fluxstart_tui.broker.attrs import Attributes
from fluxstart_tui.broker.bootstrap import Bootstrap
from fluxstart_tui.broker.endpoints import Cliques
from fluxstart_tui.broker.errors import BuiltinsError, StartError
from fluxstart_tui.broker.faults import IGNORE_SHUTDOWN, Faults
from fluxstart_tui.broker.lifecycle import Lifecycle
from fluxstart_tui.broker.log import DEBUG, ERR, INFO, Log
from fluxstart_tui.broker.network import LOCAL_SCHEME, Network
from fluxstart_tui.broker.router import Router, new_uuid
from fluxstart_tui.broker.runat import Runat
from fluxstart_tui.reactor import Reactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping

    from fluxstart_tui.broker.boot import Card
    from fluxstart_tui.broker.children import Children
    from fluxstart_tui.broker.commandline import CommandLine
    from fluxstart_tui.broker.groups import Groups
    from fluxstart_tui.broker.parent import Parent
else:
    import _signal as signal

_FLUX_VERSION = "0.88.0"
"""The release whose behaviour this broker follows."""

_DEADLY = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGALRM)
_CONFIGURABLE = {"bootstrap", "tbon"}
_FORWARDED = (signal.SIGUSR1, signal.SIGUSR2)


class Broker:
    """The composition of all rooms.

    Args:
        command: the command line.
        environ: where PMI and a shared log are looked for, and what commands inherit.

    Raises:
        UsageError: an attribute is unknown or not to be set.
    """

    def __init__(self, command: CommandLine, environ: Mapping[str, str]) -> None:
        self._command = command
        self._environ = environ
        self._reactor = Reactor()
        self._attrs = Attributes()
        self._prepare_attributes()
        self._faults = Faults(self._attrs)
        shared = process.log_descriptor(environ)
        self._log = Log(self._attrs, self._attrs.get("hostname") or "", shared)
        self._router = Router(self._attrs.get("broker.uuid") or "", self._reactor.now)
        self._router.add("attr.get", self._attrs.answer_get)
        self._bootstrap: Bootstrap | None = None
        self._runat: Runat | None = None
        self._lifecycle: Lifecycle | None = None
        self._network: Network | None = None
        self._cards: dict[int, Card] = {}
        self._rundir: str | None = None

    def _prepare_attributes(self) -> None:
        attrs, environ, verbose = self._attrs, self._environ, self._command.verbose
        attrs.set("version", f"{_FLUX_VERSION}+fluxstart-tui.{__version__}")
        attrs.set("broker.pid", str(os.getpid()))
        attrs.set("broker.rc1_path", "")
        attrs.set("broker.rc3_path", "")
        attrs.set("security.owner", str(os.getuid()))
        for assignment in self._command.assignments:
            attrs.set_by_user(assignment)
        attrs.setdefault("hostname", environ.get("FLUX_FAKE_HOSTNAME") or os.uname().nodename)
        if verbose:
            attrs.setdefault("log-stderr-mode", "local")
        attrs.setdefault("log-stderr-level", str((ERR, INFO, DEBUG)[max(0, min(verbose, 2))]))
        attrs.set("broker.uuid", new_uuid())
        attrs.set("broker.starttime", f"{time.time():.2f}")

    def run(self) -> int:
        """Live, and return the exit code."""
        for signum in (*_DEADLY, *_FORWARDED):
            self._reactor.on_signal(signum, lambda signum=signum: self._signal(signum))  # type: ignore[misc] # its own number
        self._reactor.on_signal(signal.SIGCHLD, self._child_changed)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (*_DEADLY, *_FORWARDED, signal.SIGCHLD))
        try:
            self._reactor.call_later(0, self._boot)
            while True:
                try:
                    self._reactor.run()
                except BuiltinsError as error:
                    self._fail_builtins(error)
                else:
                    assert self._lifecycle is not None
                    return self._lifecycle.exit_code
        except StartError as error:
            self._log.crit(str(error))
            return 1
        finally:
            self._leave()

    def _boot(self) -> None:
        config = self._config = self._load_config()
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._bootstrap = Bootstrap(self._reactor, self._environ, self._attrs, self._faults, config)
        self._identity = self._bootstrap.identity
        self._faults.take_effect(self._identity.rank, self._attrs)
        self._bootstrap.introduce(self._initialized, self._introduced)

    def _load_config(self) -> dict[str, object]:
        path = self._command.config_path
        if path is None:
            path = self._environ.get("FLUX_CONF_DIR")
        if path is None and not self._command.conf:
            return {}
        from fluxstart_tui.broker.configuration import load  # few have one

        config = load(path, self._command.conf)
        if path is not None:
            self._attrs.set("config.path", path)
        return config

    def _initialized(self) -> None:
        if self._command.verbose:
            self._log.info(f"boot: rank={self._identity.rank} size={self._identity.size}")

    def _introduced(self) -> None:
        """Go on, now that rank and size are known."""
        me, attrs, log = self._identity, self._attrs, self._log
        attrs.set("rank", str(me.rank))
        attrs.set("size", str(me.size))
        without_effect = attrs.without_effect()
        log.configure(me.rank)
        for name in self._config.keys() - _CONFIGURABLE:
            log.debug(f"configuration [{name}] has no effect in the embedded broker")
        attrs.setdefault("broker.sd-stop-timeout", "none")
        for name in without_effect:
            log.debug(f"attribute {name} has no effect in the embedded broker")
        attrs.set("instance-level", me.level or "0")
        cliques = Cliques(me.mapping, me.size)
        if cliques.blocks:
            blocks = [list(block) for block in cliques.blocks]
            attrs.set("broker.mapping", compactjson.dumps(blocks))
        attrs.set("jobid-path", "/")
        attrs.set("parent-uri", None)
        if me.level is not None:
            attrs.set("jobid", me.kvsname)
            attrs.set("parent-uri", self._environ.get("FLUX_URI"))
            attrs.set("parent-kvs-namespace", self._environ.get("FLUX_KVS_NAMESPACE"))
            attrs.set("jobid-path", self._environ.get("FLUX_JOB_ID_PATH", "/"))
        path, made = rundir.create(attrs, self._environ)
        self._rundir = path if made else None
        process.rename(f"flux-broker-{me.rank}")
        attrs.setdefault("local-uri", f"{LOCAL_SCHEME}{path}/local-{me.rank}")
        assert self._bootstrap is not None
        self._network = Network(
            self._reactor,
            log,
            attrs,
            self._router,
            self._faults,
            self._bootstrap,
            cliques,
            self._cards,
            lambda: tbon.configure(attrs, self._config, self._environ),
        )
        self._runat = Runat(self._reactor, log, self._command_environment())
        self._lifecycle = Lifecycle(
            self._reactor,
            log,
            attrs,
            me,
            self._cards,
            self._runat,
            self._network.load,
            self._network.unload,
        )
        self._network.on_loaded = self._attach
        self._lifecycle.serve(self._router)
        self._log.serve(self._router)
        self._provide()
        self._define_commands(self._runat)
        self._lifecycle.start()

    def _provide(self) -> None:
        """Answer requests that few send."""
        router, log, attrs = self._router, self._log, self._attrs
        assert self._network is not None
        self._network.provide()

        def log_requests() -> None:
            from fluxstart_tui.broker.log_requests import LogRequests

            LogRequests(router, log)

        def settings() -> None:
            from fluxstart_tui.broker.settings import Settings

            Settings(router, log, attrs)

        def queries() -> None:
            from fluxstart_tui.broker.queries import Queries

            assert self._runat is not None
            Queries(router, self._environ, self._config, self._runat)

        router.provide(log_requests, "log")
        router.provide(settings, "attr")
        router.provide(queries, "broker", "module", "config", "rexec", "groups")

    def _command_environment(self) -> dict[str, str]:
        uri = self._attrs.get("local-uri") or ""
        if not uri.startswith(LOCAL_SCHEME):
            raise StartError("local-uri is malformed")
        return program.environment(self._environ, uri, self._attrs.get("jobid"))

    def _define_commands(self, runat: Runat) -> None:
        attrs = self._attrs
        for name in ("rc1", "rc3"):
            line = attrs.get(f"broker.{name}_path")
            if line:
                runat.define(name, program.shell_command(line, self._environ))
        if self._identity.rank == 0 and "broker.rc2_none" not in attrs:
            # What a job shell started is to end with us: it stays in the group we signal at exit.
            own_group = os.getpgrp() != os.getpid() or "broker.rc2_pgrp" in attrs
            words = program.initial_program(self._command.program, self._environ)
            runat.define("rc2", words, logged=False, own_group=own_group)

    def _attach(self, children: Children, parent: Parent | None, groups: Groups) -> None:
        assert self._lifecycle is not None
        self._lifecycle.attach(children, parent, groups)
        self._lifecycle.ignores_shutdown = self._faults.has(IGNORE_SHUTDOWN)
        self._lifecycle.post("builtins-success")

    def _fail_builtins(self, error: BuiltinsError) -> None:
        assert self._lifecycle is not None
        assert self._bootstrap is not None
        self._bootstrap.close()
        self._log.err(str(error), error.app)
        self._log.crit("module exiting abnormally", error.app)
        self._log.err(f"error loading builtins: {error.app} is unexpectedly finalizing")
        self._lifecycle.fail_builtins(error)

    def _leave(self) -> None:
        if self._network is not None:
            self._network.unload()
        if self._bootstrap is not None:
            self._bootstrap.close()
        if self._rundir is not None:
            rundir.remove(self._rundir)
        if os.getpgrp() == os.getpid():
            # Background processes of the initial program would keep a job from completing.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.kill(0, signal.SIGHUP)

    def _signal(self, signum: int) -> None:
        self._log.info(f"signal {signum}")
        if signum in _FORWARDED and self._identity.rank == 0:
            self._log.err(
                "job-manager.killall: No service matching job-manager.killall is registered:"
                f" {os.strerror(errno.ENOSYS)}"
            )
        elif self._lifecycle is not None:
            self._lifecycle.kill(signum)
        else:
            self._log.info(f"ignored signal {signum} in load-builtins")

    def _child_changed(self) -> None:
        if self._runat is not None:
            self._runat.reap()
