"""Bootstrap by configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.broker.config import ConfigError, Members, load, load_extra
from fluxstart_tui.broker.errors import BuiltinsError, StartError
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
        ({"hosts": [{"host": "h,i"}]}, "curve_cert must be defined for size > 1"),
        ({"default_port": 70000}, "default_port must be in the range of 0-65535"),
    ],
)
def test_senseless_tables_are_refused_as_flux_broker_does(table: object, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Members(table, "h")
    assert str(caught.value) == text


def test_a_directory_is_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[bootstrap]\n")
    (tmp_path / "b.toml").write_text("[other]\nx = 1\n")
    (tmp_path / "c.txt").write_text("[")
    assert load(str(tmp_path)) == {"bootstrap": {}, "other": {"x": 1}}
    (tmp_path / "c.toml").write_text("[")
    with pytest.raises(StartError, match=f"^Config file error: {tmp_path}/c.toml: "):
        load(str(tmp_path))


def test_extra_configuration(tmp_path: Path) -> None:
    """--conf takes a file, which must be there and be TOML, or a value, which has no effect."""
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text("a.b = 1\n")
    bad.write_text("a\n")
    assert load_extra(str(good)) == {"a": {"b": 1}}
    assert load_extra("a.b=1") == {}
    with pytest.raises(StartError, match=r"^--conf: nosuch: No such file or directory$"):
        load_extra("nosuch")
    with pytest.raises(StartError, match=r"^--conf: .*bad\.toml: "):
        load_extra(str(bad))


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


def test_brokers_can_come_in_any_order(tmp_path: Path) -> None:
    """Whoever is there first waits for its parent, and the quorum for all."""
    for name, text in CONFIGURED:
        (tmp_path / name).write_text(text.replace("ipc://", f"ipc://{tmp_path}/"))
        (tmp_path / name).chmod(0o600)
    (tmp_path / "conf.toml").write_text(
        (tmp_path / "conf.toml").read_text().replace('"cert"', f'"{tmp_path}/cert"')
    )
    brokers = []
    for rank in (2, 1, 0):
        words = ["-vv", f"-c{tmp_path}/conf.toml", f"-Shostname=fake{rank}"]
        if rank == 0:
            words += ["sh", "-c", "echo up"]
        brokers.append(Broker(tmp_path, words, rank=rank))
        if rank:
            brokers[-1].until_stderr(f"overlay.debug[{rank}]: connecting to ipc://{tmp_path}/tbon")
    assert [broker.wait() for broker in brokers] == [0, 0, 0]
    assert brokers[-1].stdout == "up\n"
