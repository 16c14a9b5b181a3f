#!/usr/bin/env bash
# Start a one-node Slurm with accounting for the duration of one command:
#
#   apt-get install -y --no-install-recommends slurm-wlm munge slurmdbd mariadb-server
#   bash scripts/engines/slurm.sh python -m pytest -m slurm
#
# Needs root and Debian's packages (tested with 22.05). All files are in a temporary directory, and all servers
# listen on 127.0.0.1 only; an existing Slurm installation is not modified.
# Without slurmdbd a sweep would wait forever for a job that was killed.
set -eu
[ $# -gt 0 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
home=$(mktemp -d) && chmod 755 "$home"
host=$(hostname)
cores=$(nproc)
export SLURM_CONF=$home/slurm.conf

stop() {
    for file in slurmd.pid slurmctld.pid slurmdbd.pid my/pid munge/pid; do
        if [ -s "$home/$file" ]; then
            pid=$(cat "$home/$file")
            kill "$pid" 2>/dev/null || continue
            for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep .2; done
        fi
    done
    rm -rf "$home"
}
trap stop EXIT

wait_for() { # COMMAND...: until it succeeds
    for _ in $(seq 150); do "$@" >/dev/null 2>&1 && return; sleep .2; done
    echo "not ready: $*" >&2
    tail -n 5 "$home"/log/* >&2
    exit 1
}

mkdir -p "$home"/{state,spool,log,munge,my}
chown munge "$home/munge"
chown mysql "$home/my"
cat >"$SLURM_CONF" <<END
ClusterName=gansweep
SlurmctldHost=$host(127.0.0.1)
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$home/munge/sock
CredType=cred/munge
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$home/state
SlurmdSpoolDir=$home/spool
SlurmctldPidFile=$home/slurmctld.pid
SlurmdPidFile=$home/slurmd.pid
SlurmctldLogFile=$home/log/slurmctld.log
SlurmdLogFile=$home/log/slurmd.log
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=16819
AccountingStoragePass=$home/munge/sock
JobAcctGatherType=jobacct_gather/linux
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cores Boards=1 SocketsPerBoard=1 CoresPerSocket=$cores ThreadsPerCore=1 RealMemory=4000 State=UNKNOWN
PartitionName=debug Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
cat >"$home/slurmdbd.conf" <<END
AuthType=auth/munge
AuthInfo=socket=$home/munge/sock
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=16819
SlurmUser=root
LogFile=$home/log/slurmdbd.log
PidFile=$home/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=x
StorageLoc=slurm_acct_db
CommunicationParameters=NoInAddrAny
END
chmod 600 "$home/slurmdbd.conf"

su -s /bin/sh munge -c "/usr/sbin/munged --key-file=/etc/munge/munge.key --socket=$home/munge/sock \
    --pid-file=$home/munge/pid --log-file=$home/munge/log --seed-file=$home/munge/seed"
mariadb-install-db --no-defaults --user=mysql --datadir="$home/my/data" >"$home/log/install.log" 2>&1
setsid mariadbd --no-defaults --user=mysql --datadir="$home/my/data" --socket="$home/my/sock" \
    --pid-file="$home/my/pid" --skip-networking --innodb-buffer-pool-size=64M \
    --innodb-lock-wait-timeout=900 >"$home/log/mariadb.log" 2>&1 </dev/null &
wait_for mariadb -S "$home/my/sock" -e 'select 1'
mariadb -S "$home/my/sock" -e "create database slurm_acct_db;
    create user slurm@localhost identified by 'x'; grant all on slurm_acct_db.* to slurm@localhost"
MYSQL_UNIX_PORT=$home/my/sock setsid /usr/sbin/slurmdbd -D >"$home/log/slurmdbd.out" 2>&1 </dev/null &
wait_for sacctmgr -i -n show cluster
sacctmgr -i add cluster gansweep >/dev/null 2>&1 || true
setsid /usr/sbin/slurmctld -D >"$home/log/slurmctld.out" 2>&1 </dev/null &
wait_for sinfo
setsid /usr/sbin/slurmd -D >"$home/log/slurmd.out" 2>&1 </dev/null &
wait_for sh -c 'sinfo -h -o %T | grep -q idle'
sinfo
"$@"
