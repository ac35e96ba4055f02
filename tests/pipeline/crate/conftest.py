"""One finished run of the scripted model, its crate, and the environment that validates it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.crate import export_run
from tests.command import Ladon
from tests.conftest import REPOSITORY
from tests.pipeline.verify.copies import Copy, as_sweep

Issues = dict[str, list[list[str]]]


@pytest.fixture(scope="session")
def finished(scripted_run: Ladon) -> Path:
    """The folder of a run that nobody changes."""
    return scripted_run.folder / "outputs" / "small"


@pytest.fixture(scope="session")
def crate(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its crate, as a folder, with nobody's name."""
    return export_run(finished, tmp_path_factory.mktemp("crates") / "crate").path


@pytest.fixture(scope="session")
def sweep(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep of two points."""
    run = Copy.of(finished, tmp_path_factory.mktemp("sweep") / finished.name)
    as_sweep(run)
    return run.path


@pytest.fixture(scope="session")
def graph(crate: Path) -> dict[str, dict[str, Any]]:
    """The entities of the crate, by their name."""
    content = json.loads((crate / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    return {entity["@id"]: entity for entity in content["@graph"]}


@pytest.fixture(scope="session")
def validator() -> Callable[..., Issues]:
    """Validates a crate against profiles: profile -> [severity, check, entity, message]."""
    folder = Path(os.environ.get("LADON_ROCRATE_VENV", REPOSITORY / ".venv-rocrate"))
    if not (folder / ".ladon-rocrate").exists():
        pytest.skip(f"the validator is not at '{folder}'; make it: tools/rocrate.sh '{folder}'")

    def validate(crate: Path, *profiles: str) -> Issues:
        program = Path(__file__).with_name("validate.py")
        done = subprocess.run(
            [str(folder / "bin" / "python"), str(program), str(crate), *profiles],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: Issues = json.loads(done.stdout.splitlines()[-1])
        return found

    return validate
