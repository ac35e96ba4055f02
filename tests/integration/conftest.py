"""Runs of the real command, in a process of its own, each in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import SMALL, Ladon


@pytest.fixture
def ladon(tmp_path: Path) -> Ladon:
    return Ladon(tmp_path)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Ladon:
    """One finished small run of the main measurement, shared by the tests that only look."""
    command = Ladon(tmp_path_factory.mktemp("small run with 'quotes'"))
    command("run", "run.name=small", *SMALL)
    return command
