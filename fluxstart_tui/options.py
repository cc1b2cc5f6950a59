"""flux start's command line: its table of options, its grammar and its checks.

Grammar and texts follow flux-start(1) and flux-core's `src/cmd/flux-start.c`, `liboptparse` and the
getopt_long that it carries: parsing stops at the first word that is no option, long options may be
cut to any unique prefix, short ones bundle, some arguments are split at commas.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from fluxstart_tui.rfc import fsd, idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DEFAULT_EXIT_TIMEOUT = 20.0
"""Seconds (flux-start(1), --test-exit-timeout)."""

RECORD_LIMIT = 1 << 30
KEEP = 20

NONE, REQUIRED, OPTIONAL = 0, 1, 2
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1


class UsageError(Exception):
    """A command line that is refused; the text is what to print, prefix included, exit code 1."""


class HelpRequested(Exception):  # noqa: N818 - not an error
    """`--help` was met: parsing ends there, whatever follows."""


class Option(NamedTuple):
    """One row of the table."""

    name: str
    usage: str
    key: str = ""
    arg: int = NONE
    arginfo: str = ""
    split: bool = False
    """The argument is a list, cut at commas."""
    short_optional: bool = False
    """The short form takes its optional argument attached (`-rDIR`)."""
    exact: bool = False
    """Not in flux start's own table: only the full name is recognised."""


_HELP = Option("help", "Display this message.", "h")
_GENERAL = (
    Option("setattr", "Set broker attribute", "S", REQUIRED, "ATTR=VAL", split=True),
    Option("config-path", "Set broker config from PATH (default: none)", "c", REQUIRED, "PATH"),
    Option("conf", "Update broker config from VALUE", "", REQUIRED, "VALUE"),
    Option(
        "recovery",
        "Start instance in recovery mode with dump file or statedir",
        "r",
        OPTIONAL,
        "[TARGET]",
        short_optional=True,
    ),
    Option("sysconfig", "Load system configuration"),
    Option("verbose", "Be annoyingly informative by degrees", "v", OPTIONAL, "[LEVEL]"),
    Option("noexec", "Don't execute (useful with -v, --verbose)", "X"),
    Option(
        "broker-opts",
        'Add comma-separated broker options, e.g. "-o,-v"',
        "o",
        REQUIRED,
        "OPTS",
        split=True,
    ),
    Option(
        "wrap",
        "Wrap broker execution in comma-separated arguments",
        "",
        REQUIRED,
        "ARGS,...",
        split=True,
    ),
)
_TESTING = (
    Option("test-size", "Start a test instance by launching N brokers locally", "s", REQUIRED, "N"),
    Option("test-hosts", "Set fake hostnames for brokers", "", REQUIRED, "HOSTLIST"),
    Option(
        "test-exit-timeout",
        "After a broker exits, kill other brokers after timeout",
        "",
        REQUIRED,
        "FSD",
    ),
    Option(
        "test-exit-mode",
        "Trigger exit timer on leader/any broker exit (default=any)",
        "",
        REQUIRED,
        "any|leader",
    ),
    Option(
        "test-start-mode",
        "Start all brokers immediately or just leader (default=all)",
        "",
        REQUIRED,
        "all|leader",
    ),
    Option("test-rundir", "Use DIR as broker run directory", "", REQUIRED, "DIR"),
    Option("test-rundir-cleanup", "Clean up --test-rundir DIR upon flux-start completion"),
    Option(
        "test-pmi-clique",
        "Set PMI_process_mapping mode (default=single)",
        "",
        REQUIRED,
        "single|per-broker|none|TASKMAP",
    ),
)
_HIDDEN = (
    Option("killer-timeout", "(deprecated)", "", REQUIRED, "FSD"),
    Option("tether", "(the UI's) end when this pipe does", "", REQUIRED, "FD", exact=True),
)
_MANUAL = (
    Option(
        "rundir",
        "With --test-size, use DIR as broker run directory; created if missing and then removed",
        "",
        REQUIRED,
        "DIR",
        exact=True,
    ),
    Option(
        "caliper-profile",
        "Run brokers with Caliper profiling enabled, using configuration profile PROFILE",
        "",
        REQUIRED,
        "PROFILE",
        exact=True,
    ),
)
_OURS = (
    Option("headless", "Run without the terminal UI", exact=True),
    Option(
        "broker",
        "Run the broker at PATH, insist on Flux's, or use the one that comes with this program",
        "",
        REQUIRED,
        "PATH|flux|embedded",
        exact=True,
    ),
    Option(
        "launcher",
        "Run `CMD flux start ...` and watch it: srun, mpiexec, flux run and the like",
        "",
        REQUIRED,
        "CMD",
        exact=True,
    ),
    Option("launcher-raw", "With --launcher: add nothing to that command", exact=True),
    Option(
        "pmi-tap",
        "With --launcher: see PMI on the wire; `bridge` makes MPICH 5 work too",
        "",
        OPTIONAL,
        "[bridge]",
        exact=True,
    ),
    Option("label-io", "Prefix each line of broker output with its rank", "l", exact=True),
    Option(
        "record",
        "Record a session, in DIR or where sessions live",
        "",
        OPTIONAL,
        "[DIR]",
        exact=True,
    ),
    Option(
        "record-limit",
        "Record at most SIZE of output (default 1GiB)",
        "",
        REQUIRED,
        "SIZE",
        exact=True,
    ),
    Option("keep", "Keep the N newest sessions (default 20)", "", REQUIRED, "N", exact=True),
    Option("no-summary", "Do not sum up on stderr why an instance has failed", exact=True),
    Option("wrap-ranks", "Limit --wrap to these ranks", "", REQUIRED, "IDSET", exact=True),
    Option(
        "pty",
        "In the UI or with --record: give each of these ranks a terminal of its own",
        "",
        REQUIRED,
        "all|leader|IDSET",
        exact=True,
    ),
    Option("replay", "Look at the session in DIR as it happened", "", REQUIRED, "DIR", exact=True),
    Option(
        "attach",
        "Look at an instance that runs, or at a session of one",
        "",
        OPTIONAL,
        "[PID|DIR|last]",
        exact=True,
    ),
    Option("show", "Sum up the session in DIR, or the last one", "", OPTIONAL, "[DIR]", exact=True),
    Option("print-config", "Print the UI's settings and keys, as a file of them", exact=True),
    Option("sessions", "List the recorded sessions", exact=True),
    Option(
        "diagnose",
        "Say what hinders a launch: its log, - for stdin, or the directory of a session",
        "",
        REQUIRED,
        "FILE|-|DIR",
        exact=True,
    ),
    Option("json", "With --show, --sessions or --diagnose: as data", exact=True),
    Option("markdown", "With --diagnose: to paste into an issue", exact=True),
    Option(
        "ctl",
        "Command an instance: see `--ctl=last help`",
        "",
        REQUIRED,
        "URI|PID|last",
        exact=True,
    ),
    Option("version", "Name this program's version and the broker that would be used", exact=True),
)

TABLE = (_HELP, *_GENERAL, *_TESTING, *_HIDDEN, *_MANUAL, *_OURS)
_BY_NAME = {option.name: option for option in TABLE}
_BY_KEY = {option.key: option for option in TABLE if option.key}
_ABBREVIABLE = tuple(option for option in TABLE if not option.exact)


class Options(NamedTuple):
    """What a command line asks for, checked; the same fields serve both modes."""

    prog: str
    """The name that messages carry."""
    command: tuple[str, ...] = ()
    """The initial program and its arguments."""
    setattr: tuple[str, ...] = ()
    config_path: str | None = None
    conf: tuple[str, ...] = ()
    recovery: bool = False
    recovery_target: str | None = None
    sysconfig: bool = False
    verbose: int = 0
    noexec: bool = False
    broker_opts: tuple[str, ...] = ()
    wrap: tuple[str, ...] = ()
    wrap_ranks: frozenset[int] | None = None
    """Ranks to wrap; None is all of them."""
    pty: frozenset[int] | None = None
    """Ranks that run on terminals of the engine's; None leaves it to the engine."""
    test_size: int | None = None
    """Number of brokers; None selects normal mode."""
    test_hosts: str | None = None
    exit_timeout: float = DEFAULT_EXIT_TIMEOUT
    """Seconds, may be infinite."""
    exit_mode: str = "any"
    start_mode: str = "all"
    test_rundir: str | None = None
    test_rundir_cleanup: bool = False
    rundir: str | None = None
    pmi_clique: str = "single"
    caliper_profile: str | None = None
    launcher: tuple[str, ...] = ()
    """The command that starts brokers elsewhere; empty if we do."""
    launcher_raw: bool = False
    pmi_tap: str = ""
    """`tap` or `bridge`, if the wire is to be seen."""
    headless: bool = False
    broker: str | None = None
    label_io: bool = False
    record: bool = False
    record_dir: str | None = None
    """Where the session goes; None is where sessions live."""
    record_limit: int = RECORD_LIMIT
    """Bytes of output that are kept."""
    keep: int = KEEP
    """Sessions that are kept."""
    summary: bool = True
    tether: int | None = None
    """Descriptor of a pipe whose end means that the UI is gone."""
    version: bool = False

    @property
    def normal(self) -> bool:
        """Whether this is normal mode: one broker, which finds out by itself how to boot."""
        return self.test_size is None

    @property
    def size(self) -> int:
        """Number of brokers that this program starts."""
        return 1 if self.test_size is None else self.test_size


class Draft:
    """A parsed command line whose first half of checks has passed.

    flux start looks for the broker between the two halves, so which of two mistakes is reported
    depends on it; `finish` is called once the broker has been found.
    """

    def __init__(self, prog: str, found: dict[str, list[str | None]], command: list[str]) -> None:
        self._prog = prog
        self._found = found
        self.command = tuple(command)
        self.exit_timeout = self._duration("test-exit-timeout", DEFAULT_EXIT_TIMEOUT)
        if "test-exit-timeout" not in found:
            self.exit_timeout = self._duration("killer-timeout", self.exit_timeout)
        self.exit_mode = self._choice("test-exit-mode", ("any", "leader"))
        self.start_mode = self._choice("test-start-mode", ("all", "leader"))
        self.verbose = self._verbosity()
        self.broker = self.last("broker")
        self.version = "version" in found

    def last(self, name: str) -> str | None:
        """Return the last argument given to option `name`, or None."""
        given = [value for value in self._found.get(name, ()) if value is not None]
        return given[-1] if given else None

    def given(self, name: str) -> bool:
        """Tell whether an option is there."""
        return name in self._found

    def _all(self, name: str) -> tuple[str, ...]:
        return tuple(value for value in self._found.get(name, ()) if value is not None)

    def _fail(self, text: str) -> UsageError:
        return UsageError(f"{self._prog}: {text}")

    def _duration(self, name: str, default: float) -> float:
        text = self.last(name)
        if text is None:
            return default
        try:
            return fsd.parse(text)
        except ValueError:
            raise self._fail(
                f"{self._prog}: Invalid argument for option '{name}': '{text}'"
            ) from None

    def _choice(self, name: str, known: tuple[str, ...]) -> str:
        text = self.last(name)
        if text is None:
            return known[0]
        if text not in known:
            raise self._fail(f"unknown --{name}: {text}")
        return text

    def _integer(self, name: str, text: str) -> int:
        value = _strtol(text)
        if value is None:
            raise self._fail(f"{self._prog}: Option '{name}' requires an integer argument")
        return value

    def _verbosity(self) -> int:
        text = self.last("verbose")
        if text is not None:
            return self._integer("verbose", text)
        return len(self._found.get("verbose", ()))

    def finish(self) -> Options:
        """Make the checks that come after the broker was found.

        Raises:
            UsageError: an option's value, or its company, is refused.
        """
        size: int | None = None
        text = self.last("test-size")
        if text is not None:
            size = self._integer("test-size", text)
            if size <= 0:
                raise self._fail("--test-size argument must be > 0")
        else:
            for option in (*_TESTING, _BY_NAME["rundir"]):
                if option.name in self._found:
                    raise self._fail(f"--{option.name} only works with --test-size")
        if "rundir" in self._found and "test-rundir" in self._found:
            raise self._fail("--rundir and --test-rundir exclude each other")
        clique = self.last("test-pmi-clique")
        return Options(
            prog=self._prog,
            command=self.command,
            setattr=self._all("setattr"),
            config_path=self.last("config-path"),
            conf=self._all("conf"),
            recovery="recovery" in self._found,
            recovery_target=self.last("recovery"),
            sysconfig="sysconfig" in self._found,
            verbose=self.verbose,
            noexec="noexec" in self._found,
            broker_opts=self._all("broker-opts"),
            wrap=self._all("wrap"),
            wrap_ranks=self._ranks("wrap-ranks", size, ("test-size", "wrap"), {}),
            pty=self._terminals(size),
            test_size=size,
            test_hosts=self.last("test-hosts"),
            exit_timeout=self.exit_timeout,
            exit_mode=self.exit_mode,
            start_mode=self.start_mode,
            test_rundir=self.last("test-rundir"),
            test_rundir_cleanup="test-rundir-cleanup" in self._found,
            rundir=self.last("rundir"),
            pmi_clique="single" if clique is None else clique,
            # The old flux start took notice only of a single --caliper-profile.
            caliper_profile=(
                self.last("caliper-profile")
                if len(self._found.get("caliper-profile", ())) == 1
                else None
            ),
            launcher=self._launcher(),
            launcher_raw="launcher-raw" in self._found,
            pmi_tap=self._tap(),
            headless="headless" in self._found,
            broker=self.broker,
            label_io="label-io" in self._found,
            record="record" in self._found,
            record_dir=self.last("record"),
            record_limit=self._bytes("record-limit", RECORD_LIMIT),
            keep=self._count("keep", KEEP),
            summary="no-summary" not in self._found,
            tether=self._descriptor("tether"),
            version=self.version,
        )

    def _launcher(self) -> tuple[str, ...]:
        text = self.last("launcher")
        if text is None:
            for name in ("launcher-raw", "pmi-tap"):
                if name in self._found:
                    raise self._fail(f"--{name} only works with --launcher")
            return ()
        for name in ("test-size", "pty", "label-io"):
            if name in self._found:
                raise self._fail(f"--launcher and --{name} exclude each other")
        import shlex  # only who launches pays for it

        try:
            words = shlex.split(text)
        except ValueError as error:
            raise self._fail(f"--launcher: {error}") from None
        if not words:
            raise self._fail("--launcher: names no command")
        return tuple(words)

    def _tap(self) -> str:
        if "pmi-tap" not in self._found:
            return ""
        text = self.last("pmi-tap")
        if text not in (None, "bridge"):
            raise self._fail(f"unknown --pmi-tap: {text}")
        return text or "tap"

    def _bytes(self, name: str, default: int) -> int:
        text = self.last(name)
        if text is None:
            return default
        digits = text.rstrip("KMGTiB")
        unit = text[len(digits) :].removesuffix("B").removesuffix("i")
        power = " KMGT".find(unit or " ")
        if not (digits.isascii() and digits.isdigit() and power >= 0) or len(digits) > 15:
            raise self._fail(f"--{name}: '{text}' is no size such as 500MiB or 4G")
        return int(digits) << (10 * power)

    def _descriptor(self, name: str) -> int | None:
        text = self.last(name)
        value = None if text is None else self._integer(name, text)
        if value is not None and not (value > 2 and os.path.exists(f"/proc/self/fd/{value}")):
            raise self._fail(f"--{name}: {value} is not an open descriptor")
        return value

    def _count(self, name: str, default: int) -> int:
        text = self.last(name)
        value = default if text is None else self._integer(name, text)
        if value <= 0:
            raise self._fail(f"--{name} argument must be > 0")
        return value

    def _terminals(self, size: int | None) -> frozenset[int] | None:
        words = {"all": frozenset(range(size or 0)), "leader": frozenset({0})}
        return self._ranks("pty", size, ("test-size",), words)

    def _ranks(
        self,
        name: str,
        size: int | None,
        company: tuple[str, ...],
        words: Mapping[str, frozenset[int]],
    ) -> frozenset[int] | None:
        """Return the ranks that an option names; a set that could have no effect is a mistake.

        Args:
            name: the option.
            size: the number of ranks.
            company: options that it needs beside it.
            words: sets that have a name.
        """
        text = self.last(name)
        if text is None:
            return None
        for needed in company:
            if needed not in self._found:
                raise self._fail(f"--{name} only works with --{needed}")
        if text in words:
            return words[text]
        try:
            ranks = idset.decode(text)
        except ValueError as error:
            raise self._fail(f"--{name}: {error}") from None
        if not ranks or (size is not None and max(ranks) >= size):
            raise self._fail(f"--{name}: '{text}' is not a set of ranks below {size}")
        return ranks


def parse(prog: str, argv: Sequence[str]) -> Draft:
    """Parse a command line without its zeroth word.

    Raises:
        HelpRequested: `--help` was met before any mistake.
        UsageError: an option is unknown or lacks its argument, or an early check fails.
    """
    found: dict[str, list[str | None]] = {}
    words = list(argv)
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            at += 1
            break
        if not word.startswith("-") or word == "-":
            break
        at += 1
        options = _long(prog, word) if word.startswith("--") else _short(prog, word)
        for option, value in options:
            if option.name == "help":
                raise HelpRequested
            if option.arg == REQUIRED and value is None:
                if at == len(words):
                    raise UsageError(f"{prog}: '{word}' missing argument")
                value = words[at]  # noqa: PLW2901 - the argument is the next word
                at += 1
            values = found.setdefault(option.name, [])
            values.extend(_split(value) if option.split and value is not None else (value,))
    return Draft(prog, found, words[at:])


def _long(prog: str, word: str) -> Iterator[tuple[Option, str | None]]:
    name, equals, value = word[2:].partition("=")
    option = _BY_NAME.get(name)
    if option is None:
        matches = [option for option in _ABBREVIABLE if option.name.startswith(name)]
        if len(matches) != 1:
            raise _unrecognized(prog, word)
        option = matches[0]
    if equals and option.arg == NONE:
        raise _unrecognized(prog, f"-{option.key}" if option.key else word)
    yield option, value if equals else None


def _short(prog: str, word: str) -> Iterator[tuple[Option, str | None]]:
    rest = word[1:]
    while rest:
        option = _BY_KEY.get(rest[0])
        if option is None:
            raise _unrecognized(prog, f"-{rest[0]}")
        rest = rest[1:]
        if option.arg == REQUIRED or option.short_optional:
            yield option, rest or None
            return
        yield option, None


def _unrecognized(prog: str, word: str) -> UsageError:
    return UsageError(
        f"{prog}: unrecognized option '{word}'\nTry `{prog} --help' for more information."
    )


def _split(text: str) -> list[str]:
    """Cut at commas as argz_create_sep(3) does: none at the front, none doubled, one at the end."""
    parts = [part for part in text.split(",") if part]
    if text.endswith(","):
        parts.append("")
    return parts


def _strtol(text: str) -> int | None:
    """Convert as strtol(3) base 10 does a whole string that must fit a C int."""
    digits = text.lstrip(" \t\n\v\f\r")
    body = digits[1:] if digits[:1] in ("+", "-") else digits
    if not (body.isascii() and body.isdigit()) or len(body) > 4000:
        return None
    value = int(digits)
    return value if _INT_MIN <= value <= _INT_MAX else None


def usage(prog: str) -> str:
    """Return the text of `--help`, wrapped to COLUMNS (80 where it is unset)."""
    columns = _strtol(os.environ.get("COLUMNS", "")) or 80
    width = max(columns, 60) - 32
    lines = [f"Usage: {prog} [OPTIONS] command ..."]
    for title, options in (
        ("", (_HELP, *_GENERAL)),
        ("\nOptions useful for testing:", _TESTING),
        ("\nOptions of the manual page and of older versions:", _MANUAL),
        ("\nOptions of fluxstart-tui, to be spelled in full:", _OURS),
    ):
        if title:
            lines.append(title)
        for option in options:
            lines.extend(_describe(option, width))
    return "\n".join(lines) + "\n"


def _describe(option: Option, width: int) -> Iterator[str]:
    head = f"  -{option.key}, " if option.key else "      "
    head += f"--{option.name}" + (f"={option.arginfo}" if option.arg != NONE else "")
    if len(head) > 31:
        yield head
        head = ""
    for line in _wrap(option.usage, width):
        yield f"{head:<32}{line}"
        head = ""


def _wrap(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line
