"""The sum of events."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.session import broker_state, events, state
from fluxstart_tui.session.events import Event
from tests.session import strategies

Timed = tuple[float, Event]


@given(st.lists(strategies.TIMED), st.integers(0, 50))
def test_a_journal_tells_the_live_state_at_any_length(timed: list[Timed], size: int) -> None:
    """Events that went through a journal add up to what they did live, after each of them."""
    live = state.InstanceState(size)
    read = []
    for t, event in timed:
        former, copy = live, live._replace(brokers=dict(live.brokers))
        live = state.apply(live, t, event)
        assert former == copy
        found = events.decode(events.encode(t, event))
        assert found is not None
        read.append(found)
        assert state.replay(read, size) == live
    assert state.advance(state.replay(read[:3], size), read[3:]) == live


@given(st.lists(strategies.OBJECTS, max_size=5))
def test_nothing_that_can_be_decoded_harms_the_state(values: list[Any]) -> None:
    """Whatever a journal says, a state comes of it, with no more brokers than there can be."""
    read = [found for value in values if (found := events.decode(json.dumps(value)))]
    end = state.replay(read)
    assert 0 <= end.size <= state.RANK_MAX
    assert all(0 <= rank < state.RANK_MAX for rank in [*end.brokers, *end.online])
    assert end.ranks(lambda broker: broker.running) <= set(end.brokers)


def test_giant_sets_of_ranks_are_none() -> None:
    """A set beyond what can be ranks is empty; the largest that can be is taken."""
    for text in ("0-4294967295", "0-2147483647", "65536", "0-1048575", "5-", "x", "1,0"):
        assert state.ranks_of(text) == frozenset()
    assert len(state.ranks_of("0-65535")) == state.RANK_MAX
    giant: list[Event] = [
        events.Hold("0-65535"),
        events.Hold(""),
        events.Online("0-65535"),
        events.Sample("0-65535", [1.0], [1], [1], [1]),
        events.Sample("0-4294967295", [1.0], [1], [1], [1]),
        events.Spawn(2**52, 1),
        events.Pmi(-1, "put"),
    ]
    end = state.replay([(0.0, event) for event in giant * 3])
    assert end.size == len(end.online) == state.RANK_MAX


def test_when_a_process_was_stopped_is_kept() -> None:
    """By samples, and by our own signals before the next sample tells."""

    def sample(letter: str) -> events.Sample:
        return events.Sample("1", [0.0], [1], [1], [1], letter)

    timed: list[Timed] = [
        (0.0, events.Spawn(1, 100)),
        (1.0, sample("S")),
        (2.0, sample("T")),
        (3.0, sample("T")),
        (4.0, sample("S")),
        (5.5, events.Signal("1", 19, "start.signal from the UI")),
    ]
    broker = state.replay(timed).broker(1)
    assert broker.stops == ((2.0, 4.0), (5.5, None))
    assert broker.suspended == 5.5
    on = state.replay([*timed, (7.0, events.Signal("0-3", 18, ""))]).broker(1)
    assert (on.stops[-1], on.suspended) == ((5.5, 7.0), None)
    dead = state.replay([*timed, (8.0, events.Exit(1, 100, 137, 9))]).broker(1)
    assert (dead.stops[-1], dead.suspended) == ((5.5, 8.0), None)
    assert state.replay([*timed, (9.0, events.Spawn(1, 101))]).broker(1).stops == ()


def test_a_rank_that_is_started_again_begins_anew_but_stays_held() -> None:
    """Only the count of its starts and the wish to hold it outlive a process."""
    timed: list[Timed] = [
        (0.0, events.Hold("1")),
        (1.0, events.Spawn(1, 100)),
        (2.0, events.State(1, "join", "parent-none", "none", 0.5)),
        (3.0, events.Exit(1, 100, 137, 9, "user")),
    ]
    broker = state.replay(timed).broker(1)
    assert not broker.running
    assert broker.transitions == (broker_state.Transition(2.0, "parent-none", "none", "join", 0.5),)
    again = state.replay([*timed, (4.0, events.Spawn(1, 101))]).broker(1)
    assert again == broker_state.BrokerState(1, 101, 4.0, 2, held=True)
    assert again.running
    assert not state.replay([*timed, (5.0, events.Hold("0"))]).broker(1).held
