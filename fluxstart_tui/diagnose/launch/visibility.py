"""What keeps a launch from being diagnosed: swallowed lines (W1, W2), other hosts."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch.finding import Finding
from fluxstart_tui.diagnose.words import PROGRAM, printable, who
from fluxstart_tui.launchers import table
from fluxstart_tui.rfc import hostlist

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fluxstart_tui.diagnose.launch.launch import Launch

_STALLS = {"S2", "S3", "S4", "Q2", "N0", "Q0"}


def hindrances(launch: Launch, found: Collection[Finding]) -> Iterator[Finding]:
    """Yield W1 and W2, which only matter if something is wrong."""
    launcher = table.recognise(launch.command)
    stalled = any(finding.id in _STALLS for finding in found)
    if stalled and "--pty" in launch.command and launcher is not None and launcher.name == "srun":
        yield Finding(
            "W1",
            "srun --pty throws away what all tasks but the first print, so the others can not be"
            " diagnosed",
            launch.everyone - {0},
            remedies=("srun --label ... flux start -o,-v sleep inf   # without --pty",),
            tip="2, 3",
        )
    asked = "FLUX_PMI_DEBUG=1" in launch.command
    if found and asked and not launch.traced and any(r.speaks for r in launch.ranks.values()):
        yield Finding(
            "W2",
            "FLUX_PMI_DEBUG was set but no task shows a PMI trace: the environment does not reach"
            " the tasks",
            launch.everyone,
            remedies=("srun ... env FLUX_PMI_DEBUG=1 flux start ...", "srun --export=ALL ..."),
            tip="5",
        )


def admitted(launch: Launch, one: Finding) -> Finding:
    """Return a finding that is no more than likely with what was not looked at."""
    ranks, hosts = unseen(launch)
    if not ranks or one.id not in _STALLS or one.confidence == "certain":
        return one
    verb = launch.say("is", "was") if len(ranks) == 1 else launch.say("are", "were")
    return one._replace(
        sentence=f"{one.sentence}; {who(ranks)} {verb} not looked at, on"
        f" {hosts or 'other hosts'} instead of {printable(launch.host, 60)}",
        remedies=(
            *one.remedies,
            f"{PROGRAM} --diagnose=PID   # on {hosts or 'those hosts'}: PID of a flux-broker there",
        ),
    )


def unseen(launch: Launch) -> tuple[frozenset[int], str]:
    """Return the ranks on hosts where nobody looks at processes, and these hosts if known."""
    if not launch.host:
        return frozenset(), ""  # a log: nobody has looked at any
    there = {
        number: rank.host
        for number, rank in launch.ranks.items()
        if rank.host not in ("", launch.host) and rank.probe is None
    }
    hosts = sorted({*there.values(), *launch.others})
    return frozenset(there) | launch.elsewhere, printable(hostlist.encode(hosts), 80)
