#!/usr/bin/env bash
# Makes the virtual environment in which exported crates are validated. Usage: tools/rocrate.sh [VENV]
# The validator (roc-validator) and the analysis cannot share one: it asks for an older `rich`.
# Its profiles come with it; the words of RO-Crate 1.1, which it would fetch from a network, come
# with `rocrate` of that time. So nothing is asked for while a crate is validated.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-${LADON_ROCRATE_VENV:-.venv-rocrate}}
python=${LADON_PYTHON:-python3}
wanted="roc-validator==0.13.0 rocrate==0.13.0"
stamp="$venv/.ladon-rocrate"

if [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
    echo "rocrate: $venv is there ($wanted)"
    exit 0
fi
if [ -d "$venv" ] && [ ! -f "$venv/pyvenv.cfg" ]; then
    echo "rocrate: expected '$venv' to be a virtual environment or not to be there, found another" \
        "folder; name another place" >&2
    exit 1
fi
echo "rocrate: $("$python" --version), $wanted -> $venv"
rm -rf "$venv"
"$python" -m venv "$venv"
# shellcheck disable=SC2086  # two words
"$venv/bin/python" -m pip --quiet --quiet --disable-pip-version-check install $wanted
printf '%s' "$wanted" >"$stamp"
echo "rocrate: done"
