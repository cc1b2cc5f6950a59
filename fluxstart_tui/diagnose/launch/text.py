"""The forms of Flux's own lines, of today's version and of old ones.

In local mode log lines are `<LEVEL>MODULE.SEVERITY[WHO]: TEXT`, in leader mode a date is before
the module. The PMI trace has been `pmi-debug-METHOD[RANK]: `, then `boot_pmi: ` and is
`bootstrap: ` since v0.82.0.
"""

from __future__ import annotations

import re

TRACE = re.compile(r"(?:bootstrap|boot_pmi): (?:(?P<method>[\w-]+): )?(?P<body>.*)", re.DOTALL)
OLD_TRACE = re.compile(r"pmi-debug-(?P<method>[\w.-]+)\[-?\d+\]: (?P<body>.*)", re.DOTALL)
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
LOG = re.compile(
    r"(?P<head><\d>|[A-Z][a-z]{2} [ \d]\d [\d:.]+ \S+ \d{4} |\d{4}-\d\d-\d\dT\S+ )?"
    rf"(?P<module>[\w-]+)\.(?P<severity>{'|'.join(SEVERITIES)})"
    r"\[(?P<who>[^\]]{1,255})\]: (?P<text>.*)",
    re.DOTALL,
)
SERVED = re.compile(r" *(?P<rank>\d{1,7}): (?P<side>[CS]): cmd=(?P<cmd>\w+)(?P<rest>.*)", re.DOTALL)
HELLO = re.compile(r"fluxstart-tui: hello (?P<words>.*)", re.DOTALL)

TRYING = re.compile(r"trying '([^']*)'")
INITIALIZED = re.compile(r"initialize: rank=(\d{1,7}) size=(\d{1,7}) name=(.*): success$")
BOOT = re.compile(r"boot: rank=(\d{1,7}) size=(\d{1,7})$")
PUT = re.compile(r"put key=\S*?(\d{1,7})\S* value=(.*): success$", re.DOTALL)
STEP = re.compile(r"([\w-]+): ([\w-]+)->([\w-]+)(?: |$)")
URI = re.compile(r'"((?:tcp|ipc)://[^"]+)"')
HOST = re.compile(r'"host(?:name)?":"([^"]+)"')
GET = re.compile(r"get key=\S*?(\d{1,7}) value=\{")
SOCKET = re.compile(
    r"(?:parent sockevent \S+ (?=connect|closed|handshake)|child sockevent \S+ (?=handshake))"
    r"(connect delayed|connect retried|connected|closed|handshake failed)"
)

HEADS = ("bootstrap: ", "boot_pmi: ", "pmi-debug-")
SEVERE = ("emerg", "alert", "crit", "err")

BENIGN = re.compile(
    r"slurm-sync\[|slurm-sync: |squeue: |slurm-expiration-sync"
    r"|PMIX ERROR|module exiting abnormally|error loading builtins: |error finalizing module"
    r"|\w+: (?:Invalid argument|Connection reset by peer|Resource temporarily unavailable"
    r"|No such file or directory|Function not implemented)$"
    r"|(?:overlay|groups)\.\w+: |state-machine\.monitor: |rc3\.0: |quorum delayed|quorum reached"
    r"|shutdown delayed|sent disconnect control message|error sending overlay\.goodbye"
    r"|cannot send overlay\.goodbye|\S+: loader \("
)
"""Severe lines that say nothing of a cause: noise of healthy runs, or echoes of others."""


def hello(words: str) -> dict[str, str]:
    """Return what a hello line tells, by name."""
    return {
        name: value
        for name, equals, value in (word.partition("=") for word in words.split(" ")[:64])
        if equals
    }
