#!/usr/bin/env bash
# Installs what the test suite needs beyond Python packages (Debian or Ubuntu, as root).
# That is a browser (the report is opened in it), the sandbox of solutions, web and XRootD servers that files are
# fetched from, a linter for shell scripts,
# vLLM in an environment of its own, Apptainer with the images that run rules and solutions (from
# debootstrap, so that no registry of images is needed), and a SLURM cluster of four nodes on this
# machine, which is started (slurm/testbed/testbed.sh down stops it).
set -euo pipefail
cd "$(dirname "$0")/.."
packages=()
command -v chromium >/dev/null || packages+=(chromium)
command -v bwrap >/dev/null || packages+=(bubblewrap)
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || packages+=(nginx-light)
command -v xrootd >/dev/null || packages+=(xrootd-server)
command -v shellcheck >/dev/null || packages+=(shellcheck)
if [ ${#packages[@]} -gt 0 ]; then
    if [ "$(id -u)" != 0 ]; then
        echo "testbed: expected to run as root to install ${packages[*]}; run: sudo make testbed" >&2
        exit 1
    fi
    echo "testbed: installing ${packages[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
# Two at a time, each with one core: environments from the package registry, images and SLURM from Debian's.
(tools/vllm.sh && tools/rocrate.sh) &
environments=$!
trap 'wait "$environments"' EXIT # whatever fails here, nothing goes on behind it
tools/apptainer.sh
for image in sandbox analysis; do
    # Folders: they are made and started faster than files, and by users without /dev/fuse.
    containers/build.sh "$image" --from debootstrap --directory
done
slurm/testbed/testbed.sh install
slurm/testbed/testbed.sh up
trap - EXIT
wait "$environments"
echo "testbed: everything is there"
