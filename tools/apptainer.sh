#!/usr/bin/env bash
# Installs Apptainer, which runs Ladon's images (as root on Debian or Ubuntu). Usage: tools/apptainer.sh
# Where a program of that name is there, or the system's archive has the package, that is it.
# Debian 12 has none: there the package of Debian's development branch is unpacked into a folder of
# its own beside that branch's C library, and its two programs are told where they find it. It then
# works through user namespaces, with no setuid program. The archive's address is the one of the
# machine's own apt sources. A second call returns at once.
set -euo pipefail
prefix=${LADON_APPTAINER_PREFIX:-/opt/apptainer}
link=${LADON_APPTAINER_LINK:-/usr/local/bin/apptainer}

fail() {
    echo "apptainer: $*" >&2
    exit 1
}

install_packages() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 ||
        fail "apt-get did not install $*; run it by hand to see why"
}

# What Apptainer calls: packing and mounting of SIF files, ids of ordinary users, building.
companions=()
command -v mksquashfs >/dev/null || companions+=(squashfs-tools)
command -v squashfuse >/dev/null || companions+=(squashfuse)
command -v newuidmap >/dev/null || companions+=(uidmap)
command -v debootstrap >/dev/null || companions+=(debootstrap)
if command -v apptainer >/dev/null && apptainer --version >/dev/null 2>&1 && [ ${#companions[@]} -eq 0 ]; then
    echo "apptainer: $(apptainer --version) is there"
    exit 0
fi
command -v apt-get >/dev/null || fail "there is no apt-get: install Apptainer 1.3 or newer as its manual says"
[ "$(id -u)" = 0 ] || fail "expected to run as root to install it; run: sudo tools/apptainer.sh"
apt-get update -qq
[ ${#companions[@]} -eq 0 ] || install_packages "${companions[@]}"
if command -v apptainer >/dev/null && apptainer --version >/dev/null 2>&1; then
    echo "apptainer: $(apptainer --version) is there"
    exit 0
fi
if apt-cache show apptainer >/dev/null 2>&1; then
    install_packages apptainer
    echo "apptainer: $(apptainer --version), from the system's archive"
    exit 0
fi

# shellcheck disable=SC2016  # apt-get fills these in
mirror=$(apt-get indextargets --format '$(LABEL)|$(REPO_URI)' | awk -F'|' '$1 == "Debian" {print $2; exit}')
[ -n "$mirror" ] || fail "expected an apt source of Debian, found none: install Apptainer 1.3 or newer as its manual says"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -f "$keyring" ] || fail "expected Debian's keys at $keyring; install the package debian-archive-keyring"
command -v patchelf >/dev/null || install_packages patchelf

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir -p "$work"/{state/lists/partial,cache/archives/partial,packages,apptainer,library}
chmod 777 "$work/packages"
echo "deb [signed-by=$keyring] $mirror sid main" >"$work/sources.list"
# Lists and packages of the other branch stay apart from the system's.
cat >"$work/apt.conf" <<END
Dir::State "$work/state";
Dir::Cache "$work/cache";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
END
export APT_CONFIG="$work/apt.conf"
apt-get update -qq
(cd "$work/packages" && apt-get download -qq apptainer libc6 libseccomp2 libsqlite3-0) ||
    fail "Debian's development branch did not give the package apptainer and its libraries"
unset APT_CONFIG
for package in "$work"/packages/*.deb; do
    case $(basename "$package") in
        apptainer_*) dpkg-deb -x "$package" "$work/apptainer" ;;
        *) dpkg-deb -x "$package" "$work/library" ;;
    esac
done
starter=$(cd "$work/apptainer" && find usr -name starter -path '*/apptainer/bin/*')
libraries=$(cd "$work"/library/usr/lib/*-linux-gnu && pwd)
loader=$(find "$libraries" -name 'ld-linux-*.so.*' -print -quit)
if [ -z "$starter" ] || [ -z "$loader" ]; then
    fail "expected the programs starter and ld-linux in the packages, found '$starter' and '$loader'"
fi

rm -rf "$prefix"
mkdir -p "$prefix/lib" "$prefix/var/lib/apptainer/mnt/session"
cp -a "$work/apptainer/usr" "$work/apptainer/etc" "$prefix"
cp -a "$libraries"/*.so* "$prefix/lib"
for program in "$prefix/usr/bin/apptainer" "$prefix/$starter"; do
    # RPATH and not RUNPATH: it holds for the libraries of the libraries too.
    patchelf --force-rpath --set-rpath "$prefix/lib" \
        --set-interpreter "$prefix/lib/$(basename "$loader")" "$program"
done
# Both programs look for configuration and state below folders that they guess from their own.
for guess in "$prefix/usr" "$prefix/usr/lib"; do
    ln -sfn "$prefix/etc" "$guess/etc"
    ln -sfn "$prefix/var" "$guess/var"
done
mkdir -p "$(dirname "$link")"
ln -sfn "$prefix/usr/bin/apptainer" "$link"
"$link" --version >/dev/null || fail "the unpacked program does not start"
echo "apptainer: $("$link" --version), from Debian's development branch, in $prefix"
