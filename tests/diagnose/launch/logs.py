"""Makes logs of launches as Flux and launchers print them."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch.launch import Launch
from fluxstart_tui.diagnose.launch.rules import diagnose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fluxstart_tui.diagnose.launch.finding import Finding


def boot(rank: int, size: int, prefix: str = "bootstrap") -> list[str]:
    """Return the lines of a rank until it knows its size."""
    return [
        f"{prefix}: flux-pmi-client: trying 'simple'",
        f"{prefix}: simple: selected",
        f"{prefix}: simple: initialize: rank={rank} size={size} name=1.0: success",
        f"<6>broker.info[node{rank}]: boot: rank={rank} size={size}",
    ]


def put(rank: int, size: int, uri: str = "", prefix: str = "bootstrap") -> list[str]:
    """Return the lines of a rank until it waits in the first barrier."""
    uris = f'"{uri}"' if uri else ""
    card = f'{{"host":"node{rank}","uri":[{uris}],"pubkey":"k"}}'
    return [*boot(rank, size, prefix), f"{prefix}: simple: put key={rank} value={card}: success"]


def join(rank: int, size: int, parent: int = 0, uri: str = "") -> list[str]:
    """Return the lines of a rank until it has done PMI."""
    get = f'bootstrap: simple: get key={parent} value={{"host":"x","uri":[]}}: success'
    barrier = "bootstrap: simple: barrier: success"
    return [
        *put(rank, size, uri),
        barrier,
        get,
        barrier,
        "bootstrap: simple: finalize: success",
        f"<6>broker.info[{rank}]: builtins-success: load-builtins->join 1ms",
    ]


def steps(rank: int, *events: str) -> list[str]:
    """Return log lines of state changes, each given as `event: former->state`."""
    return [f"<6>broker.info[{rank}]: {event} 1ms" for event in events]


def quorum(rank: int, size: int, uri: str = "") -> list[str]:
    """Return the lines of rank 0, or another, until it waits for the quorum."""
    parent = "parent-none: join->config-sync" if rank == 0 else "parent-ready: join->config-sync"
    return [
        *join(rank, size, uri=uri),
        *steps(rank, parent, "sync-none: config-sync->init", "rc1-success: init->quorum"),
    ]


def labelled(rank: int, lines: Iterable[str]) -> list[str]:
    """Return lines as srun labels them."""
    return [f"{rank}: {line}" for line in lines]


def launch(*parts: Iterable[str], ended: bool = True) -> Launch:
    """Read lines without times."""
    made = Launch()
    for lines in parts:
        for line in lines:
            made.feed(line)
    if ended:
        made.end()
    return made


def findings(*parts: Iterable[str]) -> dict[str, Finding]:
    """Return what is found in lines, by id."""
    return {one.id: one for one in diagnose(launch(*parts))}
