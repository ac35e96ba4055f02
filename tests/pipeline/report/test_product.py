"""The same run directory gives the same report."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.files import sha256_file
from tests.pipeline.report.conftest import Reported
from tests.pipeline.report.run_directory import REPOSITORY

MAKE = "import sys, pipeline.report as r, pathlib; r.make_report(pathlib.Path(sys.argv[1]))"


def _hashes(run: Path) -> dict[str, str]:
    made = [run / "report.html", run / "summary.json", run / "summary.csv"]
    made += [p for p in (run / "figures").rglob("*") if p.is_file()]
    return {p.relative_to(run).as_posix(): sha256_file(p) for p in sorted(made)}


def _made_again(reported: Reported) -> dict[str, str]:
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-W", "error", "-c", MAKE, str(reported.run.path)]
    subprocess.run(command, env=environment, check=True)
    return _hashes(reported.run.path)


def test_another_process_writes_the_same_bytes(four_lepton: Reported) -> None:
    before = _hashes(four_lepton.run.path)
    assert len(before) == 3 + 4 * 6 + 1
    assert _made_again(four_lepton) == before


@pytest.mark.slow
def test_another_process_writes_the_same_diphoton_bytes(diphoton: Reported) -> None:
    before = _hashes(diphoton.run.path)
    assert len(before) == 3 + 4 * 10 + 1
    assert _made_again(diphoton) == before


def test_no_path_of_this_machine_is_on_the_page(diphoton: Reported) -> None:
    assert str(diphoton.run.path) not in diphoton.html
