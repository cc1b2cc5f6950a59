"""What the lines of brokers, of a PMI server and of the hello script say of their ranks."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch import signs_flux, text
from fluxstart_tui.diagnose.launch.state import KEPT, STATES, Line, Rank, Stage
from fluxstart_tui.session.state import RANK_MAX, ranks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from fluxstart_tui.diagnose.launch.launch import Launch

_FAILS = ("builtins-fail", "sync-fail", "rc1-fail", "quorum-fail", "parent-fail", "panic")
_CALM = ("debug", "info")
_SERVED = {
    "response_to_init": Stage.CHOSEN,
    "put_result": Stage.PUT,
    "finalize_ack": Stage.FINALIZE,
}


class Reader:
    """Reads the lines of tasks into a launch."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._speaker: int | None = None  # of lines that do not tell their rank
        self._heard: set[int] = set()
        self._headed = False  # whether log lines have a level or a date before the module

    def read(self, rank: int | None, line: str, t: float | None) -> bool:
        """Take a line; False if it is none of Flux's."""
        if line.startswith(text.HEADS):
            self._trace(rank, line, t)
            return True
        if line.startswith("<7>"):
            self._launch.detailed = True
            if "sockevent " not in line:
                return True
        log = text.LOG.match(line)
        if log is not None and self._is_headed(log):
            self._log(rank, line, log, t)
            return True
        if "cmd=" in line[:24] and (served := text.SERVED.match(line)):
            self._serve(line, served, t)
            return True
        if line.startswith("fluxstart-tui: hello "):
            self._hello(rank, line, t)
            return True
        return False

    def _is_headed(self, log: re.Match[str]) -> bool:
        """Tell whether a log line begins as those before it: programs print what looks like one."""
        self._headed = self._headed or log["head"] is not None
        return log["head"] is not None or not self._headed

    def shell(self, line: Line) -> None:
        """Look at a line of a task of which Flux has said nothing yet."""
        found = signs_flux.SHELL.find(line.text)
        if found is not None:
            self._launch.hit(found[0], line, found[1])

    def _line(self, number: int, line: str, t: float | None) -> tuple[Rank, Line]:
        return self._launch.rank(number), Line(self._launch.lines, t, number, line)

    # -- the PMI trace -------------------------------------------------------------------------

    def _trace(self, label: int | None, line: str, t: float | None) -> None:
        found = text.TRACE.match(line) or text.OLD_TRACE.match(line)
        if found is None:
            return
        self._launch.traced = True
        method, body = found["method"] or "", found["body"]
        number = label
        if number is None:
            number = self._unlabelled(body)
            if number is None:
                return
        rank, where = self._line(number, line, t)
        if trying := text.TRYING.match(body):
            rank.trying = trying[1]
            if len(rank.methods) < KEPT * 2:
                rank.methods.append(trying[1])
            self._launch.reach(rank, Stage.TRYING, where)
        elif body == "selected" or body.startswith("using "):
            rank.trying = ""
            self._launch.reach(rank, Stage.CHOSEN, where)
        elif initialized := text.INITIALIZED.match(body):
            rank.trying = ""
            self._sized(number, rank, where, initialized)
            self._launch.space = self._launch.space or initialized[3][:200]
            self._launch.reach(rank, Stage.INIT, where)
        elif put := text.PUT.match(body):
            uris = text.URI.findall(put[2])
            rank.card, rank.card_uris = where, tuple(uris[:KEPT])
            host = text.HOST.search(put[2])
            rank.host = host[1] if host else rank.host
            self._launch.reach(rank, Stage.PUT, where)
        elif body == "barrier: success":
            second = rank.stage >= Stage.BARRIER1
            self._launch.reach(rank, Stage.BARRIER2 if second else Stage.BARRIER1, where)
        elif body == "finalize: success":
            self._launch.reach(rank, Stage.FINALIZE, where)
        elif rank.stage == Stage.BARRIER1 and (get := text.GET.match(body)):
            # Between the barriers a rank reads its parent's card, and its children's.
            if rank.parent is None and int(get[1]) < number:
                rank.parent = int(get[1])
        elif body.startswith(("get key=", "barrier: ", "finalize: ", "initialize: ", "put key=")):
            return  # the broker logs what of it matters
        elif rank.stage <= Stage.CHOSEN:
            rank.trying = ""
            if method != "config" and len(rank.rejected) < KEPT:
                rank.rejected.append(f"{method}: {body}"[:200])

    def _unlabelled(self, body: str) -> int | None:
        """Guess whose trace it is if lines have no label: one that tells, or the only speaker."""
        told = text.INITIALIZED.match(body) or text.PUT.match(body)
        if told is not None:
            self._speaker = min(int(told[1]), RANK_MAX - 1)
            self._heard.add(self._speaker)
        elif len(self._heard) > 1:
            return None
        return self._speaker if self._speaker is not None else 0

    def _sized(self, number: int, rank: Rank, line: Line, told: re.Match[str]) -> None:
        instance, size = int(told[1]), int(told[2])
        if rank.stage >= Stage.RUN and rank.boot_size and (size > 1 or self._launch.labels.name):
            return  # an instance that its program has started
        if size == 1 and rank.stage < Stage.CLEANUP:
            self._launch.alone[told.re is text.BOOT] += 1
        rank.boot_size, rank.sized = size, line
        if size <= RANK_MAX and not (size == 1 and number != instance):
            self._launch.size = max(self._launch.size, size)

    # -- log lines -------------------------------------------------------------------------------

    def _log(self, label: int | None, line: str, log: re.Match[str], t: float | None) -> None:
        module, severity, who, said = log.group("module", "severity", "who", "text")
        if severity in _CALM and module != "broker" and "sockevent " not in said:
            return
        told = int(who) if who.isascii() and who.isdigit() and len(who) < 8 else None
        boot = text.BOOT.match(said)
        # The leader prints its followers' lines too; under another label it is a singleton's own.
        if label is None or (label == 0 and told is not None):
            number = told if told is not None else int(boot[1]) if boot else self._speaker or 0
        else:
            number = label
        if number >= RANK_MAX:
            return
        self._launch.dated = self._launch.dated or line[0] not in "<" + module[0]
        rank, where = self._line(number, line, t)
        if boot is not None:
            if label is None:
                self._speaker = number
                self._heard.add(number)
            self._sized(number, rank, where, boot)
            rank.host = rank.host or who[:255]
            self._launch.reach(rank, Stage.BOOT, where)
            return
        step = text.STEP.match(said) if module == "broker" else None
        if step is not None:
            self._step(rank, where, step[1], step[3])
        elif "sockevent " in said:
            self._socket(rank, where, said)
        elif module == "broker" and said.startswith("signal "):
            if said[7:] in ("2", "15") and self._launch.stopped is None:
                self._launch.stopped = where
        else:
            self._said(rank, where, said, severe=severity in text.SEVERE)

    def _step(self, rank: Rank, line: Line, event: str, state: str) -> None:
        launch = self._launch
        launch.launcher_lines.goes_on()
        if launch.stopped is not None:
            rank.ended = rank.ended or ("exited" if state == "exit" else "")
            return
        if event in _FAILS and not rank.failed:
            rank.failed = event
        stage = STATES.get(state)
        if stage is not None:
            launch.reach(rank, stage, line)

    def _socket(self, rank: Rank, line: Line, said: str) -> None:
        event = text.SOCKET.match(said)
        if event is not None and self._launch.stopped is None:
            rank.network[event[1]] = rank.network.get(event[1], 0) + 1
            if event[1] == "handshake failed" and rank.refused is None:
                rank.refused = line

    def _said(self, rank: Rank, line: Line, said: str, *, severe: bool) -> None:
        """Look at what else a log line says."""
        launch = self._launch
        rank_0 = line.rank == 0
        if rank_0 and said.startswith("rc2.0: ") and "(rc=" in said:
            launch.launcher_lines.goes_on()
            if launch.stopped is None:
                launch.program_ended = line
        if said.startswith("cleanup.") and launch.stopped is None:
            launch.progress = line.t
        if said.startswith("rc1.0: ") and "(rc=" not in said and len(rank.stderr) < KEPT:
            rank.stderr.append(line)
        if launch.stopped is not None:
            return
        if rank_0 and said.startswith("quorum reached"):
            launch.waited = frozenset()
        event = signs_flux.EVENTS.find(said)
        if event is not None and launch.over is not None:
            return  # the launcher has ended it, and that is what came of it
        if event is not None:
            launch.hit(event[0], line, event[1])
            if event[0].id == "Q0":
                launch.waited = ranks_of(event[1][1])
                launch.reach(rank, Stage.QUORUM, line)
            return
        if not severe or rank.stage >= Stage.RUN:
            return  # nothing has kept it from running
        found = signs_flux.FATAL.find(said)
        if found is not None:
            launch.hit(found[0], line, found[1])
        elif text.BENIGN.match(said):
            launch.benign += 1
            if said == "module exiting abnormally" and rank.stage < Stage.JOIN:
                rank.abnormal = line
            return
        elif rank.stage >= Stage.JOIN:
            return
        if len(rank.errors) < KEPT:
            rank.errors.append(line)

    # -- what surrounds the broker -----------------------------------------------------------------

    def _serve(self, line: str, served: re.Match[str], t: float | None) -> None:
        """Take a line of flux start's own PMI server (--verbose=2)."""
        launch = self._launch
        number = int(served["rank"])
        if number >= RANK_MAX:
            return
        launch.served = True
        rank, where = self._line(number, line, t)
        cmd, ok = served["cmd"], "rc=0" in served["rest"]
        if cmd == "barrier_in" and served["side"] == "C":
            rank.barriers_in += 1
        elif cmd == "barrier_out" and ok:
            second = rank.barriers_in >= 2
            launch.reach(rank, Stage.BARRIER2 if second else Stage.BARRIER1, where)
        elif cmd in _SERVED and ok and served["side"] == "S":
            launch.reach(rank, _SERVED[cmd], where)

    def _hello(self, label: int | None, line: str, t: float | None) -> None:
        words = text.hello(line.partition("hello ")[2])
        told = words.get("rank", "")
        number = label if label is not None else int(told) if told.isdecimal() else None
        if number is None or number >= RANK_MAX:
            return
        rank, _ = self._line(number, line, t)
        rank.hello = words
        rank.host = words.get("host", rank.host)[:255]
