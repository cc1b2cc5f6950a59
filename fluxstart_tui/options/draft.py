"""The checks that flux start makes of a parsed command line, in its order."""

from __future__ import annotations

import math

from fluxstart_tui.options.checked import DEFAULT_EXIT_TIMEOUT, KEEP, RECORD_LIMIT, Options
from fluxstart_tui.options.errors import UsageError
from fluxstart_tui.options.numbers import c_int
from fluxstart_tui.options.table import BY_NAME, TESTING
from fluxstart_tui.rfc import fsd, idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

TOLD = ("record", "repeat", "timeout", "junit", "report", "progress")
"""Options that need to know what happens: with any of them a session is recorded."""


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
        value = c_int(text)
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
            for option in (*TESTING, BY_NAME["rundir"]):
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
            preflight="preflight" in self._found,
            headless="headless" in self._found,
            broker=self.broker,
            label_io="label-io" in self._found,
            record=any(name in self._found for name in TOLD),
            record_dir=self.last("record"),
            record_limit=self._bytes("record-limit", RECORD_LIMIT),
            keep=self._count("keep", KEEP),
            summary="no-summary" not in self._found,
            timeout=self._limit(),
            junit=self.last("junit"),
            report=self.last("report"),
            progress="progress" in self._found,
            repeat=self._repeat(),
            until_fail="until-fail" in self._found,
            version=self.version,
        )

    def _repeat(self) -> int:
        if "repeat" not in self._found:
            if "until-fail" in self._found:
                raise self._fail("--until-fail only works with --repeat")
            return 0
        for name in ("junit", "report", "compare"):
            if name in self._found:
                raise self._fail(f"--repeat and --{name} exclude each other")
        return self._count("repeat", 1)

    def _limit(self) -> float:
        limit = self._duration("timeout", math.inf)
        if not limit:
            raise self._fail("--timeout argument must be > 0")
        return limit

    def _launcher(self) -> tuple[str, ...]:
        text = self.last("launcher")
        if text is None:
            for name in ("launcher-raw", "pmi-tap", "preflight"):
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
