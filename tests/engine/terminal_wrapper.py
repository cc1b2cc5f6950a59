"""Wraps a broker: tells of the terminal that it runs on, line by line, until it is told to go."""

from __future__ import annotations

import os
import sys


def tell(rank: str) -> None:
    """Say how large the terminal is, and whose."""
    size = os.get_terminal_size(0)
    names = {os.ttyname(fd) for fd in range(3)}
    leads = os.getsid(0) == os.getpid()
    with open("/dev/tty", "rb") as terminal:
        controls = os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    about = f"same={len(names) == 1} leads={leads} controls={controls}"
    print(f"rank {rank}: {size.lines}x{size.columns} {about} on {names.pop()}", flush=True)


def main() -> None:
    rank = os.environ["PMI_RANK"]
    if not os.isatty(0):
        print(f"rank {rank}: no terminal leads={os.getsid(0) == os.getpid()}", flush=True)
        os.execvp(sys.argv[1], sys.argv[1:])
    tell(rank)
    while True:
        try:
            word = sys.stdin.readline().strip()
        except KeyboardInterrupt:
            print(f"rank {rank}: interrupted", flush=True)
            continue
        if word == "go":
            os.execvp(sys.argv[1], sys.argv[1:])
        tell(rank)


if __name__ == "__main__":
    main()
