"""Where a log holds several launches, one after the other: where the next one begins."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch import text
from fluxstart_tui.diagnose.launch.state import Stage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.diagnose.launch.launch import Launch


def begins(launch: Launch, line: str) -> bool:
    """Tell whether a line can only be of another launch than the lines before.

    A broker looks for a PMI method and boots once, so whoever does it after its end, or again under
    the same label before it came up, belongs to a launch of its own. Once it is up, an instance
    that its program has started may print the same.

    Args:
        launch: what was read so far.
        line: the next line, with its label.
    """
    if "trying '" not in line and "boot: rank=" not in line:
        return False
    label, _, body = launch.labels.split(line)
    if launch.labels.name and label is None:
        return False
    trace, log = text.TRACE.match(body), text.LOG.match(body)
    boot = text.BOOT.match(log["text"]) if log is not None else None
    tries = trace is not None and text.TRYING.match(trace["body"]) is not None
    if label is not None and (tries or boot is not None):
        number = label
    elif boot is not None and int(boot[2]) > 1:
        number = int(boot[1])
    else:
        return False  # it does not tell whose it is
    rank = launch.ranks.get(number)
    if rank is None or rank.stage < Stage.INIT:
        return False
    over = launch.stopped is not None or launch.over is not None
    if over or rank.exit is not None or rank.stage == Stage.EXIT:
        return tries or rank.stage > Stage.INIT
    return max(rank.stage, launch.leader.stage) < Stage.RUN and rank.stage >= Stage.PUT
