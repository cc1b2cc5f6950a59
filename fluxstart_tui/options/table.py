"""The table of options: flux start's, the manual page's, and our own."""

from __future__ import annotations

from typing import NamedTuple

NONE, REQUIRED, OPTIONAL = 0, 1, 2


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


HELP = Option("help", "Display this message.", "h")
GENERAL = (
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
TESTING = (
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
HIDDEN = (Option("killer-timeout", "(deprecated)", "", REQUIRED, "FSD"),)
MANUAL = (
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
RUNNING = (
    Option("headless", "Run without the terminal UI", exact=True),
    Option(
        "broker",
        "Run the broker at PATH, insist on Flux's, or use the one that comes with this program",
        "",
        REQUIRED,
        "PATH|flux|embedded",
        exact=True,
    ),
    Option("label-io", "Prefix each line of broker output with its rank", "l", exact=True),
    Option("wrap-ranks", "Limit --wrap to these ranks", "", REQUIRED, "IDSET", exact=True),
    Option(
        "pty",
        "In the UI or with --record: give each of these ranks a terminal of its own",
        "",
        REQUIRED,
        "all|leader|IDSET",
        exact=True,
    ),
    Option("no-summary", "Do not sum up on stderr why an instance has failed", exact=True),
)
LAUNCHING = (
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
    Option("preflight", "With --launcher: try PMI before any broker is started", exact=True),
)
RECORDING = (
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
)
REPORTING = (
    Option(
        "timeout",
        "End the instance if it takes longer, with exit code 124, and say what it hung in",
        "",
        REQUIRED,
        "FSD",
        exact=True,
    ),
    Option("progress", "Tell on stderr how far the instance has come", exact=True),
    Option("junit", "Write a JUnit report of phases and ranks", "", REQUIRED, "FILE", exact=True),
    Option(
        "report",
        "Write a report of the run, or with --show of a session, for reading or as data",
        "",
        REQUIRED,
        "FILE.html|.md|.json",
        exact=True,
    ),
    Option(
        "repeat",
        "Run the instance N times in a row, and tell how long its phases took",
        "",
        REQUIRED,
        "N",
        exact=True,
    ),
    Option("until-fail", "With --repeat: stop at the first run that fails", exact=True),
)
LOOKING = (
    Option(
        "attach",
        "Look at an instance that runs, whoever has started it, or at a session of one",
        "",
        OPTIONAL,
        "[SESSION|PID|URI|last]",
        exact=True,
    ),
    Option("replay", "Look at a session as it happened", "", REQUIRED, "SESSION", exact=True),
    Option("show", "Sum up a session, or the last one", "", OPTIONAL, "[SESSION]", exact=True),
    Option(
        "bundle",
        "With --show: pack the session for a bug report, without what looks like a credential",
        "",
        REQUIRED,
        "FILE.tar.gz",
        exact=True,
    ),
    Option("sessions", "List the recorded sessions", exact=True),
    Option(
        "compare",
        "Set two sessions side by side; in the UI: what is other than in that launch",
        "",
        REQUIRED,
        "A,B|SESSION",
        exact=True,
    ),
    Option(
        "diagnose",
        "Say what hinders a launch: of its log, - for stdin, of a session, or of what runs",
        "",
        REQUIRED,
        "FILE|-|DIR|PID|URI|slurm:JOBID",
        exact=True,
    ),
    Option(
        "json",
        "With --show, --sessions, --diagnose, --compare=A,B or --repeat: as data",
        exact=True,
    ),
    Option("markdown", "With --diagnose: to paste into an issue", exact=True),
    Option(
        "ctl",
        "Command an instance: see `--ctl=last help`",
        "",
        REQUIRED,
        "DIR|PID|URI|last",
        exact=True,
    ),
)
ABOUT = (
    Option("print-config", "Print the UI's settings and keys, as a file of them", exact=True),
    Option(
        "completion",
        "Print what completes this program's command lines in a shell",
        "",
        REQUIRED,
        "bash|zsh|fish",
        exact=True,
    ),
    Option("man", "Print this program's manual page, for `man -l -`", exact=True),
    Option("version", "Name this program's version and the broker that would be used", exact=True),
)

GROUPS = (
    ("", (HELP, *GENERAL)),
    ("Options useful for testing", TESTING),
    ("Options of the manual page and of older versions", MANUAL),
    ("Options of fluxstart-tui, from here on to be spelled in full", RUNNING),
    ("Launchers", LAUNCHING),
    ("Recording", RECORDING),
    ("For CI", REPORTING),
    ("Instead of running an instance", LOOKING),
    ("About this program", ABOUT),
)
"""What is told of, under which title."""

TABLE = (*(option for _, options in GROUPS for option in options), *HIDDEN)
BY_NAME = {option.name: option for option in TABLE}
BY_KEY = {option.key: option for option in TABLE if option.key}
ABBREVIABLE = tuple(option for option in TABLE if not option.exact)
