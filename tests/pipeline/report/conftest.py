"""Reports made once for all tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.report import make_report
from pipeline.report.product import ReportProduct
from tests.pipeline.report.run_directory import RunDirectory, hyy_run, hzz4l_run


@dataclass(frozen=True)
class Reported:
    """A run directory and the report that was made of it."""

    run: RunDirectory
    product: ReportProduct

    @property
    def html(self) -> str:
        return self.product.html.read_text(encoding="utf-8")


def _report(run: RunDirectory) -> Reported:
    return Reported(run, make_report(run.path))


@pytest.fixture(scope="session")
def diphoton(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """A synthetic hyy run in a folder whose name needs quoting."""
    return _report(hyy_run(tmp_path_factory.mktemp("runs of diphotons"), events=20_000))


@pytest.fixture(scope="session")
def four_lepton(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """A synthetic hzz4l run with a fit."""
    return _report(hzz4l_run(tmp_path_factory.mktemp("runs") / "four"))


@pytest.fixture(scope="session")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """Two periods of real 2020 data, without simulation."""
    return _report(hzz4l_run(tmp_path_factory.mktemp("runs") / "real", simulated=False))


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder for a run of the test's own."""
    return tmp_path / "run"
