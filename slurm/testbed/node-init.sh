#!/usr/bin/env bash
# Process 1 of a node: gives the node its name, its list of hosts and its local disk, then runs slurmd.
# It stays, and collects processes that have lost their parent. Started by node.sh only.
set -euo pipefail
name=$1 configuration=$2 hosts=$3 disk=$4 size=$5

hostname "$name"
mount --bind "$hosts" /etc/hosts
mount -t tmpfs -o "size=$size,mode=1777" "ladon-$name" "$disk"
slurmd -D -N "$name" -f "$configuration" &
wait $!
