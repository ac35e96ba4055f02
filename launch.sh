#!/bin/bash
# The whole run as one SLURM job that submits the others:
#     sbatch launch.sh [verb] [hydra overrides]      e.g. sbatch launch.sh site=testbed channel=hyy
# Options of sbatch go before its name: sbatch --account=physics --time=24:00:00 launch.sh site=mine
# This job is small: it plans, submits and waits. Its exit code is the run's: 0 done, 1 failed, 2 a mistake
# in what was asked for. When it is cancelled or dies, the run's jobs and servers are cancelled too; the same
# command continues the run. Some minutes before its walltime it stops in good order, and with
# site.requeue=true goes back into the queue to continue.
#   LADON_HOME   folder of Ladon, where it cannot be found from this file
#   LADON_VENV   virtual environment (default: .venv of that folder)
#   LADON_IMAGE  or an image of containers/analysis.def in which `ladon` runs, for a run on this node alone
#SBATCH --job-name=ladon
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=1500M
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=ladon-%j.out
set -u

fail() {
    echo "launch.sh: $*" >&2
    exit 2
}

# In a job $0 is a copy in SLURM's spool: SLURM knows the file that was submitted.
find_home() {
    local submitted='' candidate
    [ -z "${SLURM_JOB_ID:-}" ] ||
        submitted=$(scontrol show job "$SLURM_JOB_ID" 2>/dev/null | sed -n 's/^ *Command=\(.*launch\.sh\).*/\1/p' | head -n 1)
    for candidate in "${LADON_HOME:-}" "${submitted:+$(dirname "$submitted")}" "${SLURM_SUBMIT_DIR:-}" "$(dirname "$0")"; do
        [ -n "$candidate" ] || continue
        if [ -f "$candidate/pyproject.toml" ] && [ -d "$candidate/pipeline" ]; then
            (cd "$candidate" && pwd -P)
            return
        fi
    done
    return 1
}

home=$(find_home) || fail "expected Ladon's folder (with pyproject.toml and pipeline/) beside the submitted file or in" \
    "SLURM_SUBMIT_DIR='${SLURM_SUBMIT_DIR:-}', found none; set LADON_HOME to it"
venv=${LADON_VENV:-$home/.venv}
if [ -x "$venv/bin/ladon" ]; then
    ladon=("$venv/bin/ladon")
elif [ -n "${LADON_IMAGE:-}" ]; then
    [ -e "$LADON_IMAGE" ] || fail "expected an image in LADON_IMAGE='$LADON_IMAGE', found none; containers/build.sh analysis makes one"
    ladon=(apptainer exec)
    [ "$(id -u)" != 0 ] || ladon+=(--userns) # a root without all capabilities needs it
    ladon+=("$LADON_IMAGE" ladon)
else
    fail "expected 'ladon' in '$venv/bin', found none; run 'make setup' in $home, or set LADON_VENV or LADON_IMAGE"
fi
case ${1:-} in
run | replay | sweep | report | serve) verb=() ;;
*) verb=(run) ;;
esac

job=${SLURM_JOB_ID:-}
if [ -n "$job" ]; then
    LADON_END_TIME=${SLURM_JOB_END_TIME:-$(date -d "$(squeue --noheader --jobs="$job" --format=%e)" +%s 2>/dev/null)}
    export LADON_END_TIME
    export LADON_CONTROLLER_JOB=$job
    echo "launch.sh: job $job on $(hostname), start $((${SLURM_RESTART_COUNT:-0} + 1)): ladon ${verb[*]} $*"
fi
requeue_count=${SLURM_RESTART_COUNT:-0}
# sbatch and srun take a job's variables for options; SLURM_CONF says where SLURM is.
for name in $(compgen -e | grep -E '^(SLURM_|SBATCH_|SRUN_|SLURMD_)' | grep -vx SLURM_CONF); do
    unset "$name"
done

LADON_CONTROLLER_FILE=$(mktemp) || fail "expected a temporary file in '${TMPDIR:-/tmp}', found none; set TMPDIR"
export LADON_CONTROLLER_FILE
"${ladon[@]}" "${verb[@]}" "$@" &
child=$!
# The run ends its jobs and servers itself when it is told; it is told once for each signal.
trap 'kill -TERM "$child" 2>/dev/null' TERM INT
trap 'kill -USR1 "$child" 2>/dev/null' USR1
while true; do
    wait "$child"
    code=$?
    kill -0 "$child" 2>/dev/null || break
done
# A wait that a signal cut short has the signal's code and not the child's.
wait "$child" 2>/dev/null
last=$?
[ "$last" = 127 ] || code=$last
trap '' TERM INT USR1

{ read -r tag && read -r again; } <"$LADON_CONTROLLER_FILE" 2>/dev/null
rm -f "$LADON_CONTROLLER_FILE"
if [ "$code" -gt 130 ] && [ -n "${tag:-}" ]; then
    echo "launch.sh: ladon was killed (exit code $code); cancelling the jobs of the run ($tag)" >&2
    "$(dirname "${ladon[0]}")/python" -m executors.slurm.jobs "$tag" ||
        squeue --me --noheader --format='%i %j' | awk -v t="$tag" 'index($2, t) == 1 {print $1}' | xargs -r scancel
fi
if [ "$code" = 75 ] && [ -n "$job" ]; then
    if [ "${again:-}" = requeue ]; then
        echo "launch.sh: the walltime is near; job $job goes back into the queue (start $((requeue_count + 2)))"
        scontrol requeue "$job" && sleep 600 # SLURM ends this start
        echo "launch.sh: SLURM did not take the job back; continue with the same command" >&2
    else
        echo "launch.sh: the walltime is near; the same command continues (site.requeue=true does so by itself)" >&2
    fi
fi
exit "$code"
