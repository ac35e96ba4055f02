"""The built images hold what they say, and nothing else; their records name them."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from tests.containers.conftest import Image, constraints
from tests.images import CONTAINERS, REPOSITORY

pytestmark = pytest.mark.apptainer

VERSIONS = """
import json
from importlib import metadata
print(json.dumps({d.metadata["Name"].lower().replace("_", "-"): d.version
                  for d in metadata.distributions()}))
"""
MAY_IMPORT = """
import awkward, hist, iminuit, numpy, pandas, pyarrow.parquet, scipy.optimize, sklearn.ensemble
import threadpoolctl, uproot, vector, xgboost, sys
print(sys.version_info >= (3, 11))
"""
OURS = """
import importlib.util
print([name for name in ("pipeline", "agents", "executors", "snakemake", "openai", "pip", "dask")
       if importlib.util.find_spec(name)])
"""


def versions(image: Image) -> dict[str, str]:
    done = image.run("/opt/ladon/bin/python", "-c", VERSIONS)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def sha256_of_folder(folder: Path) -> str:
    """What containers/build.sh records for a folder, computed another way."""
    files, links = [], []
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(parent, name)
            inside = "./" + path.relative_to(folder).as_posix()
            if path.is_symlink():
                links.append(f"{inside} -> {os.readlink(path)}\n")
            elif path.is_file():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                files.append((inside, f"{digest}  {inside}\n"))
    text = "".join(line for _, line in sorted(files)) + "".join(sorted(links))
    return hashlib.sha256(text.encode()).hexdigest()


def test_sandbox_image_holds_exactly_the_packages(sandbox_image: Image) -> None:
    done = sandbox_image.run("/opt/ladon/bin/python", "-c", MAY_IMPORT)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    done = sandbox_image.run("/opt/ladon/bin/python", "-c", OURS)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    found = versions(sandbox_image)
    assert len(found) < 50
    assert {name: constraints().get(name) for name in found} == found


def test_analysis_image_holds_the_constraints(analysis: Image) -> None:
    found = versions(analysis)
    ours = found.pop("ladon-hep")
    found.pop("pip", None)
    assert {name: constraints().get(name) for name in found} == found
    done = analysis.run("ladon", "--version")
    assert done.returncode == 0, done.stderr
    assert ours in done.stdout


def test_analysis_image_has_our_code_and_none_of_the_host(analysis: Image) -> None:
    code = "import pipeline, executors, agents; print(pipeline.__file__)"
    done = analysis.run("python", "-c", code)
    assert done.stdout.startswith("/opt/ladon/lib/python3"), done.stderr
    done = analysis.run("python", "-c", f"import os; print(os.path.exists({str(REPOSITORY)!r}))")
    assert done.stdout == "False\n", done.stderr


@pytest.mark.parametrize("name", ["analysis", "sandbox_image"])
def test_record_names_the_image(name: str, request: pytest.FixtureRequest) -> None:
    image: Image = request.getfixturevalue(name)
    record = image.record
    assert record["image"] == name.removesuffix("_image")
    definition = (CONTAINERS / f"{record['image']}.def").read_bytes()
    assert record["definition_sha256"] == hashlib.sha256(definition).hexdigest()
    pinned = (REPOSITORY / "constraints.txt").read_bytes()
    assert record["constraints_sha256"] == hashlib.sha256(pinned).hexdigest()
    assert record["kind"] == ("directory" if image.path.is_dir() else "sif")
    assert record["megabytes"] > 100
    assert len(record["sha256"]) == len(record["inputs_sha256"]) == 64


@pytest.mark.parametrize("name", ["analysis", "sandbox_image"])
def test_record_has_the_image_s_digest(name: str, request: pytest.FixtureRequest) -> None:
    image: Image = request.getfixturevalue(name)
    record = image.record
    if image.path.is_dir():
        assert record["sha256"] == sha256_of_folder(image.path)
    else:
        assert record["sha256"] == hashlib.sha256(image.path.read_bytes()).hexdigest()
