"""The image that steps run in: the words that start a step in it, and the record of what it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

NUMERICS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
    "PYTHONHASHSEED", "MPLBACKEND",
)  # fmt: skip
"""What may change a bit of a result, as the graph sets it."""
TASK = (
    "SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID",
    "SLURM_NTASKS", "SLURM_RESTART_COUNT", "SLURM_JOB_NODELIST", "SLURMD_NODENAME",
)  # fmt: skip
"""What srun sets for each task of an allocation."""
PLACES = ("TMPDIR", "LADON_DEBUG")
TEMPORARY = "${TMPDIR:-/tmp}"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ON_NODE = re.compile(r"[A-Za-z0-9_./${}-]+")
"""A folder whose name is known on the node only, e.g. $SCRATCH/dask."""
CODE_OF_THE_HOST = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PATH", "LD_PRELOAD")

START = """\
set -u
variables=$1 folders=$2
shift 2
for name in $variables; do
    eval "[ -z \\"\\${$name+set}\\" ] || export \\"APPTAINERENV_$name=\\$$name\\""
done
for folder in $folders; do
    eval "folder=\\"$folder\\""
    mkdir -p "$folder" || exit
    set -- --bind "$folder" "$@"
done
exec apptainer --silent exec "$@"
"""
"""Reads what is known only where the step runs: each task of an allocation has a number of its own.
Values go through the environment, where no other user of the machine reads them."""


class ImageError(ValueError):
    """An image or its record is missing, or is another one than was asked for."""


@dataclass(frozen=True)
class StepContainer:
    """Everything that the command line of a step in an image depends on."""

    image: Path
    folder: Path
    """Where the step runs, and writes."""
    writable: tuple[Path, ...] = ()
    """Further folders that it writes to, at their own paths."""
    readonly: tuple[Path, ...] = ()
    """Files and folders that it reads (data, a key), at their own paths."""
    node_folders: tuple[str, ...] = ()
    """Folders on the node's own disk; $VARIABLES are expanded there, and the folders made."""
    variables: tuple[str, ...] = ()
    """Further environment variables that it may read, by name: their values are looked up where it
    runs, and stand on no command line."""
    options: tuple[str, ...] = ()
    """Further options of `apptainer exec`, as the site sets them."""
    user_namespace: bool = False
    """For root, who may lack a capability that Apptainer asks for."""

    def __post_init__(self) -> None:
        for name in self.variables:
            if not NAME.fullmatch(name) or name in CODE_OF_THE_HOST:
                raise ImageError(
                    f"expected the name of an environment variable for a step in {self.image}, "
                    f"found {name!r}; code and programs there are the image's own"
                )
        for folder in self.node_folders:
            if not ON_NODE.fullmatch(folder):
                raise ImageError(
                    "expected a folder of the nodes made of letters, digits, '._-/' and $VARIABLES "
                    f"for a step in {self.image}, found {folder!r}; name another one"
                )


def step_prefix(container: StepContainer) -> list[str]:
    """The words before `python -m pipeline.steps.…` that run it in the image; pure.

    No home and no variable of the user's: /tmp, the clock, the network and the processes of the
    host, and the folders that are named. A signal reaches the step, its exit code comes back, and
    it dies with Apptainer.
    """
    named = [name for text in container.node_folders for name in variables_in(text)]
    variables = dict.fromkeys((*NUMERICS, *PLACES, *TASK, *named, *container.variables))
    folders = (TEMPORARY, *container.node_folders)
    line = ["sh", "-c", START, "sh", " ".join(variables), " ".join(folders)]
    line += ["--cleanenv", "--no-eval", "--no-home"]
    if container.user_namespace:
        line.append("--userns")
    places = {path.absolute(): True for path in container.readonly}
    places |= {path.absolute(): False for path in (container.folder, *container.writable)}
    # Outer folders first: what lies in one is mounted over it.
    for path, readonly in sorted(places.items(), key=lambda place: place[0].parts):
        line += mount(path, readonly)
    line += ["--cwd", str(container.folder.absolute())]
    return [*line, *container.options, str(container.image.absolute())]


def mount(path: Path, readonly: bool) -> list[str]:
    """Words that show `path` at its own place; any path, quoted as CSV fields."""
    quoted = str(path).replace('"', '""')
    end = ",ro" if readonly else ""
    return ["--mount", f'type=bind,"source={quoted}","destination={quoted}"{end}']


def variables_in(text: str) -> list[str]:
    """Names of the variables in `text`, as a shell sees them."""
    return [bare or braced for bare, braced in re.findall(r"\$(?:(\w+)|\{(\w+))", text)]


@dataclass(frozen=True)
class ImageRecord:
    """What containers/build.sh wrote down beside an image; see there."""

    image: str
    kind: str
    sha256: str
    """Of the SIF file; of a folder: of the list of its files and theirs."""
    megabytes: int
    base: str
    built_with: str
    definition_sha256: str
    constraints_sha256: str
    sources_sha256: str
    inputs_sha256: str


def image_record(image: Path, name: str = "analysis") -> ImageRecord:
    """The record of `image`, which has to be one of containers/<name>.def; ImageError otherwise."""
    builds = f"containers/build.sh {name} builds one and writes its record"
    path = image.with_name(f"{image.name}.json")
    if not image.exists():
        raise ImageError(f"expected an image at '{image}', found nothing there; {builds}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ImageError(
            f"expected the record of the image '{image}' at '{path}', found none; keep the two "
            f"together, or build it anew: {builds}"
        ) from None
    except (OSError, ValueError) as error:
        raise ImageError(
            f"expected the record of the image '{image}' in '{path}', found {error}; {builds}"
        ) from error
    return _record(content, path, name, builds)


def _record(content: Any, path: Path, name: str, builds: str) -> ImageRecord:
    types: Mapping[str, type] = {
        field.name: int if field.name == "megabytes" else str for field in fields(ImageRecord)
    }
    values = content if isinstance(content, dict) else {}
    for key, kind in types.items():
        if not isinstance(values.get(key), kind):
            raise ImageError(
                f"expected {key!r} in the record '{path}', found {values.get(key)!r}; {builds}"
            )
    record = ImageRecord(**{key: values[key] for key in types})
    if record.image != name:
        raise ImageError(
            f"expected an image of containers/{name}.def beside '{path}', found one of "
            f"containers/{record.image}.def; {builds}"
        )
    return record
