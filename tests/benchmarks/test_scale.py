"""The full ATLAS Open Data in numbers, on SYNTHETIC entries: plan, graph and ledger.

`make bench PYTEST_ARGUMENTS=tests/benchmarks/test_scale.py` prints the table again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.scale import CHUNKS_PER_FILE, EVENTS, PARTS

pytestmark = pytest.mark.benchmark
ROOT = Path(__file__).resolve().parents[2]
ALL_FILES, PHYSLITE_FILES = 81_064, 70_611
LIMITS = {  # processor seconds, which other processes do not lengthen much, and megabytes
    "plan": (10.0, 500.0),
    "graph": (60.0, None),
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What was done -> what its own process found."""
    folder = tmp_path_factory.mktemp("scale")
    work = {
        "plan": ALL_FILES, "parts": PHYSLITE_FILES, "graph": 1960, "ledger_write": PHYSLITE_FILES,
        "ledger_read": PHYSLITE_FILES, "sqlite_write": PHYSLITE_FILES,
        "sqlite_read": PHYSLITE_FILES,
    }  # fmt: skip
    found = {}
    for what, number in work.items():
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.scale", what, str(folder), str(number)],
            cwd=ROOT, capture_output=True, text=True, check=True, timeout=400,
        )  # fmt: skip
        found[what] = json.loads(done.stdout.splitlines()[-1])
    print()
    for what, one in found.items():
        rest = ", ".join(
            f"{k} {v:,.6g}" for k, v in one.items() if k not in ("seconds", "max_rss_mb")
        )
        print(f"{what:13} {one['seconds']:7.2f} s {one['max_rss_mb']:6.0f} MB   {rest}")
    return found


@pytest.mark.timeout(1800)
def test_limits(measured: dict[str, dict[str, Any]]) -> None:
    for what, (seconds, megabytes) in LIMITS.items():
        assert measured[what]["cpu_s"] < seconds, what
        assert megabytes is None or measured[what]["max_rss_mb"] < megabytes, what


def test_nothing_is_lost(measured: dict[str, dict[str, Any]]) -> None:
    chunks = PHYSLITE_FILES * CHUNKS_PER_FILE
    assert measured["plan"]["files"] == ALL_FILES
    assert measured["plan"]["events"] == ALL_FILES * CHUNKS_PER_FILE * EVENTS
    assert measured["parts"]["parts"] == PARTS
    assert measured["graph"]["convert_part"] == 1960
    assert measured["graph"]["jobs"] <= 2000
    for kept in ("ledger_read", "sqlite_read"):
        assert measured[kept]["chunks"] == chunks > 1_000_000
        assert measured[kept]["events"] == chunks * EVENTS
    assert measured["ledger_read"]["complete"]


def test_a_job_writes_its_ledger_faster_than_into_one_base(
    measured: dict[str, dict[str, Any]],
) -> None:
    assert measured["ledger_write"]["ms_per_job"] < measured["sqlite_write"]["ms_per_job"]
