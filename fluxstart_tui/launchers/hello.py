"""The hello line: what each task says of itself before it becomes a broker.

It shows that a rank was started at all, where, and with what: PMI, limits, CPUs, TMPDIR. It is told
by a POSIX shell that becomes the command, so nothing has to be installed on the far side and the
pid stays; PATH may be empty there.
"""

from __future__ import annotations

BEGINNING = "fluxstart-tui: hello "

_FIELDS = (
    ("rank", "$r"),
    ("host", "$(uname -n)"),
    ("pid", "$$"),
    ("pgid", "$(cut -d' ' -f5 /proc/self/stat)"),
    ("flux", '$(command -v "$1" || echo MISSING)'),
    ("ver", """$("$1" -V | sed -n 's/^commands:[[:space:]]*//p')"""),
    ("pmi_fd", "${PMI_FD:--}"),
    ("pmi_port", "${PMI_PORT:--}"),
    ("pmi_size", "${PMI_SIZE:--}"),
    ("pmix", "$(env | grep -c '^PMIX_SERVER_URI')"),
    ("slurm_procid", "${SLURM_PROCID:--}"),
    ("nofile", "$(ulimit -Sn)/$(ulimit -Hn)"),
    ("cpus", "$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)"),
    ("online", "$(cat /sys/devices/system/cpu/online)"),
    ("tmpdir", "${TMPDIR:--}"),
    ("tty", "$(test -t 0 && echo y || echo n)"),
    ("route", """$(awk '$2=="00000000"{print $1;exit}' /proc/net/route)"""),
)
"""Names, and what a shell makes of them; a rank's variables are put before."""


def _first_set(names: list[str]) -> str:
    """Return a shell expression for the first of these variables that is set."""
    return f"${{{names[0]}:-{_first_set(names[1:])}}}" if names else "?"


RANK_VARIABLES = (
    "PMI_RANK", "PMI_ID", "PMIX_RANK", "PALS_RANKID", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK",
    "FLUX_TASK_RANK",
)  # fmt: skip
"""What tells a task its rank, under some launcher or other."""


def words(exported: dict[str, str]) -> list[str]:
    """Return the words to put before a command.

    Args:
        exported: variables that the command is to have, whatever the launcher does to its
            environment; their values are words that a shell leaves alone.
    """
    export = "".join(f"export {name}={value}; " for name, value in exported.items())
    form = " ".join(f"{name}=%s" for name, _ in _FIELDS)
    values = " ".join(f'"{value}"' for _, value in _FIELDS)
    script = (
        f"{export}r={_first_set(list(RANK_VARIABLES))}; "
        # What is missing on the far side is not to be complained of; 9 is nobody's descriptor.
        f"{{ printf '{BEGINNING}{form}\\n' {values} >&9; }} 9>&2 2>/dev/null; "
        'exec "$@"'
    )
    return ["/bin/sh", "-c", script, "sh"]
