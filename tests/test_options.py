"""The command line is flux start's, to the letter."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui import options
from fluxstart_tui.options.table import TABLE
from tests import support

DATA = Path(__file__).parent / "data" / "options.txt"
LIBEXEC = "/usr/libexec/flux/cmd"

DIFFERENCES = {
    "--rundir=/tmp true": "the manual page's option, which no real version has",
    "--caliper-profile=x true": "an option of versions up to 0.69",
    "-s2 -vX --test-rundir= prog": "recorded with a shell variable that was empty",
    "--test-size=2 -X -v --test-start-mode=leader prog": "the original crashes here",
}


def recorded() -> list[tuple[str, str, int]]:
    """Return (arguments, output, exit code) of each recorded command line."""
    cases = []
    for block in DATA.read_text().split("$ flux start")[1:]:
        line, _, rest = block.partition("\n")
        output, _, code = rest.partition("  => rc=")
        if line.strip() not in DIFFERENCES:
            cases.append((line.strip(), output, int(code.split()[0])))
    return cases


@pytest.fixture(scope="module")
def flux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a directory that looks like an installed Flux whose start command is ours."""
    base = tmp_path_factory.mktemp("flux")
    support.script(base / "flux-broker", "#!/bin/sh\nexit 99\n")
    support.script(
        base / "flux", '#!/bin/sh\n[ "$*" = "config builtin confdir" ] && echo /usr/etc/flux\n'
    )
    support.script(
        base / "flux-start",
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(support.ROOT)!r})\n"
        "from fluxstart_tui.cli import main\nsys.exit(main())\n",
    )
    return base


def normal(text: str) -> str:
    """Blank out what differs from run to run."""
    return re.sub(r"/tmp/flux-\w{6}", "RUNDIR", text)


@pytest.mark.parametrize(("line", "output", "code"), recorded(), ids=lambda value: str(value)[:60])
def test_answers_as_the_original_did(flux: Path, line: str, output: str, code: int) -> None:
    """Each recorded command line gets the recorded text and exit code."""
    env = support.environment(Path("/tmp"), {"FLUX_EXEC_PATH": str(flux)})
    env["PATH"] = f"{flux}:{env['PATH']}"
    done = subprocess.run(
        [str(flux / "flux-start"), *shlex.split(line)],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=support.PATIENCE,
        check=False,
    )
    assert normal(done.stdout.replace(str(flux), LIBEXEC)) == normal(output)
    assert done.returncode == code


def test_the_recording_is_there() -> None:
    """The table above is not empty, and each stated difference is one of its lines."""
    assert len(recorded()) > 80
    text = DATA.read_text()
    assert all(f"$ flux start {line}\n" in text for line in DIFFERENCES)


def parse(*words: str) -> options.Options:
    return options.parse("flux-start", words).finish()


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (["--rec="], "recovery_target", ""),
        (["-r", "x"], "command", ("x",)),
        (["-rDIR"], "recovery_target", "DIR"),
        (["--v"], "verbose", 1),
        (["-vv", "--verbose=0", "-v"], "verbose", 0),
        (["--verbose=1", "--verbose=3"], "verbose", 3),
        (["-ls3"], "label_io", True),
        (["-s3", "--test-exit-timeout=1m"], "exit_timeout", 60.0),
        (["--killer-timeout=2"], "exit_timeout", 2.0),
        (["-s2", "--test-exit-timeout=1", "--killer-timeout=2"], "exit_timeout", 1.0),
        (["--wrap=a,b", "--wrap", "c"], "wrap", ("a", "b", "c")),
        (["-s4", "--wrap=x", "--wrap-ranks=0,2-3"], "wrap_ranks", frozenset({0, 2, 3})),
        (["-s4"], "pty", None),
        (["-s3", "--pty=all"], "pty", frozenset({0, 1, 2})),
        (["-s3", "--pty=leader"], "pty", frozenset({0})),
        (["-s3", "--pty=1-2"], "pty", frozenset({1, 2})),
        (["--caliper-profile=p"], "caliper_profile", "p"),
        (["--caliper-profile=p", "--caliper-profile=q"], "caliper_profile", None),
        (["--test-size=2", "--rundir=x"], "rundir", "x"),
        (["--", "-v"], "command", ("-v",)),
        (["-", "-v"], "command", ("-", "-v")),
    ],
)
def test_grammar(words: list[str], field: str, value: object) -> None:
    """Values, bundles, prefixes and repeats come out as flux start takes them."""
    assert getattr(parse(*words), field) == value


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--head"], "unrecognized option '--head'"),
        (["--label"], "unrecognized option '--label'"),
        (["--wrap-r=0"], "unrecognized option '--wrap-r=0'"),
        (["--c"], "unrecognized option '--c'"),
        (["--rundir=x"], "--rundir only works with --test-size"),
        (["-s1", "--rundir=x", "--test-rundir=y"], "--rundir and --test-rundir exclude each other"),
        (["-s4", "--wrap=x", "--wrap-ranks=x"], "--wrap-ranks: "),
        (["-s4", "--wrap-ranks=0"], "--wrap-ranks only works with --wrap"),
        (["--wrap=x", "--wrap-ranks=0"], "--wrap-ranks only works with --test-size"),
        (["-s2", "--wrap=x", "--wrap-ranks=2"], "--wrap-ranks: '2' is not a set of ranks below 2"),
        (["--pty=all"], "--pty only works with --test-size"),
        (["-s2", "--pty=al"], "--pty: "),
        (["-s2", "--pty=2"], "--pty: '2' is not a set of ranks below 2"),
        (["-s2", "--wrap=x", "--wrap-ranks="], "--wrap-ranks: '' is not a set of ranks below 2"),
        (["-vs"], "'-vs' missing argument"),
        (["--headless=1"], "unrecognized option '--headless=1'"),
    ],
)
def test_refusals(words: list[str], text: str) -> None:
    """Our options are spelled in full, and what is refused is named."""
    with pytest.raises(options.UsageError) as caught:
        parse(*words)
    assert str(caught.value).startswith(f"flux-start: {text}")


def test_help_ends_parsing_at_once() -> None:
    """A mistake after --help is not met; one before it is."""
    with pytest.raises(options.HelpRequested):
        parse("-h", "-z")
    with pytest.raises(options.UsageError):
        parse("-z", "-h")


def test_help_goes_to_stderr_and_groups_options(scene: Path) -> None:
    """Usage is flux start's own text first, then ours, on stderr with exit code 0."""
    done = support.run(scene, "--help")
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("Usage: fluxstart-tui [OPTIONS] command ...\n  -h, --help      ")
    for option in TABLE:
        assert (f"--{option.name}" in done.err) == (option.name != "killer-timeout")


@given(st.lists(st.text(alphabet="-svorSXhlc=,1 abz", max_size=8), max_size=5))
def test_any_words_parse_or_are_refused(words: list[str]) -> None:
    """No command line makes the parser fail in another way than by saying so."""
    try:
        chosen = parse(*words)
    except (options.UsageError, options.HelpRequested):
        return
    assert list(chosen.command) == words[len(words) - len(chosen.command) :]
