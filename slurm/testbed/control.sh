# shellcheck shell=bash
# What runs on the host: munged, MariaDB with slurmdbd for the accounting, and slurmctld.

# shellcheck disable=SC2034
DAEMONS=(munged mariadbd slurmdbd slurmctld)

start_munged() {
    local key=$CONFIGURATION/munge.key
    [ -s "$key" ] || (umask 077 && head -c 1024 /dev/urandom >"$key")
    launch munged munged --foreground --force --num-threads=2 --key-file="$key" \
        --socket="$RUN/munge.socket" --pid-file="$RUN/munged.own.pid" \
        --seed-file="$STATE/munge.seed" --log-file="$LOGS/munged.log"
    wait_until 10 "munged to encode a credential" timeout 5 munge --socket="$RUN/munge.socket" --no-input
}

database() { # standard input is SQL
    mariadb --no-defaults --user=root --socket="$RUN/mariadb/socket"
}

database_answers() {
    database <<<"SELECT 1"
}

start_mariadbd() {
    local data=$STATE/mariadb
    command install -d -o mysql -g mysql -m 755 "$RUN/mariadb"
    if [ ! -d "$data" ]; then
        rm -rf "$data.new"
        mariadb-install-db --no-defaults --user=mysql --datadir="$data.new" --skip-test-db \
            --innodb-log-file-size=16M >"$LOGS/mariadb-install-db.out" 2>&1 ||
            fail "expected mariadb-install-db to make a database; it says why in $LOGS/mariadb-install-db.out"
        mv "$data.new" "$data"
    fi
    launch mariadbd mariadbd --no-defaults --user=mysql --datadir="$data" \
        --socket="$RUN/mariadb/socket" --pid-file="$RUN/mariadb/own.pid" \
        --bind-address=127.0.0.1 --port="$DATABASE_PORT" --skip-name-resolve \
        --innodb-buffer-pool-size=64M --innodb-log-file-size=16M \
        --innodb-flush-log-at-trx-commit=0 --innodb-lock-wait-timeout=900
    wait_until 30 "MariaDB to answer" database_answers
    database <<EOSQL
CREATE DATABASE IF NOT EXISTS slurm_acct_db;
CREATE OR REPLACE USER 'slurm'@'127.0.0.1' IDENTIFIED BY '$(password)';
GRANT ALL ON slurm_acct_db.* TO 'slurm'@'127.0.0.1';
EOSQL
}

start_slurmdbd() {
    # slurmdbd reads slurmdbd.conf beside the slurm.conf that it is told of.
    launch slurmdbd env SLURM_CONF="$SLURM_CONFIGURATION" slurmdbd -D
    wait_until 40 "slurmdbd to answer" timeout 5 sacctmgr --noheader --parsable2 list cluster
    make_accounts
}

make_accounts() {
    local user
    [ -n "$(sacctmgr -nP list cluster ladon format=cluster)" ] || sacctmgr -iQ add cluster ladon >/dev/null
    [ -n "$(sacctmgr -nP list account "$ACCOUNT" format=account)" ] ||
        sacctmgr -iQ add account "$ACCOUNT" cluster=ladon description=testbed organization=testbed >/dev/null
    for user in root "$TESTBED_USER"; do
        [ -n "$(sacctmgr -nP list assoc cluster=ladon account="$ACCOUNT" user="$user" format=user)" ] ||
            sacctmgr -iQ add user "$user" account="$ACCOUNT" cluster=ladon defaultaccount="$ACCOUNT" >/dev/null
    done
}

controller_answers() {
    timeout 5 scontrol ping | grep -q "is UP"
}

start_slurmctld() { # recovered | anew: with its jobs, or without them (their numbers go on)
    local options=(-D -f "$SLURM_CONFIGURATION")
    [ "$1" = recovered ] || options+=(-c)
    launch slurmctld slurmctld "${options[@]}"
    wait_until 20 "slurmctld to answer" controller_answers
}

# strict refuses an account that does not exist, or is not the user's; open takes any.
set_accounts() { # strict | open
    local line="AccountingStorageEnforce=associations"
    case $1 in
    strict) sed -i "s/^#$line/$line/" "$SLURM_CONFIGURATION" ;;
    open) sed -i "s/^$line/#$line/" "$SLURM_CONFIGURATION" ;;
    *) fail "expected accounts strict or accounts open, found '$1'" ;;
    esac
    halt slurmctld
    start_slurmctld recovered
    say "accounts are $1"
}

cancel_jobs() { # so that nothing is requeued by the next start
    local jobs
    alive slurmctld || return 0
    jobs=$(timeout 10 squeue --noheader --format=%A | sort -u) || return 0
    # shellcheck disable=SC2086
    [ -z "$jobs" ] || timeout 10 scancel $jobs || true
}
