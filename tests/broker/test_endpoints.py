"""Where brokers listen and connect, and who is whose neighbour."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.broker.attrs import Attributes
from fluxstart_tui.broker.endpoints import Cliques, connect, listen, to_bind, to_connect
from fluxstart_tui.broker.errors import BuiltinsError, StartError
from fluxstart_tui.broker.topology import Topology, configure
from tests.broker.instance import Broker
from tests.support import script

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("mapping", "together"),
    [
        ("(vector,(0,1,4))", [0, 1, 2, 3]),
        ("(vector,(0,4,1))", [0]),
        ("(vector,(0,2,1),(0,2,1))", [0, 2]),
        ("[[0,1,2,1]]", [0, 1]),
        ("", []),
        (None, []),
    ],
)
def test_a_mapping_tells_who_shares_a_host(mapping: str | None, together: list[int]) -> None:
    cliques = Cliques(mapping, 4)
    assert [rank for rank in range(4) if cliques.share(0, rank)] == together


def test_a_broken_mapping_is_an_error() -> None:
    with pytest.raises(StartError, match=r"^bootstrap: PMI_process_mapping: "):
        Cliques("(vector,(0,x,1))", 2)


def test_unix_sockets_serve_those_who_are_near_and_tcp_the_others() -> None:
    cliques = Cliques("0-1;2", 3)
    tcp, ipc = "tcp://127.0.0.1:*", "ipc:///x"
    for children, prefer_tcp, uris in (
        ([1], False, [ipc]),
        ([2], False, [tcp]),
        ([1, 2], False, [tcp, ipc]),
        ([1, 2], True, [tcp]),
    ):
        assert to_bind(cliques, 0, children, "/x", prefer_tcp=prefer_tcp) == uris
    both = ["tcp://[::ffff:127.0.0.1]:1", ipc]
    assert to_connect(both, "box (rank 0)", prefer_ipc=True) == ipc
    assert to_connect(both, "box (rank 0)", prefer_ipc=False) == both[0]


@pytest.mark.parametrize(
    "uri",
    ["tcp://[::ffff:10.0.0.1]:5", "tcp://far:5", "udp://127.0.0.1:5", "tcp://127.0.0.1:65536",
     "tcp://127.0.0.1:²", f"tcp://127.0.0.1:{'9' * 5000}"],
)  # fmt: skip
def test_other_hosts_are_out_of_reach(uri: str) -> None:
    with pytest.raises(BuiltinsError) as caught:
        to_connect([uri], "box (rank 0)", prefer_ipc=True)
    assert str(caught.value) == (
        f"box (rank 0) is at {uri}: the embedded broker does not connect to other hosts"
    )
    with pytest.raises(BuiltinsError, match="has no URI on its business card"):
        to_connect([], "box (rank 0)", prefer_ipc=True)


def test_tcp_never_leaves_loopback() -> None:
    listener, uri = listen("tcp://0.0.0.0:*", 1)
    try:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert re.fullmatch(r"tcp://\[::ffff:127\.0\.0\.1\]:\d+", uri)
        connect(uri).close()
        with pytest.raises(BuiltinsError, match="Address already in use"):
            listen(f"tcp://127.0.0.1:{listener.getsockname()[1]}", 1)
    finally:
        listener.close()


@pytest.mark.parametrize(
    ("uri", "parents"),
    [
        ("kary:1", [0, 1, 2, 3, 4, 5, 6]),
        ("kary:2", [0, 0, 1, 1, 2, 2, 3]),
        ("kary:0", [0] * 7),
        ("binomial", [0, 0, 2, 0, 4, 4, 6]),
        ("mincrit", [0] * 7),
        ("mincrit:2", [0, 0, 1, 2, 1, 2, 1]),
        ("custom", [0] * 7),
    ],
)
def test_trees_are_those_of_flux_broker(uri: str, parents: list[int]) -> None:
    """As `flux overlay status` shows them (captures/flux-start/tbon-topo.txt)."""
    attrs = Attributes()
    attrs.set("tbon.topo", uri)
    tree = configure(attrs, 0, 8)
    assert [tree.parent(rank) for rank in range(1, 8)] == parents
    assert attrs.get("tbon.descendants") == "7"
    assert attrs.get("tbon.maxlevel") == str(max(map(tree.level, range(8))))


def test_a_large_mincrit_tree_has_as_few_routers_as_it_can() -> None:
    attrs = Attributes()
    attrs.set("tbon.topo", "mincrit")
    assert list(configure(attrs, 0, 4096).children(0)) == [1, 2, 3, 4]


def test_ranks_that_go_round_in_circles_are_no_tree() -> None:
    attrs = Attributes()
    attrs.set("tbon.topo", "custom")
    with pytest.raises(BuiltinsError, match="some ranks are not below rank 0"):
        configure(attrs, 0, 3, [0, 2, 1])
    assert Topology([0, 0, 1]).subtree(1) == [1, 2]


def test_a_flux_that_is_there_is_found_in_the_rundir(tmp_path: Path) -> None:
    flux = script(tmp_path / "flux", "#!/bin/sh\n")
    program = ["sh", "-c", "d=${FLUX_URI#local://}; readlink ${d%/*}/bin/flux || echo none"]
    for path, found in ((f"{tmp_path}:{os.defpath}", flux), (os.defpath, "none")):
        broker = Broker(tmp_path, program, env={"PATH": path})
        assert broker.wait() == 0
        assert broker.stdout == f"{found}\n"
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("flux-")] == []
