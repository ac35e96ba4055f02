# shellcheck shell=bash disable=SC2034
# Names, addresses, sizes and places of the testbed; sourced by testbed.sh, read by every other part.

PATH=$PATH:/usr/sbin:/sbin
STATE=${LADON_TESTBED:-/var/lib/ladon-testbed}
NETWORK=${LADON_TESTBED_NETWORK:-10.213.77}      # first three numbers of the bridge's addresses
MEMORY_MODE=${LADON_TESTBED_MEMORY:-auto}        # auto | cgroup | poll: how a job's memory is limited
NODE_CPUS=${LADON_TESTBED_CPUS:-4}               # per node, whatever the machine has
NODE_MEMORY_MB=${LADON_TESTBED_MEMORY_MB:-6000}
NODE_GPUS=2                                      # fake ones, on each node of the gpu partition
LOCAL_DISK_MB=${LADON_TESTBED_LOCAL_MB:-2000}    # node-local disk, a tmpfs

CPU_NODES=(cpu1 cpu2)
GPU_NODES=(gpu1 gpu2)
NODES=("${CPU_NODES[@]}" "${GPU_NODES[@]}")
BRIDGE=ladon0
HOST_ADDRESS=$NETWORK.1
TESTBED_USER=ladon                               # the ordinary user who submits in tests
ACCOUNT=ladon
DATABASE_PORT=33877

CONFIGURATION=$STATE/etc
SLURM_CONFIGURATION=$CONFIGURATION/slurm.conf
SYSTEM_CONFIGURATION=/etc/slurm/slurm.conf       # where clients look when nothing tells them
SYSTEM_BACKUP=$SYSTEM_CONFIGURATION.before-ladon-testbed
LOGS=$STATE/logs
RUN=$STATE/run
LOCAL_DISK=$STATE/local                          # another folder on every node
HOST=$(hostname -s)

fail() {
    echo "testbed: $*" >&2
    exit 1
}

say() {
    echo "testbed: $*"
}

require_root() {
    [ "$(id -u)" = 0 ] || fail "expected to run '$1' as root, found user $(id -un); run: sudo $0 $1"
}

address_of() { # NODE: its address on the bridge
    local index
    for index in "${!NODES[@]}"; do
        if [ "${NODES[$index]}" = "$1" ]; then
            echo "$NETWORK.$((11 + index))"
            return
        fi
    done
    fail "expected a node of ${NODES[*]}, found '$1'"
}
