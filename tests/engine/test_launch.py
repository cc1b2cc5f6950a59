"""Normal mode: this process becomes the broker."""

from __future__ import annotations

import ast
import os
import signal
from pathlib import Path

from tests import support
from tests.support import broker


def test_the_broker_takes_our_place(scene: Path) -> None:
    """Same pid, same arguments, same code; nothing is printed."""
    process = support.start(scene, broker(scene, 'echo $$ "$@"; exit 7'), "-Sa=b", "prog", "x y")
    done = support.finish(process)
    assert done == (7, f"{process.pid} -Sa=b prog x y\n", "")


def test_descriptors_signals_and_environment_are_kept(scene: Path) -> None:
    """Descriptors that our parent left open stay open; no signal is ignored or blocked by us.

    What our parent ignores stays ignored: a terminal's multiplexer may hand on such signals.
    """
    script = "#!/usr/bin/env -S bash --norc --noprofile\n"
    body = "ls /proc/$$/fd | tr '\\n' ' '\n"
    body += "grep -E 'SigIgn|SigBlk' /proc/self/status | cut -f2\nenv -0 >e"
    extra = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(extra, True)
    done = support.run(scene, broker(scene, body, script), pass_fds=[extra])
    os.close(extra)
    words = done.out.split()
    assert str(extra) in words[:-2]
    status = dict(line.split(":\t") for line in Path("/proc/self/status").read_text().splitlines())
    blocked, ignored = (int(status[name], 16) for name in ("SigBlk", "SigIgn"))
    for signum in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python, which resets them for a child
        ignored &= ~(1 << (signum - 1))
    assert [int(mask, 16) for mask in words[-2:]] == [blocked, ignored]
    given = {entry.partition("=")[0] for entry in (scene / "e").read_text().split("\0") if entry}
    assert given - set(support.environment(scene)) <= {"_", "SHLVL", "PWD", "OLDPWD"}


def test_a_script_without_interpreter_line_is_run_by_the_shell(scene: Path) -> None:
    """As execvp(3) does."""
    assert support.run(scene, broker(scene, "echo $1", ""), "hi").out == "hi\n"


def test_a_broker_that_can_not_be_executed(scene: Path) -> None:
    """The line and the code are flux start's."""
    done = support.run(scene, broker(scene, ""), "--wrap=/nonexistent", "true")
    assert done == (1, "", "fluxstart-tui: error execing broker: No such file or directory\n")


def test_an_empty_word_is_no_program(scene: Path) -> None:
    """A lone comma gives an empty wrapper, which is not to be found."""
    done = support.run(scene, broker(scene, ""), "--wrap=,", "true")
    assert done == (1, "", "fluxstart-tui: error execing broker: No such file or directory\n")


def test_wrap_and_verbose(scene: Path) -> None:
    """A wrapper is looked up in PATH, and -v shows the words."""
    done = support.run(scene, broker(scene, 'echo "$V"'), "-v", "--wrap=env,V=1", "true")
    assert done == (0, "1\n", f"fluxstart-tui: env V=1 {scene}/broker true\n")


def test_caliper_profile(scene: Path) -> None:
    """The environment of flux start's old option, in both modes."""
    script = f"#!{os.path.realpath(support.command()[0])} -S\nimport os\nprint(dict(os.environ))\n"
    plain = broker(scene, "", script)
    env = {"LD_PRELOAD": "", "CALI_LOG_VERBOSITY": "2"}
    for size in ([], ["-s1"]):
        done = support.run(scene, plain, *size, "--caliper-profile=prof", env=env)
        given = ast.literal_eval(done.out)
        assert given["LD_PRELOAD"] == "libcaliper.so"
        assert given["CALI_CONFIG_PROFILE"] == "prof"
        assert given["CALI_LOG_VERBOSITY"] == "2"
