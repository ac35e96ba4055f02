"""One finished run of the scripted model, and copies of it that a test may change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import Ladon
from tests.pipeline.verify.copies import Copy, as_sweep


@pytest.fixture(scope="session")
def finished(scripted_run: Ladon) -> Path:
    """The folder of a run that nobody changes."""
    return scripted_run.folder / "outputs" / "small"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Copy:
    """A copy of it."""
    return Copy.of(finished, tmp_path / finished.name)


@pytest.fixture(scope="session")
def finished_sweep(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep of two points that nobody changes."""
    sweep = Copy.of(finished, tmp_path_factory.mktemp("sweep") / finished.name)
    as_sweep(sweep)
    return sweep.path


@pytest.fixture
def sweep(finished_sweep: Path, tmp_path: Path) -> Copy:
    """A copy of it."""
    return Copy.of(finished_sweep, tmp_path / finished_sweep.name)


@pytest.fixture
def tampered(run: Copy) -> Callable[[str, str, str], Path]:
    """Replace a text in a file of the copy; the copy's folder."""

    def change(name: str, old: str, new: str) -> Path:
        run.replace(name, old, new)
        return run.path

    return change
