"""What recording costs: the engine's calls, the thread's work, the imports; and of reading."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, TypeVar

from fluxstart_tui.session import events, state
from fluxstart_tui.session.output import Spool
from fluxstart_tui.session.reader import Session
from fluxstart_tui.session.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
LINE = b"x" * 79 + b"\n"
DISK = os.environ.get("TMPDIR", "/dev/shm")  # in memory: no disk is measured

_CHILD = """
import resource, sys, time
from fluxstart_tui.rfc import idset
from fluxstart_tui.session.events import Pmi  # as the engine has it in any case
def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
def paced(work):
    start = time.monotonic()
    for number in range(90):
        work(number)
        time.sleep(max(0.0, start + number / 100 - time.monotonic()))
line = b"x" * 79 + b"\\n"
class Idle:
    def event(self, *args): pass
    def data(self, *args): pass
    def close(self): pass
began = cpu()
if sys.argv[1] == "record":
    from fluxstart_tui.session import home
    from fluxstart_tui.session.recorder import Recorder
    print("imports", cpu() - began)
    ours = Recorder(home.create(sys.argv[2]), {"size": 64}, limit=1 << 30)
else:
    ours = Idle()
def work(number):
    for at in range(112):
        ours.data(0.1, at % 64, 0, line)
    for at in range(22):
        ours.event(0.1, Pmi(at, "put", 1))
paced(work)
ours.close()
print("all", cpu() - began)
"""


def timed(what: str, work: Callable[[], T], count: int) -> T:
    """Print how long some work takes, for each of `count` things."""
    start = time.perf_counter()
    result = work()
    spent = time.perf_counter() - start
    print(f"{what}: {spent * 1e3:.1f} ms, {spent / count * 1e6:.2f} us each")
    return result


def overhead(rounds: int = 7) -> None:
    """A second's boot of 64 brokers in a process of its own, with a recorder and without."""
    best: dict[str, list[float]] = {"record": [], "none": [], "imports": []}
    for _ in range(rounds):
        for what in ("record", "none"):
            with tempfile.TemporaryDirectory(dir=DISK) as directory:
                command = [sys.executable, "-c", _CHILD, what, directory]
                out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
            for name, figure in (line.split() for line in out.splitlines()):
                best[what if name == "all" else name].append(float(figure) * 1e3)
    middle = {what: sorted(figures)[len(figures) // 2] for what, figures in best.items()}
    print(
        f"10,080 pieces of output and 1,980 events in 0.9 s: {middle['record']:.1f} ms CPU, "
        f"without a recorder {middle['none']:.1f}; of that, imports {middle['imports']:.1f}"
    )


def calls() -> None:
    """Calls in the engine's thread, while the other has nothing else to do than to write."""
    with tempfile.TemporaryDirectory(dir=DISK) as directory:
        recorder = Recorder(directory, {}, limit=1 << 30)
        event = events.Pmi(1, "put", 1)
        called: list[tuple[str, Callable[[], None]]] = [
            ("data", lambda: recorder.data(0.1, 1, 0, LINE)),
            ("event", lambda: recorder.event(0.1, event)),
            ("nothing", lambda: None),
        ]
        for what, call in called:
            best = 1.0
            for _ in range(20):
                time.sleep(0.03)
                start = time.thread_time()
                for _ in range(1000):
                    call()
                best = min(best, (time.thread_time() - start) / 1000)
            print(f"Recorder.{what}: {best * 1e6:.2f} us a call, with the lambda")
        recorder.close()


def throughput() -> None:
    """Large chunks as fast as they are taken."""
    with tempfile.TemporaryDirectory(dir=DISK) as directory:
        recorder = Recorder(directory, {}, limit=256 << 20)
        chunk = (LINE * 820)[: 64 << 10]
        start, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        for number in range(16_000):
            recorder.data(0.1, number % 64, 0, chunk)
            if number % 100 == 0:
                while recorder._added - recorder._taken > 32 << 20:
                    time.sleep(0.001)
        recorder.close()
        spent, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
        used = after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime
        rate = 16_000 * 65536 / spent / 1e6
        print(f"64 KiB chunks: {rate:.0f} MB/s, {used / spent:.0%} of a core; {recorder.error}")


def reading() -> None:
    """A million lines, and the journal of a boot and an end of 1,024 brokers."""
    with tempfile.TemporaryDirectory(dir=DISK) as directory:
        Recorder(directory, {"size": 1024}, limit=1).close()
        os.unlink(os.path.join(directory, "output.000"))
        os.unlink(os.path.join(directory, "output.000.idx"))
        spool = Spool(directory, 1 << 40)
        batches = [[(0.1, at % 1024, 0, LINE) for at in range(1000)]] * 1000
        timed("append a million runs", lambda: [spool.append(b) for b in batches], 1_000_000)
        spool.close()
        reader = Session(directory).output
        timed("tail of a rank, first", lambda: reader.tail(5, 50), 1)
        timed("tail of a rank, again", lambda: reader.tail(5, 50), 1)
        timed("tail of a rank that said nothing", lambda: reader.tail(5000, 50), 1)
        timed("all of a rank", lambda: list(reader.chunks(ranks={5})), 1)
        timed("all", lambda: sum(1 for _ in reader.chunks()), 1_000_000)
    boot: list[tuple[float, events.Event]] = []
    boot += [(0.0, events.Spawn(rank, rank)) for rank in range(1024)]
    for phase in ("init", "put", "barrier", "get") * 2:
        boot += [(0.1, events.Pmi(rank, phase, 1)) for rank in range(1024)]
    for name in ("join", "init", "quorum", "run", "cleanup", "shutdown", "finalize", "goodbye") * 2:
        boot += [(0.2, events.State(rank, name, "why", "former", 0.1)) for rank in range(1024)]
    boot = boot[:20_000]
    lines = timed("encode 20,000 events", lambda: [events.encode(*one) for one in boot], 20_000)
    timed("decode them", lambda: [events.decode(line) for line in lines], 20_000)
    timed("replay them", lambda: state.replay(boot, 1024), 20_000)


if __name__ == "__main__":
    overhead()
    calls()
    throughput()
    reading()
