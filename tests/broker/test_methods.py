"""How a broker finds its launcher, told in flux-broker's words (captured with FLUX_PMI_DEBUG)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.broker.boot import Trace
from tests.broker.instance import Broker, Instance

if TYPE_CHECKING:
    from pathlib import Path

DEBUG = {"FLUX_PMI_DEBUG": "0"}  # whatever it is set to
NO_CONFIG = [
    "flux-pmi-client: trying 'config'",
    "config: bootstrap configuration not found",
]
SINGLE = [
    "single: initialize: rank=0 size=1 name=single: success",
    "single: get key=flux.instance-level: key not found",
    "single: finalize: success",
]
CHOSEN_SINGLE = ["flux-pmi-client: trying 'single'", "single: selected", *SINGLE]


def events(log: str) -> list[str]:
    return re.findall("^bootstrap: (.*)$", log, re.MULTILINE)


def put(event: str) -> str:
    """Return an event without what is random in it."""
    return re.sub('"pubkey":"[^"]{40}"', '"pubkey":"KEY"', event)


def simple(*told: str) -> list[str]:
    return [
        *NO_CONFIG, "flux-pmi-client: trying 'simple'", "simple: selected",
        *(f"simple: {event}" for event in told),
    ]  # fmt: skip


def test_without_debug_nothing_is_told(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["true"])
    assert (broker.wait(), broker.stderr) == (0, "")


def test_a_singleton_tells_what_it_tried(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["true"], env=DEBUG)
    assert broker.wait() == 0
    lost = ["flux-pmi-client: trying 'simple'", "simple: PMI_FD not found in environ"]
    assert broker.stderr.splitlines() == [
        f"bootstrap: {event}" for event in (*NO_CONFIG, *lost, *CHOSEN_SINGLE)
    ]


def test_one_broker_of_a_launcher_tells_its_requests(tmp_path: Path) -> None:
    with Instance(tmp_path, 1, "true", env=DEBUG) as instance:
        assert instance.wait() == [0]
        assert events(instance[0].stderr) == simple(
            "initialize: rank=0 size=1 name=-: success",
            "get key=flux.instance-level: invalid key argument",
            "finalize: success",
        )


def test_two_brokers_tell_of_each_other(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "-v", "-Shostname=box", "--", "true", env=DEBUG) as instance:
        assert instance.wait() == [0, 0]
        uri = f'"ipc://{instance.rundir}/tbon-0"'
        cards = [f'{{"host":"box","uri":[{uri}],"pubkey":"KEY"}}']
        cards.append('{"host":"box","uri":[],"pubkey":"KEY"}')
        for rank in (0, 1):
            other = 1 - rank
            log = instance[rank].stderr
            assert [put(event) for event in events(log)] == simple(
                f"initialize: rank={rank} size=2 name=-: success",
                "get key=flux.instance-level: invalid key argument",
                "get key=PMI_process_mapping value=(vector,(0,1,2)): success",
                f"put key={rank} value={cards[rank]}: success",
                "barrier: success",
                f"get key={other} value={cards[other]}: success",
                "barrier: success",
                f"get key={rank} value={cards[rank]}: success",
                "finalize: success",
            )
            booted = f"name=-: success\n<6>broker.info[box]: boot: rank={rank} size=2\nbootstrap"
            assert booted in log


def test_a_lost_server_is_told_of(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "true", env=DEBUG, ranks=[0]) as instance:
        instance[0].until_stderr("bootstrap: simple: put key=0")
        instance.pmi.stop()
        assert instance[0].wait() == 1
        assert events(instance[0].stderr)[-1] == "simple: barrier: operation failed"


def test_traces_are_cut_as_flux_broker_cuts_them(capfd: pytest.CaptureFixture[str]) -> None:
    trace = Trace(DEBUG)
    trace("x" * 2000)
    assert capfd.readouterr().err == f"bootstrap: flux-pmi-client: {'x' * (1023 - 17)}\n"


@pytest.mark.parametrize(
    ("methods", "told", "error"),
    [
        ("single", CHOSEN_SINGLE, None),
        ("single:xyz", ["flux-pmi-client: trying 'single:xyz'", *CHOSEN_SINGLE[1:]], None),
        ("  single ", CHOSEN_SINGLE, None),
        (
            "bogus single",
            [
                "flux-pmi-client: trying 'bogus'",
                "flux-pmi-client: plugin matching 'bogus' not found",
                *CHOSEN_SINGLE,
            ],
            None,
        ),
        (
            "simple",
            ["flux-pmi-client: trying 'simple'", "simple: PMI_FD not found in environ"],
            "PMI_FD not found in environ",
        ),
        ("", [], ""),
        (
            "simple,single",
            [
                "flux-pmi-client: trying 'simple,single'",
                "flux-pmi-client: plugin matching 'simple,single' not found",
            ],
            "plugin matching 'simple,single' not found",
        ),
        ("config", NO_CONFIG, "bootstrap configuration not found"),
    ],
)
def test_methods_can_be_chosen(
    tmp_path: Path, methods: str, told: list[str], error: str | None
) -> None:
    broker = Broker(
        tmp_path, ["-Shostname=box", "true"], env=DEBUG | {"FLUX_PMI_CLIENT_METHODS": methods}
    )
    assert broker.wait() == (0 if error is None else 1)
    assert events(broker.stderr) == told
    if error is not None:
        assert broker.stderr.endswith(f"broker.crit[box]: bootstrap: {error}\n")


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("simple", "PMI_FD not found in environ"),
        ("config", "bootstrap configuration not found"),
        ("unknown", "plugin matching 'unknown' not found"),
        ("", "plugin matching '' not found"),
    ],
)
def test_a_method_that_is_asked_for_is_the_only_one(
    tmp_path: Path, method: str, error: str
) -> None:
    words = [f"-Sbroker.boot-method={method}", "-Shostname=box", "true"]
    broker = Broker(tmp_path, words, env=DEBUG)
    assert broker.wait() == 1
    assert re.fullmatch(rf".* broker.crit\[box\]: bootstrap: {error}\n", broker.stderr)


def test_single_can_be_asked_for(tmp_path: Path) -> None:
    with Instance(
        tmp_path, 2, "-Sbroker.boot-method=single", "--", "true", ranks=[0], env=DEBUG
    ) as instance:
        assert instance.wait() == [0]
        assert events(instance[0].stderr) == SINGLE
        assert instance.pmi.requests == [[], []]


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({"PMI_RANK": "0"}, "PMI_FD not found in environ"),
        ({"PMI_FD": "9"}, "PMI_RANK not found in environ"),
        ({"PMI_FD": "99", "PMI_RANK": "0", "PMI_SIZE": "1"}, "create context: Bad file descriptor"),
        ({"PMI_FD": "0", "PMI_RANK": "0", "PMI_SIZE": "2"}, "create context: Invalid argument"),
        ({"PMI_FD": "x", "PMI_RANK": "0", "PMI_SIZE": "2"}, "create context: Success"),
    ],
)
def test_a_broken_pmi_environment_is_passed_over(
    tmp_path: Path, env: dict[str, str], why: str
) -> None:
    broker = Broker(tmp_path, ["true"], env=DEBUG | env)
    assert broker.wait() == 0
    told = [*NO_CONFIG, "flux-pmi-client: trying 'simple'", f"simple: {why}", *CHOSEN_SINGLE]
    assert events(broker.stderr) == told
