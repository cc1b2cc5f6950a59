#!/bin/sh
# Brings up a Slurm of three nodes on the loopback interface, for tests; as root, on a machine that
# has nothing else to do. Debian's and Ubuntu's slurm-wlm and munge are installed.
set -eu
folder=${1:-/var/tmp/slurm}
host=$(hostname -s)
mkdir -p "$folder/state" /etc/slurm
[ -f /etc/munge/munge.key ] || mungekey --create
pgrep -x munged >/dev/null || {
    mkdir -p /run/munge
    chown munge: /run/munge
    runuser -u munge -- munged
}
cat >/etc/slurm/slurm.conf <<CONF
ClusterName=loop
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool.%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
CommunicationParameters=NoInAddrAny
PropagateResourceLimits=NONE
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=17001 CPUs=8 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=17002 CPUs=8 State=UNKNOWN
NodeName=n3 NodeHostname=$host NodeAddr=127.0.0.1 Port=17003 CPUs=8 State=UNKNOWN
PartitionName=debug Nodes=n[1-3] Default=YES State=UP OverSubscribe=FORCE:4
CONF
slurmctld -c
for node in n1 n2 n3; do
    mkdir -p "$folder/spool.$node"
    slurmd -N $node
done
for _ in $(seq 60); do
    [ "$(sinfo -h -o '%T %D')" = "idle 3" ] && exit 0
    sleep 0.5
done
sinfo
exit 1
