"""A launch from what was seen of its processes and heard from its brokers."""

from __future__ import annotations

import json

from fluxstart_tui.probe.ask import Answers, Record
from fluxstart_tui.probe.broker import Look
from fluxstart_tui.probe.family import Family, Task
from fluxstart_tui.probe.survey import Survey
from fluxstart_tui.report import diagnosis, launch_survey

NOW = 1_790_000_000.0
AGE = 60.0


def look(state: str = "S", waits: str = "do_epoll_wait") -> Look:
    """Return how a broker looks."""
    return Look(4000, state, "flux-broker-0", waits, "", "", "", "", "17/1024")


def answers(state: str, since: float = 30.0, size: int = 4, **more: object) -> Answers:
    """Return what a broker says that is asked."""
    return Answers("", {"size": str(size)}, state, since)._replace(**more)  # type: ignore[arg-type]


def survey(
    looks: dict[int, Look], said: dict[int, Answers], *, whole: bool, size: int = 4
) -> diagnosis.Report:
    """Return the report on a launch of which these ranks are here."""
    tasks = tuple(Task(4000 + rank, rank, rank, True, NOW - AGE) for rank in looks)
    family = Family(tasks, size, whole, "srun", ())
    seen = Survey(family, looks, said, {}, NOW, "node0")
    return diagnosis.report(launch_survey.read(seen, "4000"))


def ids(report: diagnosis.Report) -> list[str]:
    """Return the ids of the findings."""
    return [one.id for one in report.findings]


def test_ranks_on_other_hosts_are_unknown() -> None:
    """They are not said to be silent or dead, only to be waited for if rank 0 says so."""
    here = {0: look(), 1: look()}
    pmi = survey(here, {}, whole=False)
    assert ids(pmi) == ["S4"]
    assert "; ranks 2-3 are not looked at, on other hosts instead" in pmi.findings[0].sentence
    assert "2-3 on hosts that were not looked at" in " ".join(diagnosis.as_text(pmi).split())
    said = {0: answers("quorum", online="0-1"), 1: answers("quorum")}
    quorum = survey(here, said, whole=False)
    assert ids(quorum) == ["Q0"]
    assert "rank 2-3" in quorum.findings[0].sentence
    said[0] = said[0]._replace(attributes={"size": "4", "hostlist": "node[0,0,7-8]"})
    told = survey(here, said, whole=False)
    waits = "rank 0 waits for node[7-8] that nobody looks at (rank 2-3) to come online"
    assert told.findings[0].sentence == waits
    assert ids(survey(here, {0: answers("quorum", 1.0, online="0-1")}, whole=False)) == []
    assert ids(survey(here, {rank: answers("run") for rank in here}, whole=False)) == []


def test_a_rank_without_a_process() -> None:
    """Where all are to be on this host it is gone, and the others wait for it in vain."""
    pmi = survey({rank: look() for rank in (0, 1, 3)}, {}, whole=True)
    assert ids(pmi) == ["S1"]
    assert pmi.findings[0].ranks == {2}
    up = {rank: answers("run", online="0-3") for rank in (0, 1, 3)}
    assert ids(survey({rank: look() for rank in up}, up, whole=True)) == ["X1"]


def test_processes_that_vanish() -> None:
    """What has ended between two looks has no process any more; the rest is told."""
    looks = {0: look(), 1: look("", ""), 2: look(), 3: look()}
    report = survey(looks, {}, whole=True)
    assert ids(report) == ["S1"]
    assert "has no process any more" in report.findings[0].sentence
    gone = survey(dict.fromkeys(range(4), look("", "")), {}, whole=True)
    assert gone.groups == [("has no process any more (silent)", frozenset(range(4)))]


def test_singletons() -> None:
    """Tasks of which each believes to be alone are told as that."""
    said = {rank: answers("run", size=1, online="0") for rank in range(3)}
    assert ids(survey({rank: look() for rank in said}, said, whole=True, size=0)) == ["P1"]


def test_what_a_broker_has_logged_is_evidence() -> None:
    """By its records it is known what a broker has died of that has not ended."""
    text = "client (0.87.0) version mismatched with server (0.88.0)"
    log = (Record("2026-09-21T14:13:00.000000Z", 3, 1, "overlay", f"overlay.hello: {text}"),)
    said = {0: answers("quorum", online="0", children=((1, "offline", text),)),
            1: answers("shutdown", log=log)}  # fmt: skip
    report = survey({0: look(), 1: look()}, said, whole=True, size=2)
    assert ids(report)[0] == "V1"
    assert report.findings[0].ranks == {1}


def test_lines_have_no_numbers() -> None:
    """There is no log in which one could look them up."""
    report = survey({rank: look("T", "do_signal_stop") for rank in range(4)}, {}, whole=True)
    found = json.loads(diagnosis.as_json(report))["findings"]
    assert found
    assert all(line["line"] is None for one in found for line in one["evidence"])
    assert "journal" not in diagnosis.as_text(report)
