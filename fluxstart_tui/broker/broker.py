"""One broker, put together (flux-core: broker/broker.c)."""

from __future__ import annotations

import errno
import os
import resource
import time

from fluxstart_tui import __version__, process
from fluxstart_tui.broker import boot, compactjson, endpoints, program, rundir, topology
from fluxstart_tui.broker.attrs import Attributes
from fluxstart_tui.broker.boot import Card
from fluxstart_tui.broker.bootstrap import Bootstrap
from fluxstart_tui.broker.children import Children
from fluxstart_tui.broker.endpoints import Cliques
from fluxstart_tui.broker.errors import BuiltinsError, StartError
from fluxstart_tui.broker.faults import FINALIZED, IGNORE_SHUTDOWN, SILENT, UNCONNECTED, Faults
from fluxstart_tui.broker.lifecycle import Lifecycle
from fluxstart_tui.broker.local import LocalServer
from fluxstart_tui.broker.log import DEBUG, ERR, INFO, Log
from fluxstart_tui.broker.parent import Parent
from fluxstart_tui.broker.quorum import Online
from fluxstart_tui.broker.runat import Runat
from fluxstart_tui.broker.services import Services
from fluxstart_tui.reactor import Reactor
from fluxstart_tui.rfc import hostlist

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping

    from fluxstart_tui.broker.commandline import CommandLine
    from fluxstart_tui.broker.topology import Topology
else:
    import _signal as signal

_FLUX_VERSION = "0.88.0"
"""The release whose behaviour this broker follows."""

_DEADLY = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGALRM)
_FORWARDED = (signal.SIGUSR1, signal.SIGUSR2)
_LOCAL_SCHEME = "local://"


class Broker:
    """The composition of all rooms.

    Args:
        command: the command line.
        environ: where PMI is looked for, and what commands inherit.

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
        self._log = Log(self._attrs, self._attrs.get("hostname") or "")
        self._services = Services()
        self._services.add("attr.get", self._attrs.answer_get)
        self._bootstrap: Bootstrap | None = None
        self._runat: Runat | None = None
        self._lifecycle: Lifecycle | None = None
        self._local: LocalServer | None = None
        self._children: Children | None = None
        self._parent: Parent | None = None
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
        attrs.set("broker.uuid", _uuid())
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
        config: dict[str, object] = {}
        path = self._command.config_path
        if path is not None or self._command.conf:
            from fluxstart_tui.broker.config import load, load_extra  # few have one

            if path is not None:
                config |= load(path)
                self._attrs.set("config.path", path)
            for value in self._command.conf:
                config |= load_extra(value)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._bootstrap = Bootstrap(self._reactor, self._environ, self._attrs, self._faults, config)
        self._identity = self._bootstrap.identity
        self._faults.take_effect(self._identity.rank, self._attrs)
        self._bootstrap.introduce(self._initialized, self._introduced)

    def _initialized(self) -> None:
        if self._command.verbose:
            self._log.info(f"boot: rank={self._identity.rank} size={self._identity.size}")

    def _introduced(self) -> None:
        """Go on, now that rank and size are known."""
        me, attrs, log = self._identity, self._attrs, self._log
        attrs.set("rank", str(me.rank))
        attrs.set("size", str(me.size))
        log.configure(me.rank)
        for name in attrs.without_effect():
            log.debug(f"attribute {name} has no effect in the embedded broker")
        attrs.set("instance-level", me.level or "0")
        self._cliques = Cliques(me.mapping, me.size)
        if self._cliques.blocks:
            blocks = [list(block) for block in self._cliques.blocks]
            attrs.set("broker.mapping", compactjson.dumps(blocks))
        self._tcp = attrs.get("tbon.prefertcp") not in (None, "0")
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
        attrs.setdefault("local-uri", f"{_LOCAL_SCHEME}{path}/local-{me.rank}")
        self._runat = Runat(self._reactor, log, self._command_environment())
        self._lifecycle = Lifecycle(
            self._reactor,
            log,
            attrs,
            me,
            self._cards,
            self._runat,
            self._load_builtins,
            self._unload_builtins,
        )
        self._lifecycle.serve(self._services)
        self._define_commands(self._runat)
        self._lifecycle.start()

    def _command_environment(self) -> dict[str, str]:
        uri = self._attrs.get("local-uri") or ""
        if not uri.startswith(_LOCAL_SCHEME):
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

    def _load_builtins(self) -> None:
        me, attrs = self._identity, self._attrs
        uri = attrs.get("local-uri") or ""
        self._local = LocalServer(self._reactor, self._services, uri.removeprefix(_LOCAL_SCHEME))
        assert self._bootstrap is not None
        members = self._bootstrap.members
        parents = None if members is None else members.parents
        tree = topology.configure(attrs, me.rank, me.size, parents)
        uuid = attrs.get("broker.uuid") or ""
        self._children = Children(
            self._reactor, self._log, self._services, tree, me.rank, uuid, self._cards
        )
        key = boot.new_key() if members is None else members.public_key()
        card = Card(attrs.get("hostname") or "", [], key)
        below = tree.children(me.rank)
        if below:
            path = f"{attrs.get('rundir')}/tbon-{me.rank}"
            if members is None:
                uris = endpoints.to_bind(self._cliques, me.rank, below, path, prefer_tcp=self._tcp)
                card.uris += [self._children.listen(uri) for uri in uris]
            else:
                self._children.listen(members.bind_uri())
                card.uris += members.connect_uris(me.rank)
            attrs.set("tbon.endpoint", next(iter(card.uris), None))
        self._bootstrap.exchange(card, tree, self._cards, lambda: self._connect(tree))

    def _connect(self, tree: Topology) -> None:
        """Go on, now that everybody is known."""
        assert self._children is not None
        assert self._lifecycle is not None
        rank, attrs, cards, faults = self._identity.rank, self._attrs, self._cards, self._faults
        faults.strike(FINALIZED)
        if "hostlist" not in attrs:
            hosts = [cards[one].host for one in range(self._identity.size)]
            attrs.set("hostlist", hostlist.encode(hosts))
        above = tree.parent(rank)
        tell = None
        if above is not None:
            name = f"{cards[above].host} (rank {above})"
            near = self._cliques.share(rank, above) and not self._tcp
            uri = endpoints.to_connect(cards[above].uris, name, prefer_ipc=near)
            attrs.set("tbon.parent-endpoint", uri)
            uuid = attrs.get("broker.uuid") or ""
            self._parent = Parent(self._reactor, self._log, rank, uuid, cards[rank], name)
            tell = self._parent.tell
        online = Online(self._reactor, tree, rank, tell)
        self._services.add("groups.update", online.update)
        self._lifecycle.attach(self._children, self._parent, online)
        self._lifecycle.ignores_shutdown = faults.has(IGNORE_SHUTDOWN)
        if self._parent is not None:
            if faults.has(SILENT):
                self._parent.on_joined = lambda: None
            if not faults.has(UNCONNECTED):
                self._parent.connect(attrs.get("tbon.parent-endpoint") or "")
        self._lifecycle.post("builtins-success")

    def _fail_builtins(self, error: BuiltinsError) -> None:
        assert self._lifecycle is not None
        assert self._bootstrap is not None
        self._bootstrap.close()
        self._log.err(str(error), error.app)
        self._log.crit("module exiting abnormally", error.app)
        self._log.err(f"error loading builtins: {error.app} is unexpectedly finalizing")
        self._lifecycle.fail_builtins(error)

    def _unload_builtins(self) -> None:
        if self._children is not None:
            self._children.close()
            self._children = None
        if self._parent is not None:
            self._parent.close()
            self._parent = None
        if self._local is not None:
            self._local.close()
            self._local = None
        if self._bootstrap is not None:
            self._bootstrap.close()

    def _leave(self) -> None:
        self._unload_builtins()
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


def _uuid() -> str:
    digits = os.urandom(16).hex()
    return "-".join(digits[a:b] for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))
