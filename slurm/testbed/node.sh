# shellcheck shell=bash
# A node: slurmd in a network, PID, mount and UTS namespace of its own.

start_node() { # NODE
    make_cable "$1"
    mkdir -p "$STATE/spool/$1"
    # Not `ip netns exec`: it mounts a fresh /sys without the cgroups that slurmd looks for.
    # When the first process of a PID namespace ends, the kernel ends all others of it.
    launch "node-$1" nsenter --net="/run/netns/ladon-$1" \
        unshare --uts --mount --propagation slave --pid --fork --kill-child --mount-proc \
        "$HERE/node-init.sh" "$1" "$SLURM_CONFIGURATION" "$CONFIGURATION/hosts" "$LOCAL_DISK" "${LOCAL_DISK_MB}m"
}

stop_node() { # NODE: like pulling its plug
    local pid
    if pid=$(pid_of "node-$1"); then
        kill -KILL "$pid" 2>/dev/null || true
        wait_until 10 "the processes of $1 to end" node_is_gone "$1"
    fi
    rm -f "$RUN/node-$1.pid"
    remove_cgroups "$1"
}

node_is_gone() { # NODE
    ! alive "node-$1"
}

# SLURM gives every slurmd a tree of cgroups that bears the node's name.
remove_cgroups() { # NODE
    local tree
    for tree in /sys/fs/cgroup/*/"slurm_$1"; do
        [ ! -d "$tree" ] || find "$tree" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
}

first_process() { # NODE: the host's number of the node's process 1
    local pid
    pid=$(pid_of "node-$1") || fail "expected $1 to run; run: $0 up"
    pgrep --parent "$pid" | head -n 1
}

enter_node() { # NODE COMMAND...
    local pid
    require_root exec
    address_of "$1" >/dev/null
    pid=$(first_process "$1")
    shift
    exec nsenter --target "$pid" --net --uts --mount --pid -- "$@"
}

node_state() { # NODE: as SLURM sees it, in one word
    { timeout 5 sinfo --noheader --Node --nodes="$1" --format=%T 2>/dev/null || true; } | head -n 1
}

node_serves() { # NODE
    case $(node_state "$1") in
    idle | mixed | allocated | completing) return 0 ;;
    *) return 1 ;;
    esac
}

# A node that went down while nobody was there to take it back, or that somebody drained.
resume_node() { # NODE
    case $(node_state "$1") in
    down* | drain*) scontrol update NodeName="$1" State=RESUME 2>/dev/null || true ;;
    esac
}

wait_for_node() { # NODE
    local waits=120
    until node_serves "$1"; do
        waits=$((waits - 1))
        [ "$waits" -gt 0 ] || fail "expected $1 to be idle within 60 s, found '$(node_state "$1")'; read $LOGS/slurmd-$1.log"
        [ $((waits % 10)) != 0 ] || resume_node "$1"
        sleep 0.5
    done
}
