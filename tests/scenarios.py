"""What embedded and real brokers are put through alike (see test_differential.py).

Whatever is compared must be the same in every run of the real broker: commands therefore wait
for what they need to have happened, and never just for time.

Brokers are killed in all phases that last until something happens that can be kept from happening.
The others are over as soon as they have begun, so whether a kill comes in time is chance: JOIN of
the leader, who has no parent to wait for; CLEANUP, in which nothing is to be done; SHUTDOWN of a
leaf, who has no children to wait for; and GOODBYE. (A parent that is stopped keeps a leaf in that,
but whether it later misses a leaf that was killed there is chance, too. So it is with a parent that
is told to shut down after a leaf was killed in INIT.)
"""

from __future__ import annotations

from signal import SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH, Signals

from tests.observe import CONFIGURED, Scenario

_TRACE = ("-vv",)
_CONFIG = ("-cconf.toml", "--test-hosts=fake[0-2]")
_ALONE = ("--test-start-mode=leader",)
_LO = ("-Stbon.interface-hint=lo",)
_SOON = ("--test-exit-timeout=0.4",)
_AT_ONCE = ("--test-exit-timeout=0.05",)
_CHAIN = ("-Stbon.topo=kary:1",)
_DEBUG = ("-Slog-stderr-mode=local", "-Slog-stderr-level=7")
_LEADER_MODE = ("--test-exit-mode=leader",)


def _sh(line: str) -> tuple[str, ...]:
    return ("sh", "-c", f". ./lib; {line}")


def _rc(line: str) -> str:
    return f". ./lib; {line}"


_HOLD = "exec sleep 99"
_KILLED_IN_BARRIER = '--wrap=sh,-c,. ./lib; (seen barrier[_]in; kill -KILL $$) & exec "$@",sh'
_IN_QUORUM = "on 0 && exit; at 0 online; on 2 || exit 0; at 1 rc1-success"
_SPEAK = r'echo out; seen "\[$rank\]: rc.\.0: out"; echo err >&2'
_HARMLESS = {SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH}
_DEADLY = [one for one in map(Signals, range(1, 32)) if one not in _HARMLESS]
_LEVELS = range(-1, 8)


def _killed_in_pmi(victim: int, phase: str) -> Scenario:
    """Have one of a chain of three killed when the others cannot go on without it.

    To keep one where it is, another does not begin, or it is stopped in the first barrier.
    """
    one, other = (rank for rank in range(3) if rank != victim)
    begun = f"met {victim}; met {one}"
    kill = f"kill -KILL $(pid {victim})"
    where, what = {
        "before PMI": (victim, f"met {one}; met {other}; {kill};"),
        "in the first barrier": (other, f"{begun}; {kill}; {_HOLD};"),
        "between barriers": (
            other,
            f"{begun}; kill -STOP $(pid {victim}); (met {one} 2; met {other} 2; {kill}) 3>&- &",
        ),
        "in the second barrier": (
            other,
            f"{begun}; kill -STOP $(pid {one}); (met {victim} 2; met {other} 2; {kill}) 3>&- &",
        ),
    }[phase]
    return Scenario(
        3, ("true",),
        (
            *_TRACE, *_CHAIN, *_AT_ONCE,
            f'--wrap=sh,-c,if test $PMI_RANK = {where}; then . ./lib; {what} fi; exec "$@",sh',
        ),
    )  # fmt: skip


SCENARIOS: dict[str, Scenario] = {
    # Sizes and shapes
    "size 1": Scenario(1, ("echo", "hi"), _TRACE),
    "size 2": Scenario(2, ("echo", "hi"), _TRACE),
    "size 4 in a chain": Scenario(4, ("echo", "hi"), (*_TRACE, *_CHAIN)),
    "size 7 in a binary tree": Scenario(7, ("true",), (*_TRACE, "-Stbon.topo=kary:2")),
    **{f"size {size}": Scenario(size, ("true",)) for size in range(3, 17)},
    "size 16 by fanout": Scenario(16, ("true",), ("-Stbon.fanout=3",)),
    "binomial tree": Scenario(8, ("true",), ("-Stbon.topo=binomial",)),
    "two routers": Scenario(8, ("true",), ("-Stbon.topo=mincrit:2",)),
    "custom tree of nobody's making": Scenario(4, ("true",), ("-Stbon.topo=custom",)),
    "no cliques": Scenario(3, ("true",), (*_TRACE, *_LO, "--test-pmi-clique=none")),
    "a clique for each": Scenario(3, ("true",), (*_TRACE, *_LO, "--test-pmi-clique=per-broker")),
    "two cliques": Scenario(
        4, ("true",), (*_TRACE, *_LO, "--test-pmi-clique=0-1;2-3", "-Stbon.topo=kary:2")
    ),
    "cliques by turns": Scenario(5, ("true",), (*_TRACE, *_LO, "--test-pmi-clique=[[0,2,1,3]]")),
    "TCP wanted": Scenario(2, ("true",), (*_TRACE, *_LO, "-Stbon.prefertcp=1")),
    "leaf killed in RUN, by TCP": Scenario(
        3, _sh("at 1 quorum-full; at 2 quorum-full; slay 1 0; exit 3"),
        (*_LO, "--test-pmi-clique=none"),
    ),
    # How the initial program ends
    "program fails": Scenario(2, ("sh", "-c", "exit 3")),
    "program fails, leader mode": Scenario(2, ("sh", "-c", "exit 3"), _LEADER_MODE),
    "program is a shell line": Scenario(1, ("exit 9",)),
    "program is not there": Scenario(2, ("nonexistent-command", "arg")),
    "program is no program": Scenario(1, ("./plain", "arg"), files=(("plain", ""),)),
    "no program, no terminal": Scenario(2, (), _SOON),
    **{
        f"program dies of {one.name}": Scenario(1, ("sh", "-c", f"ulimit -c 0; kill -{one:d} $$"))
        for one in _DEADLY
    },
    # Signals to the leader
    "TERM to the leader in RUN": Scenario(
        2, _sh(f"at 1 quorum-full; kill -TERM $(pid 0); {_HOLD}")
    ),
    "TERM to the leader in RUN, leader mode": Scenario(
        2, _sh(f"at 1 quorum-full; kill -TERM $(pid 0); {_HOLD}"), _LEADER_MODE
    ),
    **{
        f"{name} to the leader in RUN": Scenario(1, _sh(f"kill -{name} $(pid 0); {_HOLD}"))
        for name in ("HUP", "INT", "QUIT", "ALRM")
    },
    "USR1 to the leader in RUN": Scenario(1, _sh("kill -USR1 $(pid 0); seen killall; exit 2")),
    "program ignores HUP": Scenario(
        1, _sh('trap "" HUP; kill -TERM $(pid 0); seen "signal 15"; exit 5')
    ),
    "program exits 0 on HUP": Scenario(
        1, _sh('trap "exit 0" HUP; kill -TERM $(pid 0); while :; do :; done')
    ),
    "TERM to the leader in INIT": Scenario(1, ("true",), rc1=_rc(f"kill -TERM $PPID; {_HOLD}")),
    "TERM to the leader in QUORUM": Scenario(
        2, ("true",), _SOON,
        rc1=_rc('if on 1; then seen "ranks 0.$"; kill -TERM $(pid 0); at 0 quorum-fail; fi'),
    ),
    "TERM to the leader in SHUTDOWN": Scenario(
        2, ("true",),
        rc3=_rc('if on 1; then at 0 cleanup-none; kill -TERM $(pid 0); seen "ignored signal"; fi'),
    ),
    "TERM to the leader in FINALIZE": Scenario(1, ("true",), rc3=_rc(f"kill -TERM $PPID; {_HOLD}")),
    # Signals to others
    "TERM to a leaf in JOIN": Scenario(
        2, ("true",), _SOON, log=_DEBUG,
        rc1=_rc('seen "debug.1.: [h]ello"; kill -TERM $(pid 1); at 1 builtins-done'),
    ),
    "TERM to a leaf in INIT": Scenario(
        2, ("true",), _SOON, rc1=_rc(f"on 0 || {{ kill -TERM $PPID; {_HOLD}; }}")
    ),
    "TERM to a leaf in QUORUM": Scenario(
        3, ("true",), _SOON,
        rc1=_rc(f"on 2 || exit 0; at 1 rc1-success; kill -TERM $(pid 1); {_HOLD}"),
    ),
    "TERM to a leaf in RUN": Scenario(
        2, _sh('at 1 quorum-full; kill -TERM $(pid 1); seen "dead to Flux"')
    ),
    "TERM to a router in RUN": Scenario(
        3, _sh('at 2 quorum-full; kill -TERM $(pid 1); seen "dead to Flux.*1"'), _CHAIN
    ),
    "TERM to a leaf in FINALIZE": Scenario(
        2, ("true",), rc3=_rc(f"on 0 || {{ kill -TERM $PPID; {_HOLD}; }}")
    ),
    # Brokers that are killed
    **{
        f"{role} killed {phase}": _killed_in_pmi(rank, phase)
        for rank, role in enumerate(("leader", "router", "leaf"))
        for phase in (
            "before PMI", "in the first barrier", "between barriers", "in the second barrier"
        )
    },
    "leaf killed in JOIN": Scenario(
        2, ("true",), _AT_ONCE, rc1=_rc(f"at 1 builtins-success; kill -KILL $(pid 1); {_HOLD}")
    ),
    "leaf killed in INIT": Scenario(
        2, ("true",), _SOON, rc1=_rc("on 0 || { at 0 online; kill -KILL $PPID; }")
    ),
    "leaf killed in INIT, leader mode": Scenario(
        2, ("true",), _LEADER_MODE,
        rc1=_rc(
            "on 0 || exec sleep 99; (at 0 online; at 1 sync-success; kill -KILL $(pid 1); gone 1;"
            " kill -KILL $PPID) >/dev/null 2>&1 &"
        ),
    ),
    "leaf killed in QUORUM": Scenario(
        3, ("true",), _AT_ONCE, rc1=_rc(f"{_IN_QUORUM}; kill -KILL $(pid 1); {_HOLD}")
    ),
    "leaf killed in RUN": Scenario(
        2, _sh("at 1 quorum-full; slay 1 0; exit 3")
    ),
    "leaf killed in RUN, program goes on": Scenario(
        2, _sh(f"at 1 quorum-full; kill -KILL $(pid 1); {_HOLD}"), _SOON
    ),
    "leaf killed in RUN, leader mode": Scenario(
        4, _sh("at 3 quorum-full; slay 3 0; exit 3"), _LEADER_MODE
    ),
    "leaf of many killed in RUN": Scenario(
        4, _sh("for r in 1 2 3; do at $r quorum-full; done; slay 2 0")
    ),
    "leaf of a router killed in RUN": Scenario(
        3, _sh("at 2 quorum-full; slay 2 1"), _CHAIN
    ),
    "leaf killed in FINALIZE": Scenario(
        2, ("true",), _SOON, rc3=_rc("on 0 || kill -KILL $PPID")
    ),
    "router killed in JOIN": Scenario(
        3, ("true",), (*_CHAIN, *_AT_ONCE),
        rc1=_rc(
            f"at 1 builtins-success; at 2 builtins-success; kill -KILL $(pid 1); {_HOLD}"
        ),
    ),
    "router killed in INIT": Scenario(
        3, ("true",), (*_CHAIN, *_AT_ONCE),
        rc1=_rc("on 1 || exit 0; at 2 builtins-success; at 0 online; kill -KILL $PPID"),
    ),
    "router killed in QUORUM": Scenario(
        3, ("true",), (*_CHAIN, *_AT_ONCE),
        rc1=_rc(f"{_IN_QUORUM}; kill -KILL $(pid 1); {_HOLD}"),
    ),
    "router killed in RUN": Scenario(
        3, _sh("at 2 quorum-full; slay 1 0; exit 3"), (*_CHAIN, *_SOON)
    ),
    "router killed in RUN, program goes on": Scenario(
        7, _sh(f"for r in 1 2 3 4 5 6; do at $r quorum-full; done; kill -KILL $(pid 1); {_HOLD}"),
        ("-Stbon.topo=kary:2", *_SOON),
    ),
    "router killed in RUN, leader mode": Scenario(
        3, _sh("at 2 quorum-full; slay 1 0; exit 3"), (*_CHAIN, *_AT_ONCE, *_LEADER_MODE)
    ),
    "router killed in SHUTDOWN": Scenario(
        3, ("true",), (*_CHAIN, *_AT_ONCE),
        rc3=_rc(
            f"on 2 || exit 0; at 0 cleanup-none; at 1 cleanup-none; kill -KILL $(pid 1); {_HOLD}"
        ),
    ),
    "router killed in FINALIZE": Scenario(
        3, ("true",), (*_CHAIN, *_AT_ONCE), rc3=_rc("on 1 || exit 0; left 2; kill -KILL $PPID")
    ),
    "leader killed in INIT": Scenario(
        2, ("true",), _SOON, rc1=_rc("at 1 builtins-success; kill -KILL $PPID")
    ),
    "leader killed in QUORUM": Scenario(
        2, ("true",), _AT_ONCE,
        rc1=_rc(f"on 0 && exit; at 0 online; kill -KILL $(pid 0); {_HOLD}"),
    ),
    "leader killed in RUN": Scenario(
        3, _sh("at 1 quorum-full; at 2 quorum-full; kill -KILL $(pid 0)"), _SOON
    ),
    "leader killed in RUN, leader mode": Scenario(
        2, _sh("at 1 quorum-full; kill -KILL $(pid 0)"), (*_SOON, *_LEADER_MODE)
    ),
    "leader killed in SHUTDOWN": Scenario(
        2, ("true",), _SOON, rc3=_rc("at 0 cleanup-none; kill -KILL $(pid 0); gone 0")
    ),
    "leader killed in FINALIZE": Scenario(
        2, ("true",), rc3=_rc("on 0 || exit 0; left 1; kill -KILL $PPID")
    ),
    # rc1 and rc3
    "rc1 and rc3 speak": Scenario(
        2, ("true",), rc1=_rc(_SPEAK), rc3=_rc(_SPEAK)
    ),
    "rc1 fails": Scenario(1, ("true",), rc1="exit 5"),
    "rc1 fails on the leader": Scenario(
        2, ("true",), log=_DEBUG, rc1=_rc('seen "accepting connection"; exit 5')
    ),
    "rc1 fails on a leaf": Scenario(2, ("true",), _SOON, rc1=_rc("on 0 || exit 6")),
    "rc1 fails on a leaf, leader mode": Scenario(
        2, ("true",), _LEADER_MODE,
        rc1=_rc(
            "if on 0; then (at 0 online; gone 1; kill -TERM $(pid 0)) >/dev/null 2>&1 &"
            " else at 0 online; exit 6; fi"
        ),
    ),
    "rc1 fails on a router": Scenario(3, ("true",), (*_CHAIN, *_SOON), rc1=_rc("on 0 || exit 6")),
    "rc1 dies by a signal": Scenario(1, ("true",), rc1="kill -SEGV $$"),
    "rc3 fails": Scenario(2, ("true",), rc3="exit 9"),
    "rc3 fails on a leaf": Scenario(2, ("true",), rc3=_rc("on 0 || exit 9")),
    "rc3 fails on a leaf, leader mode": Scenario(
        2, ("true",), _LEADER_MODE, rc3=_rc("on 0 || exit 9")
    ),
    "rc3 fails on a router": Scenario(3, ("true",), _CHAIN, rc3=_rc("on 1 && exit 9; true")),
    "rc3 dies by a signal": Scenario(1, ("true",), rc3="kill -SEGV $$"),
    "program fails and rc3 does": Scenario(1, ("exit 4",), rc3="exit 9"),
    "another exit code to keep systemd away": Scenario(
        1, ("true",), ("-Sbroker.exit-norestart=42",), rc1="exit 5"
    ),
    # Quorum, and what is waited for
    **{
        f"quorum of {quorum}": Scenario(
            4, _sh("touch go; at 1 quorum-full; at 2 quorum-full; at 3 quorum-full"),
            (f"-Sbroker.quorum={quorum}",),
            rc1=_rc(f"test $rank -lt {quorum} || until test -e go; do sleep 0.01; done"),
        )
        for quorum in range(1, 5)
    },
    "quorum as of old": Scenario(2, ("true",), ("-Sbroker.quorum=0-1",)),
    "quorum of too many": Scenario(1, ("true",), ("-Sbroker.quorum=2",)),
    "quorum that is no number": Scenario(1, ("true",), ("-Sbroker.quorum=x",)),
    "quorum delayed": Scenario(
        2, ("true",), ("-Sbroker.quorum-warn=0.3",), rc1=_rc('on 0 || seen "delayed: [w]aiting"')
    ),
    "shutdown delayed": Scenario(
        2, ("true",), ("-Sbroker.shutdown-warn=0.1",), rc3=_rc('on 0 || seen "delayed: [w]aiting"')
    ),
    "shutdown timeout": Scenario(
        2, ("true",), ("-Sbroker.shutdown-timeout=0.1", *_SOON),
        rc3=_rc("on 0 || at 0 builtins-done"),
    ),
    # Where the log goes
    **{
        f"level {level}, {mode}": Scenario(
            2, ("exit 2",), rc1="echo x >&2",
            log=(f"-Slog-stderr-level={level}", f"-Slog-stderr-mode={mode}"),
        )
        for level in _LEVELS
        for mode in ("leader", "local")
    },
    **{
        f"level 6, forwarded {level}": Scenario(
            2, ("exit 2",), rc1="echo x >&2",
            log=("-Slog-stderr-level=6", f"-Slog-forward-level={level}"),
        )
        for level in _LEVELS
    },
    "no level and no mode": Scenario(2, ("exit 2",), log=(), rc1="echo x >&2"),
    "level 8": Scenario(1, ("true",), log=("-Slog-stderr-level=8",)),
    "level 7": Scenario(1, ("true",), log=("-o,-vv",)),
    "no such log mode": Scenario(1, ("true",), log=("-Slog-stderr-mode=none",)),
    # Attributes and start modes
    "no such attribute": Scenario(1, ("true",), ("-Snosuch.attr=1",)),
    "attribute that is not ours to set": Scenario(1, ("true",), ("-Srank=1",)),
    "no such topology": Scenario(1, ("true",), ("-Stbon.topo=bogus",)),
    "no such width": Scenario(1, ("true",), ("-Stbon.topo=kary:x",)),
    "no such number of routers": Scenario(1, ("true",), ("-Stbon.topo=mincrit:x",)),
    "binomial tree of what": Scenario(1, ("true",), ("-Stbon.topo=binomial:2",)),
    "no such method": Scenario(1, ("true",), ("-Sbroker.boot-method=bogus",)),
    "senseless duration": Scenario(1, ("true",), ("-Sbroker.quorum-warn=soon",)),
    "singleton": Scenario(1, ("echo", "hi"), (*_TRACE, "-Sbroker.boot-method=single")),
    "configured": Scenario(3, ("echo", "hi"), (*_TRACE, *_CONFIG), files=CONFIGURED),
    "configured, and another tree wanted": Scenario(
        3, ("true",), (*_CONFIG, "-Stbon.topo=kary:2"), files=CONFIGURED
    ),
    "configured without us": Scenario(
        1, ("true",), ("-cconf.toml", "--test-hosts=fake9"), files=CONFIGURED
    ),
    "configured without a certificate": Scenario(
        1, ("true",), ("-cconf.toml", "--test-hosts=fake0"), files=CONFIGURED[1:]
    ),
    "no such configuration": Scenario(1, ("true",), ("-cnosuch.toml",)),
    "leader start mode, configured": Scenario(
        3, ("true",), (*_CONFIG, *_ALONE, "-Sbroker.quorum-warn=0.3"), files=CONFIGURED,
        rc1=_rc('(seen "delayed: [w]aiting"; kill -TERM $PPID) >/dev/null 2>&1 &'),
    ),
    "leader start mode, others come late": Scenario(
        3, ("true",), (*_CONFIG, *_ALONE, "-Sbroker.quorum-warn=0.3"), files=CONFIGURED,
        rc1=_rc(
            'if on 0; then (seen "delayed: [w]aiting"; start 2; start 1) >/dev/null 2>>err & fi'
        ),
    ),
    "leader start mode, quorum of 1": Scenario(
        3, _sh("start 1; start 2; at 2 quorum-full"), (*_CONFIG, *_ALONE, "-Sbroker.quorum=1"),
        files=CONFIGURED,
    ),
    "leader start mode, leader mode": Scenario(
        3, ("exit 3",), (*_CONFIG, *_ALONE, *_LEADER_MODE, "-Sbroker.quorum=1"), files=CONFIGURED
    ),
    "leader start mode": Scenario(1, ("true",), ("--test-start-mode=leader",)),
    "leader start mode, by PMI": Scenario(
        2, ("true",), (*_ALONE, *_TRACE, _KILLED_IN_BARRIER)
    ),
    "leader start mode, others wanted": Scenario(
        3, ("true",), ("--test-start-mode=leader", "-Sbroker.boot-method=single")
    ),
}  # fmt: skip
