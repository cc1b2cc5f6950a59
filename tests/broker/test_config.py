"""Bootstrap by configuration."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.broker.config import ConfigError, Members
from fluxstart_tui.broker.errors import BuiltinsError
from tests.broker.instance import Broker
from tests.observe import CONFIGURED

if TYPE_CHECKING:
    from pathlib import Path


def test_hosts_are_ranks_in_order_and_told_of_in_parts() -> None:
    table = {
        "curve_cert": "cert",
        "default_port": 80,
        "default_connect": "tcp://%h:%p",
        "hosts": [{"host": "a[0-2]"}, {"host": "a1", "bind": "ipc://x%%h", "parent": "a2"}],
    }
    members = Members(table, "a1")
    assert members.hosts == ["a0", "a1", "a2"]
    assert (members.rank, members.parents) == (1, [0, 2, 0])
    assert members.bind_uri() == "ipc://x%h"
    assert members.connect_uris(2) == ["tcp://a2:80"]


def test_without_hosts_there_is_us() -> None:
    members = Members({}, "box")
    assert (members.hosts, members.public_key(), members.connect_uris(0)) == (["box"], "", [])
    with pytest.raises(BuiltinsError, match=r"^bind URI is undefined for rank 0$"):
        members.bind_uri()
    assert Members({"default_bind": "x", "hosts": []}, "a_b").hosts == ["a_b"]
    assert Members({"hosts": [{"host": "a..b"}]}, "a..b").hosts == ["a..b"]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (1, "Expected object, got integer"),
        ({"hosts": 1}, "must be array type"),
        ({"curve_cert": 1}, "Expected string, got integer"),
        ({"hosts": [{"host": "h"}], "bogus": 1}, "1 object item(s) left unpacked: bogus"),
        ({"hosts": [{"host": "f[0"}]}, "invalid hosts[0]: host key is not a valid RFC 29 hostlist"),
        ({"hosts": [{"host": "h"}, {}]}, "invalid hosts[1]: Object item not found: host"),
        (
            {"hosts": [{"host": "h", "parent": "h"}]},
            "invalid hosts[0]: parent key refers to self",
        ),
        (
            {"hosts": [{"host": "h", "parent": "x"}]},
            "invalid hosts[0]: parent key refers to unknown host",
        ),
        (
            {"hosts": [{"host": "h", "bind": "x"}]},
            "invalid hosts[0]: bind key x has no URI scheme",
        ),
        ({"hosts": [{"host": "x"}]}, "h not found in hosts"),
        (
            {"hosts": [{"host": "h,i"}, {"host": "j", "bogus": 1}]},
            "invalid hosts[2]: 1 object item(s) left unpacked: bogus",
        ),
        ({"enable_ipv6": 1}, "Expected true or false, got integer"),
        ({"hosts": [1]}, "invalid hosts[0]: Expected object, got integer"),
        *(
            ({"hosts": [{"host": "h"}, {"host": host}]}, f"invalid hosts[1]: {host} {why}")
            for host, why in (
                ("a_b", "domain label contains invalid character '_' (0x5f)"),
                ("a.-b", "domain label must not start or end with '-'"),
                ("b-.a", "domain label must not start or end with '-'"),
                ("x" * 64, "must be 1-63 characters"),
                ("x." * 127, "domain must be 1-253 characters"),
            )
        ),
        ({"hosts": [{"host": "h,i"}]}, "curve_cert must be defined for size > 1"),
        ({"default_port": 70000}, "default_port must be in the range of 0-65535"),
    ],
)
def test_senseless_tables_are_refused_as_flux_broker_does(table: object, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Members(table, "h")
    assert str(caught.value) == text


def test_a_certificate_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "cert"
    members = Members({"curve_cert": str(path)}, "h")
    for text, mode, why in (
        (None, 0, "No such file or directory"),
        ("", 0o644, "readable by group/other"),
        ("", 0o600, "there is no public-key in it"),
    ):
        if text is not None:
            path.write_text(text)
            path.chmod(mode)
        with pytest.raises(BuiltinsError, match=f"^Error loading certificate: {path}: {why}$"):
            members.public_key()


def configure(folder: Path) -> str:
    """Write what an instance of three boots by; return the option that says so."""
    for name, text in CONFIGURED:
        (folder / name).write_text(text.replace("ipc://", f"ipc://{folder}/"))
        (folder / name).chmod(0o600)
    (folder / "conf.toml").write_text(
        (folder / "conf.toml").read_text().replace('"cert"', f'"{folder}/cert"')
    )
    return f"-c{folder}/conf.toml"


def test_brokers_can_come_in_any_order(tmp_path: Path) -> None:
    """Whoever is there first waits for its parent, and the quorum for all."""
    conf = configure(tmp_path)
    brokers = []
    for rank in (2, 1, 0):
        words = ["-vv", conf, f"-Shostname=fake{rank}"]
        if rank == 0:
            words += ["sh", "-c", "echo up"]
        brokers.append(Broker(tmp_path, words, rank=rank))
        if rank:
            brokers[-1].until_stderr(f"overlay.debug[{rank}]: connecting to ipc://{tmp_path}/tbon")
    assert [broker.wait() for broker in brokers] == [0, 0, 0]
    assert brokers[-1].stdout == "up\n"


def test_a_parent_that_comes_back_sends_its_child_away(tmp_path: Path) -> None:
    """It does not know a broker that was there before it, and that one does not survive it."""
    conf = configure(tmp_path)
    child = Broker(tmp_path, ["-v", conf, "-Shostname=fake1"], rank=1)
    words = ["-v", conf, "-Shostname=fake0", "-Sbroker.quorum=2", "cat"]
    parents = []
    try:
        for _ in range(2):
            with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as pipe:
                assert pipe.stdout is not None
                parents.append(Broker(tmp_path, words, stdin=pipe.stdout))
                if len(parents) == 1:
                    child.until_stderr("quorum->run")
                    # A broker that is killed leaves its program to its end.
                    parents[0].kill()
                else:
                    assert child.wait() == 1
    finally:
        for broker in (child, *parents):
            broker.kill()
    log = child.stderr
    for line in (
        "<2>overlay.crit[1]: fake0 (rank 0) sent disconnect control message\n",
        "<3>broker.err[1]: state-machine.monitor: No route to host\n",
        "<2>config.crit[1]: parent update: overlay disconnect\n",
        "<6>broker.info[1]: parent-fail: run->cleanup ",
        "<3>overlay.err[1]: error sending overlay.goodbye: No route to host\n",
    ):
        log = log[log.index(line) :]
