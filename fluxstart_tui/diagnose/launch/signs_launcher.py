"""Signatures of what launchers say themselves."""

from __future__ import annotations

import re

from fluxstart_tui.diagnose.launch.signs import Sign, Signs

LAUNCHER = Signs(
    (
        Sign("L1", r"srun: error: .*(?:Invalid MPI type '(.*)'|cannot find mpi plugin for (\S+))",
             "this Slurm has no MPI plugin '{0}'",
             ("srun --mpi=list", "srun --mpi=pmi2 ..."), "6", ends=True),
        Sign("L2", r"srun: (?:job (\d+) queued and waiting for resources|Required node not"
             r" available.*|Requested partition configuration not available now.*)",
             "nothing has been started: Slurm's queue holds the job back",
             ("squeue --me -o '%i %T %r'",), "1"),
        Sign("L3", r"srun: Job (\d+) step creation (?:temporarily disabled|still disabled),"
             r" retrying \((.*)\)",
             "another step of job {0} holds the resources ({1})",
             ("srun --overlap ...", "squeue -s -j {0}   # and end the other step")),
        Sign("L4", r"(?:srun|salloc|slurmstepd\S*): (?:error|fatal): (Munge (?:encode|decode)"
             r" failed.*|.*(?:Expired|Rewound) credential.*|authentication: .*)",
             "Slurm's authentication fails before anything is launched: {0}",
             ("munge -n | unmunge   # on both hosts; compare their clocks",), ends=True),
        Sign("L5", r"srun: error: (?:Task launch for StepId=\S+ failed on node (\S+): (.*)"
             r"|slurm_receive_msgs: .*|Node failure on (\S+)(.*))",
             "node {0} never started its task: {1}", ("srun -x {0} ...", "scontrol show node {0}"),
             "8", ends=True),
        Sign("L6", r"slurmstepd\S*: error: execve\(\): (\S*flux\S*): (.*)"
             r"|.*\] .*execvp error on file (\S*flux\S*) \((.*)\)"
             r"|(?:prterun|mpirun) was unable to (find) the (specified executable)"
             r"|.*Executable: +(\S*flux)()$"
             r"|\d[\d.]*s: flux-shell\[\d+\]: FATAL: task \d+ \(host \S+\): start failed:"
             r" (\S*flux\S*): (No such file or directory)",
             "flux was not found where the tasks start",
             ("/full/path/to/flux start ...", "srun --export=ALL ..."), ends=True),
        Sign("L7", r"slurmstepd\S*: error: \*\*\* (?:STEP|JOB) \S+ .*DUE TO TIME LIMIT"
             r"|\d[\d.]*s: job\.exception \S+ type=timeout severity=0 ",
             "the launch was ended at its time limit",
             ("srun -t 10 ...", "flux run -t 10m ...")),
        Sign("L8", r"ssh: (?:Could not resolve hostname (\S+?):? .*|connect to host (\S+) port .*)"
             r"|(?:(\S+): )?Permission denied \(.*publickey.*|Host key verification failed.*",
             "the remote shell to {0} failed: the ranks on it never start",
             ("ssh {0} true", "mpiexec.hydra -launcher ssh -f HOSTFILE ..."), "3"),
        Sign("L9", r".*attempt to run as root|.*has detected an attempt to run as root",
             "mpirun refuses to run as root", ("mpirun --allow-run-as-root ...",), ends=True),
        Sign("L10", r"There are not enough slots available",
             "mpirun has fewer slots than tasks were asked for",
             ("mpirun --map-by :OVERSUBSCRIBE ...", "mpirun --oversubscribe ...   # Open MPI 4"),
             ends=True),
        Sign("L11", r"srun: error: task (\S+) launch failed: (.*)"
             r"|srun: .*(aborted) (before step completely launched.*)",
             "Slurm's MPI plugin failed on a node: {1}",
             ("srun --mpi=pmi2 ...", "journalctl -u slurmd   # on that node"), ends=True),
        Sign("L12", r"slurmstepd\S*: error: Unable to create TMPDIR \[(.*)\]",
             "TMPDIR {0} does not exist on a node; Slurm took /tmp instead", ("unset TMPDIR",)),
        Sign("H1", r"=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES"
             # Its proxy has stumbled over the rank that was just gone.
             r"|\[mpiexec@\S+\] control_cb .*assert \(!closed\) failed",
             "Hydra killed the rest after one process had ended badly; look for the first error"
             " of a rank",
             (), "2, 3", ends=True),
        Sign("H2", r"\[proxy:\S+\] .*(?:PMI handler returned error|unable to find pmirank token)"
             r"|.*fn_kvs_get.*assert \(idx != -1\) failed",
             "Hydra's PMI server stumbled over a client it does not understand (a libpmi2 that is"
             " not its own, or -pmi-port)",
             ("mpiexec.hydra ...   # without -pmi-port", "FLUX_PMI_CLIENT_METHODS=simple"), "6",
             ends=True),
        # Hydra's -v shows its answers; what follows from this one is told by signs_flux.py.
        Sign("P7", r"\s*cmd=response_to_init rc=0 pmi_version=1 (pmi_subversion=[2-9])", ""),
        Sign("K1", r"srun: launch/slurm: _step_signal: Terminating StepId",
             "srun ended the step because of a task that had failed (-K, -W or KillOnBadExit)", (),
             "3", ends=True),
        Sign("D1", r".*exit-timeout=\S+ has expired",
             "the job shell ended the job because a task had exited",
             ("flux run -o exit-timeout=none ...",), ends=True),
        Sign("O1", r"(?:prterun|mpirun|mpiexec|orterun) (?:detected that one or more processes"
             r" exited|noticed that process rank)|Primary job +terminated normally, but",
             "mpirun ended the rest because one process had failed", (), "3", ends=True),
    )
)  # fmt: skip
"""Lines of launchers."""

STOP = re.compile(
    r"srun: (?:forcing job termination|Terminating job step|sending Ctrl-C to)"
    r"|\[mpiexec@[^\]]*\] (?:Sending Ctrl-C to processes|Ctrl-C caught)"
    r"|.*\*\*\* (?:STEP|JOB) \S+ .*CANCELLED"
    r"|(?:mpirun|prterun|mpiexec): (?:killing job|abort is already|Forwarding signal)"
    r"|\d[\d.]*s: job\.exception \S+ type=(?:timeout|cancel) severity=0 "
    r"|flux-start: interrupt|\^C"
)
"""Lines by which a launcher says that it was told to end: what follows is no evidence."""

EXITED = re.compile(
    r"srun: error: (?P<host>\S+): tasks? (?P<ranks>[\d,-]+): (?P<how>.+)"
    r"|srun: StepId=\S+ tasks? (?P<states>[\d,-]+): (?P<state>exited\S*.*)"
    r"|(?:mpirun|prterun|mpiexec) noticed that process rank (?P<rank>\d+) with PID \d+ on node \S+"
    r" (?P<noticed>.+)"
    r"|\d[\d.]*s: flux-shell\[\d+\]: FATAL: task-exit: .*task rank (?P<task>\d+) on host \S+"
    r" (?P<left>exited \(.*?\))"
    # gforker's list of all ends; what ^C to it or its own signals to the rest do is left out.
    r"|\[\d+\](?P<forked>\d+):Return code = \d+, signaled with"
    r" (?P<signaled>(?!Interrupt|Quit|Terminated).+)"
)
"""Lines by which a launcher tells how tasks ended."""

WHY = ("D1", "K1", "O1")
"""Signs by which a launcher tells why it ended the others, though they may have been signalled by
then. Hydra's is none: it comes too when somebody has ended Hydra."""

BY_SIGNAL = re.compile(r"signal \d+ \(.*\)")
"""What follows in the next line where Open MPI noticed how a process `exited on`."""

PROCESS = re.compile(r" *Process name: \[.*,(\d+)\]")
CODE = re.compile(r" *Exit code: +(\d+)")
"""Open MPI tells rank and code on two lines."""

ALLOCATED = re.compile(r"srun: (?:job \d+ has been allocated|Step created for job)")
SALLOC = re.compile(r"salloc: (?:Granted job|Nodes (?P<nodes>\S+) are ready)")
BURST = re.compile(
    r".+?(?=srun: (?:error: \S+: tasks? [\d,-]+: |forcing job |Job step aborted|launch/slurm: "
    r"|Terminating |StepId=|sending Ctrl-C ))",
    re.DOTALL,
)
"""A task's line that was cut off, and srun's own after it."""

GLUED = re.compile(r"(\[(?:mpiexec|proxy)[^\]]*\]) (.*)", re.DOTALL)
"""Hydra's own prefix, sometimes written into a task's line."""
