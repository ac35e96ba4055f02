"""Over many chunks: Dask's overhead for each, and memory that stays what it was."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from pipeline.data.synthetic import generate_file
from tests.benchmarks.steady import slope
from tests.benchmarks.table import Row, check, printed
from tests.benchmarks.ways import settings

pytestmark = pytest.mark.benchmark
ROOT = Path(__file__).resolve().parents[2]
MODULE = "tests/benchmarks/test_steady.py"
CHUNKS = 200


def measured(what: str, path: Path, number: int) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.steady", what, str(path), str(number)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=900,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def test_dask_overhead_per_chunk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "few.root"
    with uproot.recreate(path) as file:
        file.mktree("analysis", {"number": "int64"})
        file["analysis"].extend({"number": np.arange(10)})
    found = measured("overhead", path, 500)
    rows = [Row("Dask beyond the same chunks in process", 15.0, found["dask"] - found["inline"],
                "ms", most=True)]  # fmt: skip
    with capsys.disabled():
        print(printed("500 chunks that cost nothing, one worker", rows, MODULE))
    check(rows)


def test_memory_is_flat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "data16_periodL.root"
    data = replace(settings().data, thinning=1.0, luminosity=6.2)
    generate_file("hyy", "data16_periodL", data, path)
    resident = measured("memory", path, CHUNKS)
    assert len(resident) == CHUNKS
    rows = [Row("growth of a worker's memory per chunk", 1.0, slope(resident), "MB", most=True)]
    with capsys.disabled():
        print(printed(f"{CHUNKS} full chunks of synthetic events in one worker", rows, MODULE))
        print(f"  from {resident[CHUNKS // 5]:.0f} to {resident[-1]:.0f} MB")
    check(rows)


def test_a_slope_is_seen() -> None:
    assert slope([100.0 + 3 * i for i in range(50)]) == pytest.approx(3.0)
    assert slope([0.0] * 10 + [500.0] * 40) == pytest.approx(0.0)
