#!/usr/bin/env bash
# Makes the virtual environment that everything runs in. Usage: tools/setup.sh VENV
# Needs Python 3.11 or newer and a network to the package registry; nothing else.
set -euo pipefail
venv=${1:?usage: tools/setup.sh VENV}
cd "$(dirname "$0")/.."

find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            command -v "$name"
            return
        fi
    done
    echo "setup: expected Python 3.11 or newer, found none; install the package python3.11" >&2
    exit 1
}

make_venv() {
    "$1" -m venv "$venv" 2>/dev/null && return
    # Debian and Ubuntu ship `venv` as a package of its own.
    local package
    package="$(basename "$(readlink -f "$1")")-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "setup: installing $package, which Debian keeps apart from Python"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null
        rm -rf "$venv"
        "$1" -m venv "$venv"
        return
    fi
    echo "setup: $1 cannot make a virtual environment; install $package (as root: apt-get install $package)" >&2
    exit 1
}

python=$(find_python)
echo "setup: $("$python" --version) -> $venv"
make_venv "$python"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv
echo "setup: installing packages (versions from constraints.txt)"
# Compiled now: where Python may not write (a folder of others, PYTHONDONTWRITEBYTECODE), each process of each
# step would compile what it imports again, which takes longer than many a step.
"$venv/bin/uv" pip install --quiet --compile-bytecode --python "$venv/bin/python" \
    --constraint constraints.txt --editable '.[cluster,dev,xrootd]'
"$venv/bin/python" -m compileall -q agents executors pipeline
"$venv/bin/python" -c 'import agents, executors, pipeline'
echo "setup: done"
