"""What the launcher itself says of a launch."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch import signs_flux
from fluxstart_tui.diagnose.launch import signs_launcher as own
from fluxstart_tui.diagnose.launch.state import Line, Stage
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.diagnose.launch.launch import Launch

OWN_HEADS = ("slurmstepd", "[proxy", "[mpiexec")
"""Launchers' own lines that are labelled too."""
_SLURM = ("srun: ", "slurmstepd")
_WHO = ("ranks", "states", "rank", "task", "forked")
_HOW = ("how", "state", "noticed", "left", "signaled")
"""Groups of signs_launcher.EXITED, of which a line has one each."""
_OWN = 200
"""The launcher's first lines, as many as are kept."""


class LauncherReader:
    """Reads what Flux has not printed into a launch."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._process: int | None = None
        self._noticed: int | None = None
        self._doubtful: list[Line] = []

    def read(self, line: Line) -> None:
        """Look at a line: the launcher's own, or the program's."""
        launch, text = self._launch, line.text
        if line.rank is not None and not text.startswith(OWN_HEADS):
            return
        up = launch.leader.stage >= Stage.RUN and line.rank is None
        if up and not (launch.labels.name or text.startswith(_SLURM)):
            self._doubt(line)
            return
        if len(launch.own) < _OWN and text.strip("-= "):
            launch.own.append(line)
        self._sign(line)
        if own.STOP.match(text):
            self._stop(line)
        launch.allocated = launch.allocated or own.ALLOCATED.match(text) is not None
        salloc = own.SALLOC.match(text)
        if salloc is not None:
            alone = salloc["nodes"] and not set(salloc["nodes"]) & set(",[")
            launch.salloc = None if alone else launch.salloc or line
        self._exits(line)

    def _doubt(self, line: Line) -> None:
        """Keep a line that is the launcher's last word, or else the program's output."""
        if own.STOP.match(line.text):
            self._doubtful.clear()
            self._stop(line)
            return
        found = own.LAUNCHER.find(line.text)
        if (self._doubtful or (found is not None and found[0].ends)) and len(self._doubtful) < _OWN:
            self._doubtful.append(line)

    def goes_on(self) -> None:
        """Take that a broker goes on: then what seemed the launcher's last word was none."""
        self._doubtful.clear()

    def end(self) -> None:
        """Take that nothing more will come."""
        for line in self._doubtful:
            self._sign(line, ends=True)
            self._exits(line)
        self._doubtful.clear()

    def _sign(self, line: Line, *, ends: bool = False) -> None:
        """Look for a signature; if need be only for those of a launcher that ends the launch."""
        launch = self._launch
        found = own.LAUNCHER.find(line.text)
        if found is None or (ends and not found[0].ends):
            return
        sign, groups = found
        told = sign.id in own.WHY and launch.stopped is not None and launch.stopped.rank is not None
        if sign.ends and launch.stopped is not None and not told:
            return
        launch.hit(sign, line, groups)
        if sign.ends and launch.over is None:
            launch.over = line

    def _stop(self, line: Line) -> None:
        if self._launch.over is None:
            self._launch.stop(line)

    def _forked(self, line: Line, number: int) -> None:
        """Take gforker's word that a signal of somebody else's has ended a rank.

        It has then sent SIGINT to the others, which looked as if it were to end.
        """
        launch = self._launch
        if launch.leader.stage >= Stage.RUN and number and launch.leader.exit is None:
            launch.over = launch.over or line
            host = launch.rank(number).host or "its host"
            launch.hit(signs_flux.EVENTS.by_id["X1"], line._replace(rank=0), (host, str(number)))

    def _exits(self, line: Line) -> None:
        process, code = own.PROCESS.match(line.text), own.CODE.match(line.text)
        if process is not None:
            self._process = int(process[1][:8])
        elif code is not None and self._process is not None:
            self._launch.exited({self._process}, f"exited with code {code[1]}", line)
        if self._noticed is not None and own.BY_SIGNAL.match(line.text):
            self._launch.exited({self._noticed}, f"ended: {line.text.rstrip('.')}", line)
        self._noticed = None
        found = own.EXITED.match(line.text)
        if found is not None and found["forked"]:
            self._forked(line, int(found["forked"]))
        if found is None or (self._launch.stopped is not None and self._launch.over is None):
            return
        text = next(found[one] for one in _WHO if found[one])
        how = next(found[one] for one in _HOW if found[one])
        if how == "exited on":
            self._noticed = int(text[:8])
            return
        try:
            ranks = idset.decode(text)
        except ValueError:
            return
        how = how.replace("Exited with exit", "exited with")
        how = how if how.startswith("exited") else f"ended: {how}"
        self._launch.exited(ranks, how, line)
