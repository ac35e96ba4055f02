"""A run directory whose converted tables are synthetic and as long as wanted, for later stages."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.files import ROW_GROUP, read_json, replacing, write_json
from pipeline.steps.errors import FOLDER as ERRORS
from tests.benchmarks.judged_stage import FOLDER, nearly
from tests.benchmarks.peak import Peak, peak_of
from tests.command import SMALL, Ladon

JUDGED = ("convert", "preprocess", "classify")
STAGES = ("preprocess", "classify", "categorize", "measure")
SIMULATED = 0.05
"""Share of the rows that is simulation: data are what there is most of."""


def reference_of(run: Path) -> Path:
    (folder,) = (run / "reference").iterdir()
    return folder


def long_run(folder: Path, rows: int) -> Path:
    """A small synthetic run, its converted tables repeated to `rows` rows in all."""
    Ladon(folder)("run", "run.name=long", *SMALL, "stages=[inspect,convert]")
    run = folder / "outputs" / "long"
    convert = reference_of(run) / "convert"
    tables = sorted((convert / "output").glob("*.parquet"))
    data = {p.name for p in (convert / "sealed").glob("*.parquet")}
    there = {kind: sum(_rows(p) for p in tables if (p.name in data) == kind) for kind in (0, 1)}
    for path in tables:
        share = 1 - SIMULATED if path.name in data else SIMULATED
        times = max(1, round(rows * share / there[path.name in data]))
        _repeat(path, times)
        if path.name in data:
            _repeat(convert / "sealed" / path.name, times)
    return run


def execute(run: Path, stage: str, walled: bool = False) -> Peak:
    """Run the step of a stage as the graph does; the memory that it took.

    With `walled` a solution as a model writes it runs in the sandbox, in place of our own.
    """
    owner = reference_of(run).relative_to(run).as_posix()
    (run / ERRORS).mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    named = ["--owner", owner, "--stage", stage]
    python = [sys.executable, "-m"]
    peak_of([*python, "pipeline.steps.adopt", *named], run, environment)
    if walled:
        return peak_of([*python, "tests.benchmarks.walled_stage", owner, stage], run, environment)
    peak = peak_of([*python, "pipeline.steps.execute", *named], run, environment)
    record = read_json(run / owner / stage / "record.json")
    assert record["status"] == "ok", record
    return peak


def judged(run: Path, stage: str) -> Peak:
    """Judge a stage's output that is nearly ours, with a sandbox to ask its solution again."""
    nearly(reference_of(run) / stage, run / FOLDER / stage)
    owner = reference_of(run).relative_to(run).as_posix()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    module = "tests.benchmarks.judged_stage"
    return peak_of([sys.executable, "-m", module, owner, stage], run, environment)


def _rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


def _repeat(path: Path, times: int) -> None:
    """The rows of a table `times` over, each time with other event numbers and energies.

    They stay sorted by run and event, as convert leaves them, in row groups as long as its own.
    """
    once = pq.read_table(path).to_pandas()
    generator = np.random.default_rng(times)
    rows = len(once) * times
    with replacing(path) as longer, pq.ParquetWriter(
        longer, pq.read_schema(path), compression="zstd", use_dictionary=False
    ) as writer:  # fmt: skip
        for start in range(0, rows, ROW_GROUP):
            number, turn = np.divmod(np.arange(start, min(start + ROW_GROUP, rows)), times)
            table = _perturbed(once.iloc[number].reset_index(drop=True), turn, times, generator)
            writer.write_table(
                pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None),
                row_group_size=ROW_GROUP,
            )


def _perturbed(
    rows: pd.DataFrame, turn: npt.NDArray[np.int64], times: int, generator: np.random.Generator
) -> pd.DataFrame:
    scale = np.where(turn == 0, 1.0, generator.normal(1.0, 1e-3, len(rows)))
    changed = {
        name: (rows[name] * scale).astype(rows[name].dtype)
        for name in ("m_yy", "pt_yy", "ph1_pt", "ph2_pt", "ph1_e", "ph2_e")
    }
    return rows.assign(event_number=rows["event_number"] * times + turn, **changed)


def main() -> None:
    """`python -m tests.benchmarks.stage_memory FOLDER ROWS [STAGE ...]`: what each stage took.

    A stage `walled:preprocess` runs a model's solution in the sandbox, `judged:preprocess` is the
    judge on an output that is nearly ours (of stages that have run).
    """
    folder, rows = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    run = folder / "outputs" / "long"
    if not run.exists():
        long_run(folder, rows)
    found = {}
    for name in sys.argv[3:] or STAGES:
        how, _, stage = name.rpartition(":")
        peak = judged(run, stage) if how == "judged" else execute(run, stage, how == "walled")
        found[name] = asdict(peak)
        print(json.dumps({name: found[name]}), flush=True)
    write_json(folder / "memory.json", found)


if __name__ == "__main__":
    main()
