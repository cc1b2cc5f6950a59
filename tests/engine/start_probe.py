"""Ask the start service that FLUX_START_URI names what flux start's answers, and print that."""

from __future__ import annotations

import os
import sys

from fluxstart_tui.rpc.blocking import Client
from fluxstart_tui.rpc.errors import RpcError

PROBES: list[tuple[str, dict[str, object] | None]] = [
    ("start.status", None),
    ("start.status", {"x": 1}),
    ("start.run", {"rank": 0}),
    ("start.run", {"rank": 9}),
    ("start.run", {"rank": -1}),
    ("start.run", {}),
    ("start.run", {"rank": 0.0}),
    ("start.run", {"rank": True}),
    ("start.run", None),
    ("start.kill", {"rank": 0, "signum": 0}),
    ("start.kill", {"rank": 9, "signum": 0}),
    ("start.kill", {"rank": 1}),
    ("start.kill", {"rank": 1, "signum": "15"}),
    ("start.kill", {"rank": 1, "signum": 999}),
    ("start.kill", {"rank": 1, "signum": -1}),
    ("start.kill", {"rank": 1, "signum": 28}),
    ("start.wait", {"rank": 9}),
    ("start.wait", {"rank": "0"}),
    ("start.wait", None),
    ("start.bogus", {}),
    ("attr.get", {"name": "rank"}),
    ("", {}),
    ("start.wait", {"rank": 1}),
    ("start.wait", {"rank": 1}),
]
"""The last but one is not answered: rank 1 runs."""


def main(uri: str) -> None:
    """Print a line for each question."""
    with Client(uri, timeout=30) as client:
        for at, (topic, payload) in enumerate(PROBES):
            try:
                timeout = 0.1 if at == len(PROBES) - 2 else 30
                answer: object = client.call(topic, payload, timeout=timeout)
                if isinstance(answer, dict) and "procs" in answer:
                    answer = [sorted(proc) for proc in answer["procs"]]
            except RpcError as error:
                answer = (error.errnum, error.text)
            print(f"{topic} {payload}: {answer}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ["FLUX_START_URI"])
