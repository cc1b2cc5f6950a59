"""The words of `flux start`, or of a broker of ours in its place, for a launcher to run."""

from __future__ import annotations

import os
import sys

from fluxstart_tui.tap.exchange import TIMEOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.options import Options

_WAIT = (
    'printf "fluxstart-tui: up uri=%s host=%s\\n" "$FLUX_URI" "$(uname -n)" >&2; '
    "exec sleep 2147483647"
)
WAITING = ("sh", "-c", _WAIT)
"""Runs as the initial program where none is given: a shell would find no terminal to read from."""

_EXCHANGE_SINCE = (0, 82)
"""The first version of which `flux pmi` knows --timeout."""


def start(located: Located) -> list[str]:
    """Return the words that start one broker; normal mode's options may follow.

    Flux's own is started as everybody does, by the PATH of where it runs. Others are run by the
    interpreter that runs us, so that no PATH on the far side decides.
    """
    if located.kind == "flux":
        return ["flux", "start"]
    broker = located.words[0] if located.kind == "given" else "embedded"
    return [sys.executable, "-m", "fluxstart_tui", "--headless", f"--broker={broker}"]


def exchange(located: Located) -> list[str]:
    """Return the words that exchange over PMI and do nothing else.

    Flux's own does it by any method and plugin that its brokers can use, ours by what all have.
    """
    if located.kind == "flux" and _number(located.version()) >= _EXCHANGE_SINCE:
        return ["flux", "pmi", "-v", f"--timeout={TIMEOUT}s", "exchange"]
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return [sys.executable, "-I", "-S", os.path.join(root, "tap", "exchange.py")]


def _number(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


def given(options: Options) -> list[str]:
    """Return normal mode's options of a command line as words."""
    words = [f"--setattr={value}" for value in options.setattr]
    if options.config_path is not None:
        words.append(f"--config-path={options.config_path}")
    words += [f"--conf={value}" for value in options.conf]
    if options.recovery:
        target = options.recovery_target
        words.append("--recovery" if target is None else f"--recovery={target}")
    if options.sysconfig:
        words.append("--sysconfig")
    words += ["-v"] * options.verbose
    words += [f"--broker-opts={value}" for value in options.broker_opts]
    words += [f"--wrap={value}" for value in options.wrap]
    return words
