"""Run a scenario and write down what can be seen of it, less what differs from run to run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tests import support

if TYPE_CHECKING:
    from pathlib import Path

    Observation = dict[str, list[str]]
    """Lines by who is to be heard in them, in that one's order; order among them is free."""


class Scenario(NamedTuple):
    """An instance, and what happens to it."""

    size: int
    program: tuple[str, ...]
    options: tuple[str, ...] = ()
    rc1: str = ""
    rc3: str = ""
    log: tuple[str, ...] = ("-o,-v",)
    files: tuple[tuple[str, str], ...] = ()
    """Names and contents of files that are there."""


LIBRARY = """\
rank=${FLUX_URI##*-}
on() { test $rank = $1; }
pid() { cat pid.$1; }
seen() {
    tries=0
    until test $(grep -c "$1" err) -ge ${2:-1}; do
        tries=$((tries + 1)); test $tries -lt 2000 || exit 99; sleep 0.01
    done
}
met() { seen "$1: C: cmd=barrier_in" $2; }
at() { seen "\\[$1\\]: $2:"; }
gone() { seen "fluxstart-tui: $1 (pid"; }
left() {
    tries=0
    while kill -0 $(pid $1) 2>/dev/null; do
        tries=$((tries + 1)); test $tries -lt 2000 || exit 97; sleep 0.01
    done
}
fds() { ls /proc/$(pid $1)/fd | wc -l; }
slay() {
    before=$(fds $2); kill -KILL $(pid $1); gone $1
    tries=0
    while test $(fds $2) -ge $before; do
        tries=$((tries + 1)); test $tries -lt 2000 || exit 98; sleep 0.01
    done
}
start() {
    tr '\\0' '\\n' </proc/$(pid 0)/cmdline | sed '/hostname=/q' | sed "s/=fake0/=fake$1/" |
        xargs -d '\\n' env &
}
"""
"""What shell commands of scenarios begin with: `. ./lib; ` and then these words.

`at RANK EVENT` waits for a transition, `met RANK TIMES` for a broker to have entered so many PMI
barriers, `left RANK` for a broker to have ended, `gone RANK` for the engine to say how,
`seen REGEX TIMES` for anything else on stderr. `slay RANK PARENT` kills a broker and waits until
its parent has closed their connection, without which it may or may not miss it. `start RANK`
starts what the engine did not.
"""

CONFIGURED = (
    (
        "cert",
        """metadata
    name = "test"
curve
    public-key = "xTyGQ4d<=*&PZJ}bUh@18)7-h7Ef#yP%u1[kVtYR"
    secret-key = "q]N@?b+T)>OvcvA{F!Qk<<iDo.jNr?AF!D^iQ8jc"
""",
    ),
    (
        "conf.toml",
        """[bootstrap]
curve_cert = "cert"
default_bind = "ipc://tbon-%h"
default_connect = "ipc://tbon-%h"
hosts = [ { host = "fake[0-1]" }, { host = "fake2", parent = "fake1" } ]
""",
    ),
)
"""Files of an instance that boots by configuration: a chain of fake0, fake1 and fake2."""

_WRAP = 'echo $$ >pid.$PMI_RANK; exec "$@"'

_NORMAL = (
    # Broker and engine both write line heads and texts in several writes, which may interleave.
    (re.compile(r"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d\.\d{6} \S+ \d{4} "), "TIME "),
    (re.compile(r"TIME (?=fluxstart-tui:|TIME )"), ""),
    (re.compile(r"(?<=\d \(pid )\d+(?=\))"), "P"),
    (re.compile(r"(?<=->)([\w-]+) [\d.e+-]+m?s$", re.MULTILINE), r"\1 T"),
    (re.compile(r"(?<=\(rc=)(\d+)\) \d+\.\ds$", re.MULTILINE), r"\1) T"),
    (re.compile(r"/[^\s\"]*/flux-\w{6}(?=[/\s\"])"), "RUNDIR"),
    (re.compile(r'(?<="pubkey":")[^"]*'), "KEY"),
    (re.compile(r"(?<=127\.0\.0\.1\]:)\d+"), "PORT"),
)
_PMI = re.compile(r"(\d+): [CS]: ")
_BROKER = re.compile(r"(?:TIME |<\d>)?([\w-]+)\.[a-z]+\[(\w+)\]: ")
_ENGINE = re.compile(r"fluxstart-tui: (\d+) \(pid P\)")
_UNWANTED = re.compile(r"fluxstart-tui: \d+: |(?:TIME |<\d>)?(?:[\w-]+\.debug|groups\.err)\[")
"""Words executed; debug messages; a module that may or may not notice that another has failed."""

_DELAYED = re.compile(r"delayed: waiting for ")
_ONLINE = re.compile(r"broker\.info\[0\]: online: ")


def observe(scene: Path, broker: str, scenario: Scenario) -> Observation:
    """Run a scenario in an empty directory with the broker that `--broker` names."""
    (scene / "lib").write_text(LIBRARY)
    for name, text in scenario.files:
        (scene / name).write_text(text)
        # What a secret has to be, and nothing that a broker could execute.
        (scene / name).chmod(0o600)
    with (scene / "err").open("ab") as err:
        done = support.run(
            scene,
            "--headless",
            "--no-summary",
            f"--broker={broker}",
            f"-s{scenario.size}",
            f"--wrap=sh,-c,{_WRAP},sh",
            *scenario.log,
            *(
                ()
                if any(one.startswith("--test-hosts") for one in scenario.options)
                else ("-Shostname=box",)
            ),
            "-Sstatedir=state",
            f"-Sbroker.rc1_path={scenario.rc1}",
            f"-Sbroker.rc3_path={scenario.rc3}",
            *scenario.options,
            *scenario.program,
            env={"TZ": "UTC"},
            stderr=err,
        )
    seen = _arrange(_normalise((scene / "err").read_text(errors="backslashreplace")))
    return {"exit code": [str(done.code)], "stdout": done.out.splitlines(), **seen}


def _normalise(text: str) -> list[str]:
    for pattern, replacement in _NORMAL:
        text = pattern.sub(replacement, text)
    return [line for line in text.splitlines() if not _UNWANTED.match(line)]


def _arrange(lines: list[str]) -> Observation:
    """Sort lines by who wrote them.

    Of repeated lines and of warnings that somebody is waited for only the first is kept. Who
    comes online before the quorum is met is told at most every five seconds, so how many of these
    lines there are is chance: only the last one is kept.
    """
    arranged: Observation = {}
    for line in lines:
        group = "other"
        if match := _PMI.match(line):
            group = f"pmi {match[1]}"
        elif match := _BROKER.match(line):
            group = f"{match[1]} {match[2]}"
        elif match := _ENGINE.match(line):
            group = f"engine {match[1]}"
        elif line.startswith("fluxstart-tui:"):
            group = "engine"
        heard = arranged.setdefault(group, [])
        if _ONLINE.search(line):
            heard[:] = [one for one in heard if not _ONLINE.search(one)]
        if _DELAYED.search(line) and any(_DELAYED.search(one) for one in heard):
            continue
        if heard[-1:] != [line]:
            heard.append(line)
    if "broker box" in arranged:
        # Before ranks are known, brokers go by their host's name.
        arranged["broker box"].sort()
    return dict(sorted(arranged.items()))
