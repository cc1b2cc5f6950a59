"""After PMI: who keeps rank 0 from running the initial program (R2, R3, Q1, Q2, N0, N7)."""

from __future__ import annotations

import math
import re

from fluxstart_tui.diagnose.launch.finding import (
    PATIENCE,
    SETTLE,
    Finding,
    be,
    end_of,
    kept,
    last_lines,
    lines,
    looks,
    named,
    resume,
    them,
    wait,
)  # fmt: skip
from fluxstart_tui.diagnose.launch.state import WAITS, Stage
from fluxstart_tui.diagnose.words import printable, who
from fluxstart_tui.session import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.diagnose.launch.launch import Launch
    from fluxstart_tui.diagnose.launch.state import Line, Rank

_IDLE = 2 * PATIENCE
"""Seconds for which rc1 was seen to do nothing, after which it hangs."""
_SLOW = 30.0
"""Seconds that it may take where nobody can look."""

_FAST = 20
"""Reconnections without a connection: more means that they are refused at once."""

_LOOPBACK = re.compile(r"//(?:\[::ffff:|\[)?127\.|//\[::1\]|//(?:\[::ffff:)?localhost")
_VIRTUAL = re.compile(r"//(?:\[::ffff:|\[)?(?:192\.168\.122\.|172\.17\.|fe80:)")
"""Networks of libvirt and Docker, and addresses that only mean something on one link."""

_ADDRESS = re.compile(r"tcp://\[?(?:::ffff:)?([\w.:-]{1,60}?)\]?:(\d{1,5})$")

_ASK = ("flux overlay status --timeout=0", "flux overlay errors")


def stalls(launch: Launch, now: float | None) -> Iterator[Finding]:
    """Yield what keeps rank 0 in rc1 or quorum."""
    leader = launch.leader
    if launch.over is not None or launch.singletons:
        return
    quiet = launch.quiet(now)
    if leader.gone:
        return
    missing = (launch.everyone | launch.waited) - launch.at(Stage.QUORUM, Stage.CLEANUP) - {0}
    top = tree.topmost(missing, launch.parent)
    gone = frozenset(r for r in missing if r in launch.ranks and launch.ranks[r].gone)
    joined = Stage.JOIN <= leader.stage <= Stage.QUORUM
    if joined and gone and quiet >= SETTLE:
        yield _gone(launch, gone & top or gone)
    if joined and launch.frozen(0):
        yield _frozen(launch, frozenset({0}))
    elif Stage.SILENT < leader.stage < Stage.JOIN and quiet >= PATIENCE:
        if launch.at(Stage.JOIN, Stage.JOIN):  # PMI is through, for it as well
            yield _frozen(launch, frozenset({0}))
    elif leader.stage == Stage.RC1 and _hangs(launch, frozenset({0}), now):
        yield _rc1_of_leader(launch)
    decidable = quiet >= (2 * SETTLE if launch.waited else PATIENCE)
    if not decidable or leader.stage != Stage.QUORUM:
        return
    alive = missing - gone
    frozen = alive & launch.at(Stage.TRYING, Stage.FINALIZE)
    frozen |= {rank for rank in alive if launch.frozen(rank)}
    if frozen:
        yield _frozen(launch, frozen)
    rc1 = (alive & launch.at(Stage.RC1, Stage.RC1)) - frozen
    if rc1 and (launch.waited or _hangs(launch, rc1, now)):  # rank 0 says so itself
        yield _rc1_of(launch, rc1)
    joining = (alive & launch.at(Stage.JOIN, Stage.SYNC)) - frozen
    if joining & top:
        yield from _unreached(launch, joining & top, joining - top)


def _hangs(launch: Launch, ranks: frozenset[int], now: float | None) -> bool:
    """Tell whether rc1 is not just slow: looks show that it sleeps, or it is too long for all."""
    quiet = launch.quiet(now)
    if now is None or quiet == math.inf:
        return True
    those = [launch.ranks[rank] for rank in ranks]
    idle = all(one.probe is not None for one in those)
    moved = max((one.moved for one in those if one.moved is not None), default=0.0)
    return min(quiet, now - moved) >= (_IDLE if idle else _SLOW)


def _rc1_of_leader(launch: Launch) -> Finding:
    others = launch.at(Stage.JOIN, Stage.JOIN) - {0}
    rest = f"; {wait(launch, others)} for it in join" if others else ""
    return Finding(
        "R2",
        f"rc1 {_running(launch)} on {named(launch, {0})}{rest}"
        f"{launch.say('; no quorum message will come', '')}",
        frozenset({0}),
        lines([*looks(launch, {0}), launch.leader.step, *last_lines(launch, others)[:2]]),
        (
            "pstree -ap $(pgrep flux-broker-0)   # on rank 0's host: what rc1 waits for",
            "flux dmesg",
            "flux module list",
        ),
        "10",
        "likely",
    )


def _running(launch: Launch) -> str:
    return launch.say("is still running", "was still running")


def _rc1_of(launch: Launch, ranks: frozenset[int]) -> Finding:
    return Finding(
        "R3",
        f"rc1 {_running(launch)} on {named(launch, ranks)}; {wait(launch, {0})} in quorum",
        ranks,
        lines([*looks(launch, ranks), *last_lines(launch, ranks)]),
        ("pstree -ap $(pgrep -f flux-broker)   # on its host: what rc1 waits for", *_ASK),
        "10",
        "likely",
    )


def _gone(launch: Launch, ranks: frozenset[int]) -> Finding:
    first = min(ranks)
    rank = launch.ranks[first]
    others = ranks - {first}
    more = f" ({who(others)} likewise)" if others else ""
    exits = rank.exit.line if rank.exit is not None else None
    there = launch.leader.stage == Stage.QUORUM
    waits = wait(launch, {0}) if there else launch.say("rank 0 will wait", "rank 0 would wait")
    return Finding(
        "Q1",
        f"{named(launch, {first})} {be(launch, {first})} gone, it {end_of(rank)}{more};"
        f" {waits} in vain for {them(ranks)} in quorum",
        ranks,
        lines((*rank.errors[:2], rank.step, exits)),
        ("flux start -o,-Sbroker.quorum=N ...   # to do without some",),
        "8",
    )


def _frozen(launch: Launch, ranks: frozenset[int]) -> Finding:
    first = min(ranks)
    how, where = kept(launch, ranks), WAITS[launch.ranks[first].stage]
    what = f"{how}, {where}" if how else f"fell silent at the end of PMI ({where})"
    rest = launch.say("all wait", "all waited") if first == 0 else wait(launch, {0})
    place = "quorum" if launch.leader.stage == Stage.QUORUM else "join"
    return Finding(
        "Q2",
        f"{named(launch, ranks)} {what}; {rest} for {them(ranks)} in {place}",
        ranks,
        lines([*looks(launch, ranks), *last_lines(launch, ranks)]),
        resume(launch, ranks)
        or ("ps -eo pid,stat,wchan:30,args | grep [f]lux-broker   # on its host: T is stopped",),
        "8",
        "certain" if how else "likely",
    )


def _unreached(launch: Launch, ranks: frozenset[int], below: frozenset[int]) -> Iterator[Finding]:
    victims = f"; {wait(launch, below)} below {them(ranks)}" if below else ""
    parents = _parents(launch, ranks)
    above = who(parents)
    ends = [launch.ranks[rank] for rank in sorted((ranks | parents) & launch.ranks.keys())]
    uris = [uri for p in parents & launch.ranks.keys() for uri in launch.ranks[p].card_uris]
    cause, remedies = _cause(ends, uris)
    refused = [rank.refused for rank in ends if rank.refused is not None]
    if refused:
        yield Finding(
            "N5",
            f"{named(launch, ranks)} and the parent, {above}, have keys that do not fit: cards of"
            " two launches are mixed up, or certificates differ",
            ranks,
            lines(refused),
            ("flux start ...   # one instance in each PMI space, the same certificate everywhere",),
            "10",
        )
    yield Finding(
        "N0",
        f"{named(launch, ranks)} did PMI but never reached the parent, {above}{cause}{victims};"
        f" {wait(launch, {0})} in quorum",
        ranks,
        lines([*looks(launch, {0, *ranks})[:3], *last_lines(launch, ranks), *_delays(launch)]),
        (*remedies, *_ASK),
        "8, 9",
    )
    for number in sorted(parents):
        yield from _misdirected(launch, number)


def _misdirected(launch: Launch, number: int) -> Iterator[Finding]:
    """Yield N7 or N8 if a parent's card names an address that others can not reach."""
    rank = launch.ranks.get(number)
    for uri in rank.card_uris if rank is not None else ():
        loopback = _LOOPBACK.search(uri)
        if loopback or _VIRTUAL.search(uri):
            what = "a loopback address" if loopback else "in a network inside of its host"
            yield Finding(
                "N7" if loopback else "N8",
                f"{named(launch, {number})} tells the others to connect to {printable(uri, 80)},"
                f" which is {what}",
                frozenset({number}),
                lines([rank.card if rank is not None else None]),
                (
                    "flux start -o,-Stbon.interface-hint=10.0.0.0/8 ...   # the cluster's network",
                    "unset FLUX_IPADDR_HOSTNAME FLUX_IPADDR_INTERFACE",
                    "getent hosts $(hostname)   # on its host: must not be 127.*",
                ),
                "9",
            )
            return


def _delays(launch: Launch) -> list[Line | None]:
    return [hit.line for hit in launch.hits.get("Q0", ())[:1]]


def _parents(launch: Launch, ranks: frozenset[int]) -> frozenset[int]:
    parent = launch.parent
    return frozenset(above for rank in ranks if (above := parent(rank)) is not None)


def _cause(ends: list[Rank], uris: list[str]) -> tuple[str, tuple[str, ...]]:
    """Say why ranks can not connect (N2 to N4), as far as their sockets' events tell.

    Args:
        ends: both ends of the connections.
        uris: where the parents listen.
    """
    seen: dict[str, int] = {}
    for rank in ends:
        for event, count in rank.network.items():
            seen[event] = seen.get(event, 0) + count
    address = _ADDRESS.match(uris[0]) if uris else None
    host, port = (address[1], address[2]) if address is not None else ("HOST", "PORT")
    ports = f"nc -vz {host} {port}   # on its host: to the parent's address"
    if seen.get("handshake failed"):
        return " (its connections are refused)", ()
    if not seen.get("connect retried"):
        return "", ("flux start -o,-v,-Slog-stderr-level=7,-Stbon.zmqdebug=1 ...   # tells why",)
    if not seen.get("connect delayed"):
        return " (N4: no route to that network)", (
            f"ip route get {host}   # on its host",
            "flux start -o,-Stbon.interface-hint=10.0.0.0/8 ...",
        )
    if seen["connect retried"] > _FAST:
        return " (N3: connections are refused at once)", (ports,)
    return " (N2: connections are not answered: a firewall or another network)", (ports,)
