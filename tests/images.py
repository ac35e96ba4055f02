"""The built images, or a skip that says what builds them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
CONTAINERS = REPOSITORY / "containers"
BUILT = REPOSITORY / "build" / "containers"
BUILDS = {
    "analysis": "make testbed (or containers/build.sh analysis) builds it",
    "sandbox": "make testbed (or containers/build.sh sandbox) builds it",
    "serve": "containers/build.sh serve --cpu --from debootstrap --directory builds it",
}
"""What provides an image; the testbed leaves out the one of 4 GB."""


def variable(name: str) -> str:
    """Environment variable that names an image which lies elsewhere."""
    return f"LADON_{name.upper()}_IMAGE"


def named(name: str) -> Path | None:
    """The image `name`: what the environment names, or where containers/build.sh puts it."""
    if os.environ.get(variable(name)):
        return Path(os.environ[variable(name)])
    built = [path for path in (BUILT / name, BUILT / f"{name}.sif") if path.exists()]
    return built[0] if built else None


def image(name: str, todays: bool = False) -> Path:
    """The same, or a skip; `todays`: made of the code that lies here now."""
    if shutil.which("apptainer") is None:
        pytest.skip(
            "there is no apptainer program; make testbed (or tools/apptainer.sh) installs it"
        )
    path = named(name)
    if path is None or not path.with_name(f"{path.name}.json").exists():
        pytest.skip(
            f"there is no {name} image with its record at {path or BUILT / name}; {BUILDS[name]}"
        )
    if todays:
        check = [CONTAINERS / "build.sh", name, "--check", "--to", path]
        done = subprocess.run(check, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"{done.stderr.strip()}; {BUILDS[name]}")
    return path
