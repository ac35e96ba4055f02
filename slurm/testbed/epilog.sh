#!/usr/bin/env bash
# Ends what a job left behind on a node: processes of the node's own PID namespace whose environment
# names the job. Used where there are no cgroups to hold them; it runs on the node, as root.
set -u
: "${SLURM_JOB_ID:?expected SLURM to set SLURM_JOB_ID for the epilog}"
for environment in /proc/[0-9]*/environ; do
    pid=${environment#/proc/}
    pid=${pid%/environ}
    # slurmstepd, this script and the two commands below carry the job's name too.
    case $pid in 1 | "$$" | "$PPID") continue ;; esac
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != slurmstepd ] || continue
    if tr '\0' '\n' 2>/dev/null <"$environment" | grep -qx "SLURM_JOB_ID=$SLURM_JOB_ID" &&
        [ "$(ps -o ppid= -p "$pid" | tr -d ' ')" != $$ ]; then
        kill -KILL "$pid" 2>/dev/null
    fi
done
exit 0
