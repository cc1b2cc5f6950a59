"""What of a host's hardware a launcher lets its broker see (C1)."""

from __future__ import annotations

from collections import Counter

from fluxstart_tui.diagnose.launch.finding import Finding, named
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.diagnose.launch.launch import Launch
    from fluxstart_tui.diagnose.launch.state import Rank

_MANY = 4
"""CPUs of a host of which a broker that has the host to itself is hardly meant to have just one."""


def bound(launch: Launch) -> Iterator[Finding]:
    """Yield C1 for brokers that are alone on a host of many CPUs and may use one of them.

    hwloc honors the binding that a launcher gives to its tasks, so Flux finds one core there.
    """
    greeted = {number: rank for number, rank in launch.ranks.items() if rank.hello}
    if not launch.size or len(greeted) < launch.size:
        return  # others may share its host
    tasks = Counter(rank.hello.get("host") for rank in greeted.values())
    ranks = frozenset(
        number
        for number, rank in greeted.items()
        if tasks[rank.hello.get("host")] == 1 == _cpus(rank, "cpus")
        and _cpus(rank, "online") >= _MANY
    )
    if ranks:
        one = greeted[min(ranks)]
        yield Finding(
            "C1",
            f"the launcher has bound {named(launch, ranks)} to one CPU (of rank {min(ranks)}:"
            f" {one.hello['cpus']} of {one.hello['online']}), so Flux finds no more than one core"
            " there",
            ranks,
            remedies=(
                "srun --cpu-bind=none --exclusive ...",
                "mpiexec.hydra -bind-to none ...",
                "mpirun --bind-to none ...",
            ),
            tip="HW",
            confidence="likely",
        )


def _cpus(rank: Rank, name: str) -> int:
    """Return how many CPUs a hello line lists, 0 if it does not tell."""
    try:
        return len(idset.decode(rank.hello.get(name, "")))
    except ValueError:
        return 0
