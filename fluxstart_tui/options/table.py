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
OURS = (
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
    Option("preflight", "With --launcher: try PMI before any broker is started", exact=True),
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
    Option(
        "compare",
        "In the UI: show what is other than in an earlier launch, that of session DIR",
        "",
        REQUIRED,
        "DIR",
        exact=True,
    ),
    Option("replay", "Look at the session in DIR as it happened", "", REQUIRED, "DIR", exact=True),
    Option(
        "attach",
        "Look at an instance that runs, whoever has started it, or at a session of one",
        "",
        OPTIONAL,
        "[PID|URI|DIR|last]",
        exact=True,
    ),
    Option("show", "Sum up the session in DIR, or the last one", "", OPTIONAL, "[DIR]", exact=True),
    Option("print-config", "Print the UI's settings and keys, as a file of them", exact=True),
    Option("sessions", "List the recorded sessions", exact=True),
    Option(
        "diagnose",
        "Say what hinders a launch: of its log, - for stdin, of a session, or of what runs",
        "",
        REQUIRED,
        "FILE|-|DIR|PID|URI|slurm:JOBID",
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

TABLE = (HELP, *GENERAL, *TESTING, *HIDDEN, *MANUAL, *OURS)
BY_NAME = {option.name: option for option in TABLE}
BY_KEY = {option.key: option for option in TABLE if option.key}
ABBREVIABLE = tuple(option for option in TABLE if not option.exact)
