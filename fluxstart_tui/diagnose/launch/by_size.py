"""Findings on the size of the instance: singletons, and flux start without a launcher."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch.finding import SETTLE, Finding, lines
from fluxstart_tui.diagnose.words import ids, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.diagnose.launch.launch import Launch
    from fluxstart_tui.diagnose.launch.state import Rank


def singletons(launch: Launch, now: float | None) -> Iterator[Finding]:
    """Yield P1: every task is an instance of its own, and P2: there is only one task."""
    alone = launch.singletons
    if len(alone) < launch.asked and launch.quiet(now) < SETTLE:
        return  # the others will tell in a moment
    if alone:
        rank = launch.ranks[min(alone)]
        why, remedies = _reason(launch, rank)
        yield Finding(
            "P1",
            f"{launch.tasks} tasks came up as instances of size 1 that know nothing of each other"
            f" (seen of {ids(alone)}): {why}",
            alone,
            lines(launch.ranks[number].sized for number in sorted(alone)),
            remedies,
            "SG, 6",
        )
    elif launch.size == 1 and (launch.asked > 1 or (launch.salloc and not launch.asked)):
        yield Finding(
            "P2",
            "flux start ran once, as an instance of size 1: no parallel launcher is before it",
            frozenset({0}),
            lines((launch.salloc, launch.leader.sized)),
            ("srun --mpi=pmi2 flux start ...",),
            "SG",
            "certain" if launch.salloc is not None else "likely",
        )


def _reason(launch: Launch, rank: Rank) -> tuple[str, tuple[str, ...]]:
    """Say why no PMI was found, and what to change."""
    refused = "; ".join(printable(text, 90) for text in rank.rejected[:3])
    tail = f" ({refused})" if refused else ""
    plugin = "with the flux-pmix plugin installed"
    pmix = (f'FLUX_PMI_CLIENT_METHODS="simple pmix single"   # {plugin}',)
    if rank.methods[:1] == ["single"]:
        return "FLUX_PMI_CLIENT_METHODS asks for it", ("unset FLUX_PMI_CLIENT_METHODS",)
    if rank.hello.get("pmi_port", "-") != "-":
        return f"the launcher offers PMI_PORT only{tail}", ("mpiexec.hydra ...   # no -pmi-port",)
    if rank.hello.get("pmix", "0") not in ("0", "") or launch.labels.name == "tag":
        return f"the launcher offers PMIx only, which needs the flux-pmix plugin{tail}", pmix
    slurm = ("srun --mpi=pmi2 ...", "srun --mpi=list")
    asked = rank.hello.get("slurm_procid", "-") != "-"  # srun was, for something else than PMIx
    return f"the launcher offers no PMI that Flux knows{tail}", slurm if asked else (*slurm, *pmix)
