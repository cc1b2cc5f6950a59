"""What keeps a launch from being diagnosed: options that swallow the lines (W1, W2)."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch.finding import Finding
from fluxstart_tui.launchers import table

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
