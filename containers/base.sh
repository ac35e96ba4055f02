#!/usr/bin/env bash
# Makes a root file system that images can be built from where no container registry is reached.
# Usage: containers/base.sh FOLDER (as root, on Debian or Ubuntu; about a minute, 180 MB)
# The suite and the address are those of the machine's own apt sources.
set -euo pipefail
folder=${1:?usage: containers/base.sh FOLDER}
stamp="$folder.made" # beside it: an image is a copy of the folder
if [ -d "$folder" ] && [ -f "$stamp" ]; then
    echo "base: $folder is there ($(cat "$stamp"))"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    echo "base: expected to run as root to make $folder with debootstrap; run: sudo $0 $folder," \
        "or build from a registry image: containers/build.sh IMAGE --from docker://python:3.11-slim" >&2
    exit 1
fi
if [ -e "$folder" ] && [ -n "$(ls -A "$folder")" ] && [ ! -d "$folder/debootstrap" ]; then
    echo "base: expected '$folder' to be empty or not there, found files; name another folder" >&2
    exit 1
fi
if ! command -v debootstrap >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
fi
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:?this system does not name its release}")
# shellcheck disable=SC2016  # apt-get fills these in
mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' | awk -v s="$suite" '$1 == s {print $2; exit}')
if [ -z "$mirror" ]; then
    echo "base: expected an apt source for $suite, found none; run apt-get update and look at" \
        "apt-get indextargets" >&2
    exit 1
fi
# debootstrap does not know which package provides python3.x-distutils: it is told.
packages=python3,python3-venv,bubblewrap,ca-certificates
if apt-cache show python3-distutils >/dev/null 2>&1; then packages+=,python3-distutils; fi
echo "base: debootstrap $suite -> $folder"
rm -rf "$folder"
mkdir -p "$folder"
log=$(mktemp)
if ! debootstrap --variant=minbase --include="$packages" "$suite" "$folder" "$mirror" >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "base: debootstrap failed; the whole log is $log" >&2
    exit 1
fi
rm -f "$log"
# An unprivileged build can make no devices and knows one user only: itself.
rm -rf "${folder:?}"/dev/* "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/*
chown -hR 0:0 "$folder"
chmod -R a+rX,u-s,g-s "$folder"
echo "$suite" >"$stamp"
echo "base: done"
