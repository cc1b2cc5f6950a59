"""The words of `flux start`, or of a broker of ours in its place, for a launcher to run."""

from __future__ import annotations

import sys

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


def start(located: Located) -> list[str]:
    """Return the words that start one broker; normal mode's options may follow.

    Flux's own is started as everybody does, by the PATH of where it runs. Others are run by the
    interpreter that runs us, so that no PATH on the far side decides.
    """
    if located.kind == "flux":
        return ["flux", "start"]
    broker = located.words[0] if located.kind == "given" else "embedded"
    return [sys.executable, "-m", "fluxstart_tui", "--headless", f"--broker={broker}"]


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
