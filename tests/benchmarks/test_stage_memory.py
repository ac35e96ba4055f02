"""Ten million converted events through preprocess, classify, categorize and measure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.peak import Peak
from tests.benchmarks.stage_memory import JUDGED, STAGES, execute, judged, long_run
from tests.benchmarks.table import Row, check, printed

pytestmark = pytest.mark.benchmark
MODULE = "tests/benchmarks/test_stage_memory.py"
ROWS = 10_000_000
MOST_MB = 3000.0


@pytest.mark.timeout(7200)
def test_stages_of_ten_million_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Our own solutions, as the graph runs them; one behind the wall; and the judge."""
    run = long_run(tmp_path, ROWS)
    peaks: dict[str, Peak] = {stage: execute(run, stage) for stage in STAGES}
    rows = [
        Row(f"{stage}: all processes of its step", MOST_MB, peak.together_mb, "MB", most=True)
        for stage, peak in peaks.items()
    ]
    walled = execute(run, "preprocess", walled=True)
    title = "preprocess in the sandbox: host and worker"
    rows.append(Row(title, MOST_MB, walled.together_mb, "MB", most=True))
    rows += [
        Row(f"judge of {stage}", MOST_MB, judged(run, stage).together_mb, "MB", most=True)
        for stage in JUDGED
    ]
    with capsys.disabled():
        print(printed(f"{ROWS:,} converted SYNTHETIC events", rows, MODULE))
        print(f"  in the sandbox, when that was reached: {walled.at_peak}")
    check(rows)
