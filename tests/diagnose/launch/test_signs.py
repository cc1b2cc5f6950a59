"""Lines that tell by themselves, also those of which there is no capture."""

from __future__ import annotations

import pytest

from tests.diagnose.launch.logs import findings, labelled, launch, put, quorum, steps

OWN = {
    "L1": ["srun: error: Invalid MPI type 'pmi9', --mpi=list for acceptable types"],
    "L2": ["srun: Required node not available (down, drained or reserved)",
           "srun: job 7 queued and waiting for resources"],
    "L3": ["srun: Job 9 step creation temporarily disabled, retrying (Requested nodes are busy)"],
    "L4": ["srun: error: Munge encode failed: Failed to access socket (Did you start munged?)"],
    "L5": ["srun: error: slurm_receive_msgs: [[n2]:6818] failed: Socket timed out",
           "srun: error: Task launch for StepId=1.0 failed on node n2: Socket timed out"],
    "L6": ["0: slurmstepd-n1: error: execve(): flux: No such file or directory"],
    "L8": ["ssh: connect to host node7 port 22: Connection refused"],
    "L9": ["mpirun has detected an attempt to run as root."],
    "L10": ["There are not enough slots available in the system to satisfy the 4"],
    "L11": ["srun: error: task 1 launch failed: Unspecified error"],
    "L12": ["0: slurmstepd-n1: error: Unable to create TMPDIR [/nope]: No such file"],
    "H2": ["[proxy:0:0@vm] fn_kvs_get (pm/pmip_pmi_v2.c:1): assert (idx != -1) failed"],
    "O1": ["prterun detected that one or more processes exited with non-zero status,"],
}  # fmt: skip

BROKER = {
    "P4": "<2>broker.crit[vm]: bootstrap: PMIX_SERVER_URI* not found in environment",
    "F3": "<2>broker.crit[0]: stdin is not a tty - can't run interactive shell",
    "F5": "<2>broker.crit[0]: rundir /tmp/x is not owned by instance owner",
    "F7": "<2>broker.crit[0]: Error parsing broker.quorum attribute",
    "N1": "<3>overlay.err[0]: could not find address associated with virbr0",
    "V1": "Nov 22 06:37:11.702552 UTC 2026 overlay.err[0]: overlay.hello: client (0.1.0) version"
          " mismatched with server (0.2.0)",
}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_launchers_lines(name: str) -> None:
    found = findings(OWN[name])
    assert set(found) == {name}
    assert not {"?", "?:"} & set(found[name].sentence.split())


@pytest.mark.parametrize("name", BROKER)
def test_what_brokers_die_of(name: str) -> None:
    found = findings(labelled(0, [BROKER[name]]))
    assert set(found) == {name}
    assert found[name].ranks == {0}


@pytest.mark.parametrize("name", ["L5", "L8", "F5", "V1"])
def test_what_they_say_is_in_the_sentence(name: str) -> None:
    lines = OWN.get(name) or labelled(0, [BROKER[name]])
    words = {"L5": "n2", "L8": "node7", "F5": "not owned by instance owner", "V1": "0.1.0"}
    assert words[name] in findings(lines)[name].sentence


def test_a_job_that_got_its_resources_is_not_queued_any_more() -> None:
    waits = OWN["L2"]
    assert not findings(waits, ["srun: job 7 has been allocated resources"])


def test_the_time_limit_is_told_with_where_it_struck() -> None:
    end = ["0: slurmstepd-n1: error: *** STEP 1.0 ON n1 CANCELLED AT 2026 DUE TO TIME LIMIT ***"]
    assert set(findings(labelled(0, put(0, 2)), end)) == {"L7", "S2"}


@pytest.mark.parametrize(
    "line",
    [
        "sh: 1: exec: flux: not found",
        "sh: 1: flux: not found",
        "bash: line 1: flux: command not found",
        "env: 'flux': No such file or directory",
        "/x/run.sh: line 3: /opt/bin/flux: No such file or directory",
    ],
)
def test_shells_that_do_not_find_flux(line: str) -> None:
    assert set(findings(labelled(1, [line]))) == {"F1"}


def test_what_the_program_prints_is_no_evidence() -> None:
    up = [*quorum(0, 1), *steps(0, "quorum-full: quorum->run")]
    noise = [line for lines in OWN.values() for line in lines if line[:4] not in ("srun", "[pro")]
    quoted = ["flux: not found", "bash: flux: command not found"]
    end = ["<6>broker.info[0]: rc2.0: x Exited (rc=0) 0.0s"]
    printed = [line.removeprefix("0: ") for line in noise if "slurmstepd" not in line]
    assert not findings(labelled(0, up), labelled(0, [*printed, *quoted]), labelled(0, end))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rc2.0: /no/prog a error launching process: No such file or directory (rc=127) 0.0s",
         "/no/prog a: error launching process: No such file or directory (rc=127)"),
        ("rc2.0: sh -c x Segmentation fault (rc=139) 0.0s", "sh -c x: Segmentation fault"),
        ("rc2.0: make Exited (rc=2) 0.0s", "make: Exited (rc=2)"),
    ],
)  # fmt: skip
def test_a_program_that_fails(line: str, words: str) -> None:
    up = [*quorum(0, 1), *steps(0, "quorum-full: quorum->run"), f"<3>broker.err[0]: {line}"]
    found = findings(labelled(0, up))
    assert set(found) == {"I2"}
    assert words in found["I2"].sentence


def test_a_leaf_that_is_lost_while_the_program_runs() -> None:
    up = [*quorum(0, 2), *steps(0, "quorum-full: quorum->run")]
    dead = ["<3>broker.err[0]: dead to Flux: node1 (rank 1)"]
    end = ["<6>broker.info[0]: rc2.0: x Exited (rc=0) 0.0s", *steps(0, "x: goodbye->exit")]
    found = findings(labelled(0, [*up, *dead, *end]))
    assert set(found) == {"X1"}
    assert "rank 1 (node1)" in found["X1"].sentence


def test_a_broker_that_does_not_end() -> None:
    end = ["<6>broker.info[0]: rc2.0: x Exited (rc=0) 0.0s", *steps(0, "done: goodbye->exit")]
    module = ["<3>broker.err[0]: broker module 'kvs' was not properly shut down"]
    assert not findings(labelled(0, [*quorum(0, 1), *end]))
    assert set(findings(labelled(0, [*quorum(0, 1), *end, *module]))) == {"X3"}


def test_exits_that_launchers_tell_in_two_lines() -> None:
    read = launch(
        ["   Process name: [prterun-vm-1@1,3]", "   Exit code:    7"],
    )
    end = read.rank(3).exit
    assert end is not None
    assert end.how == "exited with code 7"
