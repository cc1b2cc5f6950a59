"""What the launcher itself says of a launch."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch import signs_launcher as own
from fluxstart_tui.diagnose.launch.state import Line, Stage
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.diagnose.launch.launch import Launch

OWN_HEADS = ("slurmstepd", "[proxy", "[mpiexec")
"""Launchers' own lines that are labelled too."""
_OWN = 200
"""The launcher's first lines, as many as are kept."""


class LauncherReader:
    """Reads what Flux has not printed into a launch."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._process: int | None = None

    def read(self, line: Line) -> None:
        """Look at a line: the launcher's own, or the program's."""
        launch, text = self._launch, line.text
        if line.rank is not None and not text.startswith(OWN_HEADS):
            return
        up = launch.leader.stage >= Stage.RUN and line.rank is None
        if up and not text.startswith("srun: "):
            if own.STOP.match(text):
                self._stop(line)
            return  # what the program prints
        if len(launch.own) < _OWN and text.strip("-= "):
            launch.own.append(line)
        found = own.LAUNCHER.find(text)
        if found is not None and not (found[0].ends and launch.stopped):
            sign, groups = found
            launch.hit(sign, line, groups)
            if sign.ends and launch.over is None:
                launch.over = line
        if own.STOP.match(text):
            self._stop(line)
        launch.allocated = launch.allocated or own.ALLOCATED.match(text) is not None
        salloc = own.SALLOC.match(text)
        if salloc is not None:
            alone = salloc["nodes"] and not set(salloc["nodes"]) & set(",[")
            launch.salloc = None if alone else launch.salloc or line
        self._exits(line)

    def _stop(self, line: Line) -> None:
        if self._launch.over is None:
            self._launch.stop(line)

    def _exits(self, line: Line) -> None:
        process, code = own.PROCESS.match(line.text), own.CODE.match(line.text)
        if process is not None:
            self._process = int(process[1][:8])
        elif code is not None and self._process is not None:
            self._launch.exited({self._process}, f"exited with code {code[1]}", line)
        found = own.EXITED.match(line.text)
        if found is None or self._launch.stopped is not None:
            return
        text = found["ranks"] or found["states"] or found["rank"]
        how = found["how"] or found["state"] or found["noticed"] or ""
        try:
            ranks = idset.decode(text)
        except ValueError:
            return
        how = how.replace("Exited with exit", "exited with")
        how = how if how.startswith("exited") else f"ended: {how}"
        self._launch.exited(ranks, how, line)
