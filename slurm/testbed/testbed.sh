#!/usr/bin/env bash
# A SLURM cluster on this machine: controller, accounting, two nodes with and two without (fake) GPUs.
#   testbed.sh install        Debian packages and the user `ladon`               (as root, like all but status and env)
#   testbed.sh up             start what does not run; well after a crash too
#   testbed.sh down           end every process, namespace, mount and bridge of it; logs and accounting stay
#   testbed.sh status         what runs; exit code 0 when all of it does
#   testbed.sh cut NODE       pull the node's network cable       heal NODE   plug it in again
#   testbed.sh stop PART      end one daemon (munged, mariadbd, slurmdbd, slurmctld) or node; `up` starts it again
#   testbed.sh accounts strict|open  refuse jobs of accounts that do not exist, or take any (the start)
#   testbed.sh exec NODE CMD  run a command on a node, past SLURM
#   testbed.sh env            line for `eval` that tells clients the configuration, where /etc/slurm is not ours
# Everything lies below $LADON_TESTBED (default /var/lib/ladon-testbed). Other settings: settings.sh.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in settings process install network configuration control node; do
    # shellcheck source=/dev/null
    . "$HERE/$part.sh"
done
export SLURM_CONF=$SLURM_CONFIGURATION

locked() { # COMMAND...: one `up` or `down` at a time
    # shellcheck disable=SC2153
    mkdir -p "$STATE"
    exec 9>"$STATE/lock"
    flock --timeout 120 9 || fail "expected the lock $STATE/lock within 120 s; another testbed.sh is at work"
    "$@"
}

make_folders() {
    mkdir -p "$CONFIGURATION" "$LOGS" "$RUN" "$STATE/controller" "$STATE/spool" "$LOCAL_DISK"
    # The spool holds the scripts of jobs, which run as their users.
    chmod 755 "$STATE" "$CONFIGURATION" "$LOGS" "$RUN" "$LOCAL_DISK" "$STATE/spool"
    chmod 700 "$STATE/controller"
}

anything_runs() {
    local name
    for name in "${DAEMONS[@]}" "${NODES[@]/#/node-}"; do
        ! alive "$name" || return 0
    done
    return 1
}

up() {
    local jobs=recovered node
    make_folders
    if ! anything_runs; then
        # From nothing: configured anew, and jobs of an earlier life are forgotten.
        remove_network
        write_configuration
        jobs=anew
    fi
    make_bridge
    publish_names
    link_configuration
    start_munged
    for node in "${NODES[@]}"; do
        alive "node-$node" || stop_node "$node"
        start_node "$node"
    done
    start_mariadbd
    start_slurmdbd
    start_slurmctld "$jobs"
    for node in "${NODES[@]}"; do
        wait_for_node "$node"
    done
    say "up: $(sinfo --noheader --format='%R %D %t' | paste -sd ';' | sed 's/;/; /g'); $(memory_sentence)"
}

down() {
    local node index
    cancel_jobs
    for node in "${NODES[@]}"; do
        stop_node "$node"
    done
    for ((index = ${#DAEMONS[@]} - 1; index >= 0; index--)); do
        halt "${DAEMONS[$index]}" 20
    done
    remove_network
    forget_names
    unlink_configuration
    rm -rf "$RUN"
    say "down; logs and accounting stay in $STATE"
}

stop_part() { # NAME
    case " ${NODES[*]} " in *" $1 "*)
        stop_node "$1"
        return
        ;;
    esac
    [[ " ${DAEMONS[*]} " == *" $1 "* ]] || fail "expected one of ${DAEMONS[*]} ${NODES[*]}, found '$1'"
    halt "$1"
}

status() {
    local name state whole=0
    for name in "${DAEMONS[@]}"; do
        state=running
        alive "$name" || { state=stopped && whole=1; }
        printf '%-10s %-8s\n' "$name" "$state"
    done
    for name in "${NODES[@]}"; do
        state=$(node_state "$name")
        node_serves "$name" || whole=1
        alive "node-$name" || { state=stopped && whole=1; }
        linked "$name" || { state="${state:-unknown}, cut off" && whole=1; }
        printf '%-10s %-8s %s\n' "$name" "${state:-unknown}" "$(address_of "$name")"
    done
    memory_sentence
    return "$whole"
}

usage() {
    sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

command=${1:-}
[ $# = 0 ] || shift
case $command-$# in
install-0) install ;;
up-0)
    require_root up
    require_installed
    locked up
    ;;
down-0)
    require_root down
    locked down
    ;;
status-0) status ;;
cut-1) cut_node "$1" ;;
heal-1) heal_node "$1" ;;
stop-1)
    require_root stop
    locked stop_part "$1"
    ;;
accounts-1)
    require_root accounts
    locked set_accounts "$1"
    ;;
exec-0 | exec-1) usage ;;
exec-*) enter_node "$@" ;;
env-0) echo "export SLURM_CONF=$SLURM_CONFIGURATION" ;;
*) usage ;;
esac
