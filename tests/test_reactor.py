"""The loop: descriptors, timers with an injected clock, signals."""

from __future__ import annotations

import math
import os
import signal
import socket

from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.reactor import Reactor


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@given(st.lists(st.floats(0, 100) | st.just(math.inf), max_size=10), st.sets(st.integers(0, 9)))
def test_timers_fire_in_order_once_and_not_when_cancelled(
    delays: list[float], cancelled: set[int]
) -> None:
    """Each timer fires when its time has come, earlier ones first, cancelled and infinite never."""
    clock = Clock()
    reactor = Reactor(clock)
    fired: list[int] = []
    timers = [
        reactor.call_later(delay, lambda i=i: fired.append(i))  # type: ignore[misc]
        for i, delay in enumerate(delays)
    ]
    for index in cancelled & set(range(len(timers))):
        timers[index].cancel()
    for now in (0.0, 50.0, 100.0, 1e9):
        clock.time = now
        reactor.run_once(0)
        due = [i for i, d in enumerate(delays) if d <= now and d < math.inf and i not in cancelled]
        assert sorted(fired) == sorted(due)
    assert [delays[i] for i in fired] == sorted(delays[i] for i in fired)
    reactor.close()


def test_a_callback_may_remove_another_descriptor_of_the_same_round() -> None:
    """An event of a descriptor that has just been removed is not delivered."""
    reactor = Reactor()
    pairs = [socket.socketpair() for _ in range(2)]
    seen: list[int] = []

    def reader(me: int) -> None:
        seen.append(me)
        for ours, _ in pairs:
            reactor.remove_reader(ours.fileno())

    for at, (ours, theirs) in enumerate(pairs):
        reactor.add_reader(ours.fileno(), lambda at=at: reader(at))  # type: ignore[misc]
        theirs.send(b"x")
    reactor.run_once(0)
    reactor.run_once(0)
    assert len(seen) == 1
    reactor.close()
    for pair in pairs:
        for end in pair:
            end.close()


def test_reading_and_writing_one_descriptor() -> None:
    """Both directions of a socket are watched independently."""
    reactor = Reactor()
    ours, theirs = socket.socketpair()
    seen: list[str] = []
    reactor.add_reader(ours.fileno(), lambda: seen.append(ours.recv(9).decode()))
    reactor.add_writer(ours.fileno(), lambda: seen.append("w"))
    reactor.run_once(0)
    assert seen == ["w"]
    reactor.remove_writer(ours.fileno())
    theirs.send(b"r")
    reactor.run_once(0)
    assert seen == ["w", "r"]
    theirs.close()
    reactor.run_once(0)
    assert seen == ["w", "r", ""]
    reactor.remove_reader(ours.fileno())
    reactor.close()
    ours.close()


def test_signals_are_delivered_in_the_loop() -> None:
    """A signal's callback runs in the loop, once for each delivery, also during a wait."""
    reactor = Reactor()
    seen: list[int] = []
    reactor.on_signal(signal.SIGUSR1, lambda: seen.append(1))
    for count in (1, 2):
        os.kill(os.getpid(), signal.SIGUSR1)
        assert len(seen) == count - 1
        reactor.run_once(5)
        assert len(seen) == count
    reactor.close()
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL


def test_a_timer_years_away_is_waited_for() -> None:
    """The loop can wait longer than the 24 days that epoll can."""
    reactor = Reactor()
    reactor.call_later(1e12, reactor.stop)
    reactor.call_later(1e300, reactor.stop)
    ours, theirs = socket.socketpair()
    reactor.add_reader(ours.fileno(), reactor.stop)
    theirs.send(b"x")
    reactor.run()
    reactor.remove_reader(ours.fileno())
    reactor.close()
    ours.close()
    theirs.close()


def test_run_ends_when_stopped() -> None:
    """`stop` in a callback ends `run` after that round."""
    reactor = Reactor()
    reactor.call_later(0, reactor.stop)
    reactor.run()
    reactor.close()
