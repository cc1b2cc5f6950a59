"""All findings on a launch, the earliest cause first and then who waits for it."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch import (
    by_sign,
    by_size,
    ends,
    quorum,
    remedies,
    visibility,
    waits,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.diagnose.launch.finding import Finding
    from fluxstart_tui.diagnose.launch.launch import Launch


def diagnose(launch: Launch, now: float | None = None) -> list[Finding]:
    """Return what is wrong with a launch, while it goes on or afterwards.

    Args:
        launch: what has been read of it.
        now: seconds since the launch; a launch that has ended or was stopped needs none.
    """
    found = [
        *by_sign.launcher(launch, now),
        *by_sign.brokers(launch),
        *by_size.singletons(launch, now),
        *waits.stalls(launch, now),
        *quorum.stalls(launch, now),
        *by_sign.events(launch),
        *ends.program(launch),
        *ends.shutdown(launch, now),
    ]
    found += ends.frozen(launch, found)
    found += visibility.hindrances(launch, found)
    name = remedies.launcher(launch)
    return [
        one._replace(remedies=remedies.fitting(one.remedies, name, launch.command)) for one in found
    ]
