# shellcheck shell=bash
# A bridge on the host, and for each node a network namespace with one cable to the bridge.
# The namespace and the host's end of the cable are both called ladon-<node>; inside it is eth0.

HOSTS_BEGIN="# ladon-testbed: written by testbed.sh up, removed by testbed.sh down"
HOSTS_END="# ladon-testbed: end"

make_bridge() {
    if ! ip link show "$BRIDGE" >/dev/null 2>&1; then
        ip link add "$BRIDGE" type bridge ||
            fail "expected to be allowed to make a network bridge (capability NET_ADMIN); run on a machine of your own, or in a privileged container"
    fi
    ip address replace "$HOST_ADDRESS/24" dev "$BRIDGE"
    ip link set "$BRIDGE" up
}

make_cable() { # NODE
    local space=ladon-$1
    ip netns list | grep -qw "$space" || ip netns add "$space"
    if ! ip link show "$space" >/dev/null 2>&1; then
        ip link add "$space" type veth peer name eth0 netns "$space"
        ip link set "$space" master "$BRIDGE"
        ip -n "$space" address add "$(address_of "$1")/24" dev eth0
        ip -n "$space" link set lo up
        ip -n "$space" link set eth0 up
    fi
    ip link set "$space" up
}

remove_network() {
    local node
    for node in "${NODES[@]}"; do
        ip link delete "ladon-$node" 2>/dev/null || true
        ip netns delete "ladon-$node" 2>/dev/null || true
    done
    ip link delete "$BRIDGE" 2>/dev/null || true
}

node_names() {
    local node
    for node in "${NODES[@]}"; do
        echo "$(address_of "$node") $node"
    done
}

forget_names() {
    local kept
    grep -qF "$HOSTS_BEGIN" /etc/hosts || return 0
    kept=$(sed "/^$HOSTS_BEGIN\$/,/^$HOSTS_END\$/d" /etc/hosts)
    # Written in place: in a container /etc/hosts is a mount and cannot be replaced.
    printf '%s\n' "$kept" >/etc/hosts
}

# The host finds the nodes by name; the nodes have a file of their own (node-init.sh), where the
# host's name is its address on the bridge and not the loopback.
publish_names() {
    forget_names
    { echo "$HOSTS_BEGIN" && node_names && echo "$HOSTS_END"; } >>/etc/hosts
    { echo "127.0.0.1 localhost" && echo "$HOST_ADDRESS $HOST" && node_names; } >"$CONFIGURATION/hosts"
}

linked() { # NODE: the cable is plugged in
    ip -o link show "ladon-$1" up 2>/dev/null | grep -q .
}

cut_node() { # NODE
    require_root cut
    address_of "$1" >/dev/null
    ip link set "ladon-$1" down
    say "$1 is cut off; slurmctld calls it down after SlurmdTimeout"
}

# slurmctld does not ask a node again that it has called down, and a node that had nothing to say
# meanwhile stays down for minutes; an administrator says that it is back.
heal_node() { # NODE
    require_root heal
    address_of "$1" >/dev/null
    ip link set "ladon-$1" up
    resume_node "$1"
    say "$1 is on the network again"
}
