"""Signatures of what Flux, or the shell that was to start it, says of its own failure."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch.signs import Sign, Signs

_PROBE = "flux pmi -v --timeout=5s exchange   # under the same launcher, with the same options"

_RUNS = r"(?:\S*/)?(?:-?\w*sh|env|exec|timeout|nice|nohup|stdbuf|taskset|numactl|setsid|xargs)"
"""What runs a command and says so if there is none, as `sh: 1: flux: not found`."""

FATAL = Signs(
    (
        Sign("P3", r"bootstrap: plugin matching '(.*)' not found",
             "{ranks}: FLUX_PMI_CLIENT_METHODS names the PMI plugin '{0}', which is not installed;"
             " the variable replaces the default list, so nothing else is tried",
             ("unset FLUX_PMI_CLIENT_METHODS",
              'FLUX_PMI_CLIENT_METHODS="simple libpmi2 libpmi single"',
              "FLUX_PMI_CLIENT_SEARCHPATH=/path/to/flux/upmi-plugins   # where it is installed"),
             "6"),
        Sign("P4", r"bootstrap: (?:pmix: )?PMIX_SERVER_URI\S* not found in environment",
             "{ranks}: the PMI method pmix was asked for, but {launcher} offers no PMIx",
             ("srun --mpi=pmix ...", 'FLUX_PMI_CLIENT_METHODS="simple pmix single"'), "6"),
        Sign("P5", r"bootstrap: (?:libpmi: )?libpmi\.so: cannot open shared object file",
             "{ranks}: the PMI method libpmi was asked for, but the loader finds no libpmi.so"
             " (a path after libpmi: in FLUX_PMI_CLIENT_METHODS is ignored)",
             ("flux start -o,-Sbroker.boot-method=libpmi:/full/path/to/libpmi.so ...",), "6"),
        Sign("P6", r"bootstrap: (?:libpmi2: )?(\S*libpmi2\.so\S*): other PMI2 error",
             "{ranks}: {0} is not the PMI library of {launcher}",
             ("FLUX_PMI_CLIENT_METHODS=simple",), "6"),
        Sign("P7", r"bootstrap: simple: initialize: (.*)",
             "{ranks}: {launcher}'s answer to the PMI-1 handshake was not understood ({0});"
             " Hydra of MPICH 5 answers with a PMI version that Flux up to 0.88 refuses",
             ('fluxstart-tui --launcher="mpiexec.hydra -n N" --pmi-tap=bridge',
              "mpiexec.hydra --version   # 4.3 and older work", _PROBE), "5, 7"),
        Sign("P8", r"bootstrap\.iam: \S+: put \S+: (.*)|put key=\d+: (.*)",
             "{ranks}: {launcher}'s PMI refused the broker's card ({0})",
             (_PROBE, "FLUX_PMI_CLIENT_METHODS=libpmi2"), "5"),
        Sign("P9", r"bootstrap\.barrier: \S+: barrier: (.*)",
             "{ranks}: {launcher}'s PMI barrier failed ({0}); maybe another rank failed before",
             (_PROBE,), "5"),
        Sign("P10", r"bootstrap\.whois: error fetching bizcard for rank (\d+): (.*)",
             "{ranks}: the card of rank {0} can not be read from {launcher}'s key-value space"
             " ({1}); the ranks do not share one, or it cuts values",
             ("unset FLUX_PMI_CLIENT_METHODS   # the launcher's own method", _PROBE), "5, 6"),
        Sign("F3", r"stdin is not a tty - can't run interactive shell",
             "{ranks}: no initial program was given and stdin is not a terminal, so no shell"
             " can run",
             ("flux start ... sleep inf   # any initial program", "srun --pty ... flux start ..."),
             "2"),
        Sign("F4", r"rundir length of (\d+) bytes exceeds max (\d+)",
             "{ranks}: the run directory's path has {0} bytes, more than the {1} that leave room"
             " for a socket's name",
             ("TMPDIR=/tmp",)),
        Sign("F5", r"(rundir cannot create directory in .*|rundir \S+ is not owned by .*"
             r"|\S+ is not owned by instance owner.*|.*does not have owner=rwx permissions.*)",
             "{ranks}: the run directory can not be used: {0}",
             ("TMPDIR=/tmp   # or another directory that every node has",)),
        Sign("F6", r"(?:.*)(Too many open files|could not create .* flux handle watcher"
             r"|Failed to increase nofile limit)",
             "{ranks}: too few file descriptors are allowed ({0})",
             ("ulimit -Hn   # on that host: the hard limit has to be raised",)),
        Sign("F7", r"Error parsing (\S+) attribute",
             "{ranks}: the broker does not accept the value of its attribute {0}",
             ("man 7 flux-broker-attributes",)),
        Sign("N1", r"(could not find address associated with \S+"
             r"|getaddrinfo \S+: (?:Name or service not known|Temporary failure in name resolution"
             r"|.*))",
             "{ranks}: no network address for the broker: {0}",
             ("ip -br addr   # on that host", "unset FLUX_IPADDR_INTERFACE FLUX_IPADDR_HOSTNAME",
              "flux start -o,-Stbon.interface-hint=10.0.0.0/8 ..."), "9"),
        Sign("R1", r"rc1\.0: (.*) (?:Exited|[A-Z].*) \(rc=([1-9]\d*)\)",
             "{ranks}: rc1 failed: {0} ended with {1}",
             ("flux start ... true   # on that host alone shows what rc1 prints",
              "flux start -o,-v,-Slog-stderr-level=7 ..."), "10"),
        Sign("V1", r"(?:overlay\.hello: )?client \((\S+?)\) version mismatched with server"
             r" \((\S+?)\)",
             "{ranks}: its flux-core is {0}, its parent's is {1}",
             ("flux version   # on every host: MAJOR.MINOR has to be the same",
              "/full/path/to/flux start ..."), "8"),
    )
)  # fmt: skip
"""Log lines of a broker that fails by what they say."""

EVENTS = Signs(
    (
        Sign("I2", r"rc2\.0: (.*?) (error launching process: .*|Exited|[A-Z][\w ()]*)"
             r" \(rc=([1-9]\d*)\)",
             "the initial program failed: {0}: {1} (rc={2})",
             ("flux start ... sh   # and run the program there by hand",), "2"),
        Sign("N6", r"rejecting connection from (\S+) \(rank (\d+)\): .*mismatched config",
             "rank {1} ({0}) was refused: its configuration differs",
             ("flux config get   # on both hosts",), "8"),
        Sign("X3", r"broker module '(.*)' was not properly shut down",
             ""),
        Sign("X1", r"dead to Flux: (\S+) \(rank (\S+)\)|(\S+) \(rank (\d+)\) (?:failed|lost)",
             "rank {1} ({0}) was lost while the instance ran",
             ("flux overlay status",)),
        Sign("X2", r"rc3\.0: .* Hangup \(rc=129\)",
             "{ranks}: SIGHUP in rc3: several brokers of one node share a process group and the"
             " first that ends hangs up the others; the program's result is not affected",
             ("srun --ntasks-per-node=1 ...",)),
        Sign("Q0", r"quorum delayed: waiting for (\S+) \(ranks? (\S+)\)",
             "rank 0 waits for {0} (rank {1}) to come online", ("flux overlay status",), "8"),
    )
)  # fmt: skip
"""Log lines that tell what has happened without the broker having failed."""

SHELL = Signs(
    (
        Sign("F1", rf"(?:{_RUNS}:(?: .*[ /])?|.*(?:exec|: line \d+): (?:\S*/)?)['`]?(flux)\b"
             r".*(?:not found|No such file)"
             rf"|{_RUNS}: .*['` /](flux)\b.*: No such file"
             r"|.*: command not found: (flux)$|(flux): (?:command )?not found",
             "{ranks}: flux was not found there",
             ("command -v flux   # on that host", "srun --export=ALL ...",
              "/full/path/to/flux start ..."), "3"),
        Sign("F2", r"flux-broker: (?:unrecognized|invalid) option -*.(\S+?)'?$",
             "{ranks}: the broker does not know the option {0}",
             ("flux broker --help",)),
        Sign("F6", r".*(Too many open files|cannot open shared object file: Error 24)",
             "{ranks}: too few file descriptors are allowed ({0})",
             ("ulimit -Hn   # on that host: the hard limit has to be raised",)),
    )
)  # fmt: skip
"""Plain lines of a task of which Flux has said nothing yet."""
