"""Configuration: where it comes from, what is wrong with it, and what it changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.broker.configuration import load
from fluxstart_tui.broker.errors import StartError
from tests.broker.instance import Broker, Instance

if TYPE_CHECKING:
    from pathlib import Path


def test_a_directory_is_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[bootstrap]\nx = 1\ny = 1\n")
    (tmp_path / "b.toml").write_text("[other]\nx = 1\n[bootstrap]\ny = 2")
    (tmp_path / "c.txt").write_text("[")
    (tmp_path / ".d.toml").write_text("[")
    assert load(str(tmp_path), ()) == {"bootstrap": {"x": 1, "y": 2}, "other": {"x": 1}}
    (tmp_path / "c.toml").write_text("a = 1\n[")
    with pytest.raises(StartError, match=rf"^Config file error: {tmp_path}/c\.toml:2: "):
        load(str(tmp_path), ())


def test_updates_come_in_many_forms_and_the_last_one_counts(tmp_path: Path) -> None:
    toml, plain = tmp_path / "x.toml", tmp_path / "x.json"
    toml.write_text("a.b = 1\n")
    plain.write_text('{"a": {"c": 2}}')
    table = load(
        str(toml),
        [str(plain), "a.d=true", "a.e=3", "a.f=x=y", 'a.g="3"', "h=", '{"i": [1]}', "\n[a]\nb=5",
         ' \n {"j": null}', "k.l.m=1.5"],
    )  # fmt: skip
    assert table == {
        "a": {"b": 5, "c": 2, "d": True, "e": 3, "f": "x=y", "g": "3"},
        "h": "",
        "i": [1],
        "j": None,
        "k": {"l": {"m": 1.5}},
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=3", "value must have a key in KEY=VAL"),
        ("a..b=2", "setting a..b: Invalid argument"),
        ("a.=2", "setting a.: Invalid argument"),
        ("t.b.c=2", "setting t.b.c: Cannot allocate memory"),
        ("nosuch.toml", "nosuch.toml: No such file or directory"),
        (
            "nosuch.json",
            "nosuch.json:-1: unable to open nosuch.json: No such file or directory",
        ),
        ("\na=\n", "line 2: "),
        ("\na=[1,\n\n", "line 3: "),
        ('{"a":1', "inline JSON: "),
        ("list.json", "list.json: JSON must be an object"),
        ("bad.json", "bad.json:3: "),
        ("bad.toml", "bad.toml:2: "),
        ("deep.json", "deep.json:1: nested too deeply"),
    ],
)
def test_senseless_updates_are_refused_as_flux_broker_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, text: str
) -> None:
    """But for what a parser thinks of a syntax error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "bad.json").write_text('{\n"a":\n}')
    (tmp_path / "bad.toml").write_text("a = 1\nfoo\n")
    (tmp_path / "deep.json").write_text("[" * 100000)
    with pytest.raises(StartError) as caught:
        load(None, ["t.b=1", value])
    whole = str(caught.value)
    assert whole.startswith(f"--conf: {text}")
    assert text.endswith(": ") or whole == f"--conf: {text}"


def test_a_broken_file_is_told_of_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "conf.toml"
    path.write_text("a = 1\nb = [1,\n")
    for words, env in (
        ([f"-c{path}"], {}),
        ([], {"FLUX_CONF_DIR": str(path)}),
    ):
        broker = Broker(tmp_path, ["-Shostname=box", *words, "true"], env=env)
        assert broker.wait() == 1
        assert f"broker.crit[box]: Config file error: {path}:2: " in broker.stderr


def attribute(instance: Instance, name: str) -> object:
    with instance.client() as client:
        return json.loads(client.ask("attr.get", json.dumps({"name": name})).text or "")["value"]


@pytest.mark.parametrize(
    ("words", "env", "name", "value"),
    [
        ([], {}, "tbon.topo", "kary:32"),
        (["--conf=tbon.topo=kary:2"], {}, "tbon.topo", "kary:2"),
        (["--conf=tbon.topo=kary:2", "-Stbon.fanout=3"], {}, "tbon.topo", "kary:3"),
        (["-Stbon.topo=binomial", "-Stbon.fanout=3"], {}, "tbon.topo", "binomial"),
        ([], {}, "tbon.interface-hint", "default-route"),
        ([], {"FLUX_IPADDR_HOSTNAME": ""}, "tbon.interface-hint", "hostname"),
        (
            [],
            {"FLUX_IPADDR_HOSTNAME": "", "FLUX_IPADDR_INTERFACE": "lo"},
            "tbon.interface-hint",
            "lo",
        ),
        (
            ["--conf=tbon.interface-hint=127.0.0.0/8"],
            {"FLUX_IPADDR_INTERFACE": "lo"},
            "tbon.interface-hint",
            "127.0.0.0/8",
        ),
        (
            ["--conf=tbon.interface-hint=lo", "-Stbon.interface-hint=hostname"],
            {},
            "tbon.interface-hint",
            "hostname",
        ),
        (["--conf=tbon.connect_timeout=1m"], {}, "tbon.connect_timeout", "1m"),
        (["-Stbon.torpid_max=0"], {}, "tbon.torpid_max", "0s"),
        ([], {}, "tbon.zmq_io_threads", "1"),
        ([], {}, "broker.cleanup-timeout", "none"),
        ([], {}, "broker.unload-builtins-timeout", "1m"),
    ],
)
def test_settings_have_effective_values(
    tmp_path: Path, words: list[str], env: dict[str, str], name: str, value: str
) -> None:
    with Instance(tmp_path, 2, *words, "--", "sleep 60", env=env) as instance:
        assert attribute(instance, name) == value


def test_the_hint_of_an_enclosing_instance_outdoes_the_configuration(tmp_path: Path) -> None:
    preset = {"flux.instance-level": "1", "flux.tbon-interface-hint": "lo"}
    with Instance(
        tmp_path, 1, "--conf=tbon.interface-hint=hostname", "--", "sleep 60", preset=preset
    ) as instance:
        assert attribute(instance, "tbon.interface-hint") == "lo"


@pytest.mark.parametrize(
    ("words", "text", "reason"),
    [
        (["--conf=tbon=3"], "Config file error [tbon]: Expected object, got integer", ""),
        (["--conf=tbon.topo=3"], "Config file error [tbon]: Expected string, got integer", ""),
        (["--conf=tbon.topo=true"], "Config file error [tbon]: Expected string, got true", ""),
        (["--conf=tbon.zmqdebug=x"], "Config file error [tbon]: Expected integer, got string", ""),
        (["--conf=tbon.torpid_min=x"], "Config file error parsing tbon.torpid_min", ""),
        (["-Stbon.torpid_max=x"], "error parsing tbon.torpid_max attribute", ""),
        (
            ["-Stbon.torpid_min=40s"],
            "tbon.torpid_min must be less than torpid_max",
            "No such file or directory",
        ),
        (["-Stbon.torpid_min=0"], "tbon.torpid_min must be nonzero", "No such file or directory"),
        (["-Stbon.connect_timeout=x"], "Error parsing tbon.connect_timeout attribute", ""),
        (["-Stbon.prefertcp=x"], "tbon.prefertcp value must be an integer", ""),
        (
            ["--conf=tbon.child_rcvhwm=1"],
            "tbon.child_rcvhwm must be 0 (unlimited) or >= 2",
            "",
        ),
        (["-Stbon.zmq_io_threads=0"], "tbon.zmq_io_threads must be >= 1", ""),
    ],
)
def test_senseless_settings_of_the_tree_are_refused_as_flux_broker_does(
    tmp_path: Path, words: list[str], text: str, reason: str
) -> None:
    broker = Broker(tmp_path, ["--verbose=0", "-Slog-stderr-mode=local", *words, "true"])
    assert broker.wait() == 1
    assert broker.stderr.splitlines() == [
        f"<3>overlay.err[0]: {text}",
        "<2>overlay.crit[0]: module exiting abnormally",
        "<3>broker.err[0]: error loading builtins: overlay is unexpectedly finalizing",
        f"<3>broker.err[0]: overlay: {reason or 'Invalid argument'}",
    ]


def test_tables_without_effect_are_told_of(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["-vv", "--conf=resource.noverify=true", "true"])
    assert broker.wait() == 0
    assert "broker.debug[0]: configuration [resource] has no effect" in broker.stderr


@pytest.mark.parametrize("hint", ["nosuch0", "240.0.0.0/24", "240.0.0.1", "127.0.0.1/33"])
def test_an_interface_that_is_not_there_is_an_error(tmp_path: Path, hint: str) -> None:
    with Instance(tmp_path, 2, f"-Stbon.interface-hint={hint}", "--", "true") as instance:
        assert instance[0].wait() == 1
        text = f"overlay.err[0]: could not find address associated with {hint}\n"
        assert text in instance[0].stderr


@pytest.mark.parametrize("hint", ["lo", "127.0.0.1", "127.0.0.0/8", "0.0.0.0/0"])
def test_tcp_stays_on_loopback_whatever_the_hint(tmp_path: Path, hint: str) -> None:
    with Instance(
        tmp_path, 2, "-vv", "-Stbon.prefertcp=1", f"-Stbon.interface-hint={hint}", "--", "true"
    ) as instance:
        assert instance.wait() == [0, 0]
        assert "listening on tcp://[::ffff:127.0.0.1]:" in instance[0].stderr
        told = "interface-hint" in instance[0].stderr
        assert told == (hint != "lo")
