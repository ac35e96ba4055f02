"""The full ATLAS Open Data in numbers, on SYNTHETIC entries: plan, graph and ledger.

Times are processor seconds, which other processes do not lengthen much.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.synthetic_set import CHUNKS_PER_FILE, EVENTS, PARTS
from tests.benchmarks.table import Row, check, printed

pytestmark = pytest.mark.benchmark
ROOT = Path(__file__).resolve().parents[2]
ALL_FILES, PHYSLITE_FILES = 81_064, 70_611
CHUNKS = PHYSLITE_FILES * CHUNKS_PER_FILE
WORK = {
    "plan": ALL_FILES, "whole": 0, "parts": PHYSLITE_FILES, "graph": PHYSLITE_FILES,
    "ledger_write": PHYSLITE_FILES, "ledger_many": PHYSLITE_FILES, "ledger_read": PHYSLITE_FILES,
    "sqlite_write": PHYSLITE_FILES, "sqlite_read": PHYSLITE_FILES,
}  # fmt: skip
"""What is done, each in a process of its own, and with how many files."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What was done -> what its own process found."""
    folder = tmp_path_factory.mktemp("scale")
    found = {}
    for what, number in WORK.items():
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.scale", what, str(folder), str(number)],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        found[what] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows(m: dict[str, dict[str, Any]]) -> list[Row]:
    """Every number of point 4 of issue 6."""
    graph, read, write = m["graph"], m["ledger_read"], m["ledger_write"]
    return [
        Row("files that are planned", ALL_FILES, m["plan"]["files"]),
        Row("  processor time of `ladon plan`", 10, m["plan"]["cpu_s"], "s", most=True),
        Row("  memory of `ladon plan`", 500, m["plan"]["max_rss_mb"], "MB", most=True),
        Row("jobs of the full set, all of 2024r-pp planned", 2000, m["whole"]["jobs"], "",
            most=True),
        Row("jobs in Snakemake's graph of 70,611 files", 2000, graph["jobs"], "", most=True),
        Row("  processor time to build it", 60, graph["cpu_s"], "s", most=True),
        Row("files that are dealt out to jobs", PHYSLITE_FILES, m["parts"]["files"]),
        Row("  processor time of that", 60, m["parts"]["cpu_s"], "s", most=True),
        Row("chunks in the ledger of these jobs", 1_000_000, read["chunks"]),
        Row("  their events, counted exactly", CHUNKS * EVENTS, read["events"]),
        Row("  time of a job to write its part", m["sqlite_write"]["ms_per_job"],
            write["ms_per_job"], "ms", most=True),
        Row("  writers at a time, each killed once", 8, m["ledger_many"]["writers"]),
        Row("  halves of files that these left", 0, m["ledger_many"]["halves"], "", most=True),
        Row("  processor time to read, check and add up", 60, read["cpu_s"], "s", most=True),
        Row("  memory of that", 1000, read["max_rss_mb"], "MB", most=True),
        Row("  size on disk", m["sqlite_write"]["mb"], read["mb"], "MB", most=True),
    ]  # fmt: skip


@pytest.mark.timeout(3600)
def test_limits(measured: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(measured)
    with capsys.disabled():
        print(printed("The full set (SYNTHETIC entries; a solution that costs nothing)", found,
                      "tests/benchmarks/test_scale.py"))  # fmt: skip
        for what, one in measured.items():
            rest = ", ".join(f"{k} {v:,.6g}" for k, v in one.items() if k != "max_rss_mb")
            print(f"    {what:13} {one['max_rss_mb']:6.0f} MB   {rest}")
    check(found)


def test_nothing_is_lost(measured: dict[str, dict[str, Any]]) -> None:
    assert measured["plan"]["files"] == ALL_FILES
    assert measured["plan"]["events"] == ALL_FILES * CHUNKS_PER_FILE * EVENTS
    assert measured["whole"]["files"] == PHYSLITE_FILES
    assert measured["parts"]["parts"] == PARTS
    assert measured["graph"]["convert_part"] == measured["graph"]["parts"] == 1960
    for kept in ("ledger_read", "sqlite_read"):
        assert measured[kept]["chunks"] == CHUNKS > 1_000_000
        assert measured[kept]["events"] == CHUNKS * EVENTS
    assert measured["ledger_many"]["same"]
    assert measured["ledger_read"]["complete"]
