"""How fast convert is, as ratios measured in one run on one file."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uproot

from pipeline.data.synthetic import generate_file
from tests.benchmarks.table import Row, check, printed
from tests.benchmarks.ways import settings

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]
EVENTS = 2_000_000
ROUNDS = 5
"""Rounds over all ways at most. The fastest time of a way is what it takes on a quiet machine; more
rounds are made only while another process may have held one of the ways up."""
LIMITS = {
    "convert / plain uproot read, one process": ("plain", "inline", 0.85),
    "convert / official notebook's way": ("notebook", "inline", 3.0),
    "from a skim / from ROOT": ("inline", "skim", 10.0),
    "sandboxed / in process": ("inline", "sandboxed inline", 0.8),
    "two processes / one process": ("processes:1", "processes:2", 1.75),
}
"""What is compared: the slower way, the faster one, and how many times as fast is asked for: by
issue 6, for the sandbox by ourselves."""
HELD = {"sandboxed / in process": 0.6}
"""What is asserted where not each of the last runs reached what is asked (docs/speed.md)."""
WAYS = (
    "plain",
    "isal plain",
    "notebook",
    "inline",
    "skim",
    "sandboxed inline",
    "processes:1",
    "processes:2",
)
ROOT = Path(__file__).resolve().parents[2]


def in_a_fresh_process(way: str, path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.ways", way, str(path)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.fixture(scope="module")
def big_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A synthetic period of data, the continuum unthinned as in real data: twenty full chunks."""
    data = replace(settings().data, thinning=1.0, luminosity=61.0)
    path = tmp_path_factory.mktemp("benchmark") / "data16_periodL.root"
    generate_file("hyy", "data16_periodL", data, path)
    with uproot.open(path) as file:
        entries = int(file["analysis"].num_entries)
    assert entries >= EVENTS
    return path, entries


@pytest.fixture(scope="module")
def seconds(big_file: tuple[Path, int]) -> dict[str, float]:
    """Way -> its fastest time."""
    path, entries = big_file
    fastest: dict[str, float] = {}
    rows: dict[str, int] = {}
    for _ in range(ROUNDS):
        for way in WAYS:
            result = in_a_fresh_process(way, path)
            fastest[way] = min(result["seconds"], fastest.get(way, float("inf")))
            rows[way] = result["rows"]
        if all(fastest[a] / fastest[b] >= least for a, b, least in LIMITS.values()):
            break
    assert rows["plain"] == entries
    made = {rows[way] for way in WAYS if "plain" not in way}
    assert len(made) == 1, f"the ways do not make the same rows: {rows}"
    return fastest


def test_ratios(
    big_file: tuple[Path, int], seconds: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    path, entries = big_file
    memory = in_a_fresh_process("memory", path)["peak_gb"]
    rows = [
        Row(name, least, seconds[a] / seconds[b], "x", held=HELD.get(name))
        for name, (a, b, least) in LIMITS.items()
    ]
    rows.append(Row("peak memory of a worker", 1.5, memory, "GB", most=True))
    chunk = settings().data.chunk_size
    with capsys.disabled():
        print(f"\nconvert on {entries:,} synthetic events, chunks of {chunk:,}")
        for way, value in seconds.items():
            print(f"  {way:42s}{entries / value / 1e6:8.2f} M events/s")
        print(
            printed("ratios of the fastest times", rows, "tests/benchmarks/test_convert_speed.py")
        )
    check(rows)
