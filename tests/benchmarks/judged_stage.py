"""The judge on a stage's output that is nearly ours: it climbs every rung, over all columns."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.judge import judge
from pipeline.judge.request import JudgeRequest
from pipeline.steps.context import Place

FOLDER = "judged"
MOVED = ("pt_yy", "score")
LOST, TOUCHED = 1000, 50
"""Of so many rows one is not there, and one has a value that is 1e-4 off."""


def nearly(stage: Path, other: Path) -> None:
    """The files of a stage with some rows and values missing from or moved in its tables."""
    for path in sorted(p for p in stage.rglob("*") if p.is_file()):
        target = other / path.relative_to(stage)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix != ".parquet":
            shutil.copy(path, target)
            continue
        with pq.ParquetFile(path) as file, pq.ParquetWriter(
            target, file.schema_arrow, compression="zstd", use_dictionary=False
        ) as writer:  # fmt: skip
            for group in range(file.num_row_groups):
                writer.write_table(_moved(file.read_row_group(group)))


def _moved(table: pa.Table) -> pa.Table:
    for name in set(MOVED) & set(table.column_names):
        values = table.column(name).to_numpy().copy()
        values[::TOUCHED] *= 1 + 1e-4
        place = table.column_names.index(name)
        table = table.set_column(place, table.schema.field(name), pa.array(values))
    return table.filter(pa.array(np.arange(table.num_rows) % LOST != LOST // 2))


def main() -> None:
    """`python -m tests.benchmarks.judged_stage OWNER STAGE`, in a run directory."""
    owner, stage = sys.argv[1:]
    place = Place.at(owner, stage)
    made = place.settings()
    verdict = judge(
        JudgeRequest(
            stage=stage,
            settings=replace(
                made,
                site=replace(made.site, sandbox="auto"),
                solver=replace(made.solver, name="agent"),
            ),
            fileset=place.fileset(),
            solution_path=place.folder / "solution.py",
            output=Path(FOLDER, stage),
            reference=place.folder,
            upstream=place.upstream(),
            reference_upstream=place.upstream(),
            record={"status": "ok"},
        )
    )
    assert any(c.rung == "statistical" for c in verdict.checks), verdict
    assert verdict.guard, verdict


if __name__ == "__main__":
    main()
