"""The tables that are written: complete, typed, and the same bytes again."""

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.evaluation.reading import read_cells
from pipeline.evaluation.spending import Pricing
from pipeline.evaluation.tables import flat_tables, is_timed, table_files, write_tables
from tests.pipeline.evaluation.made import (
    MISSING,
    NOT_REACHED,
    UNSOLVED,
    MadePoint,
    grid,
    made_cell,
    write_sweep,
)

NAMES = ("cells", "measures", "failures", "errors", "pairs")
TRUTH = {"a": {"convert": 3, "classify": 1}, "b": {"convert": 4, "classify": 4}}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    points = grid(TRUTH, 4, failed=UNSOLVED)
    late = MadePoint("b", 9, {"convert": MISSING, "classify": NOT_REACHED})
    return write_sweep(tmp_path_factory.mktemp("tables") / "run", [*points, late])


def test_every_table_is_there_twice_with_the_same_numbers(run: Path) -> None:
    written = write_tables(run)
    assert list(written) == [f"tables/{n}.{s}" for n in NAMES for s in ("csv", "parquet")]
    assert table_files() == written
    for name in NAMES:
        text = rows(run / "tables" / f"{name}.csv")
        typed = pq.read_table(run / "tables" / f"{name}.parquet").to_pylist()
        assert [list(row) for row in text] == [list(row) for row in typed]
        as_text = [{k: "" if v is None else str(v) for k, v in row.items()} for row in typed]
        for mine, theirs in zip(text, as_text, strict=True):
            for column, value in mine.items():
                same = value == theirs[column] or float(value) == float(theirs[column])
                assert same, (name, column)


def test_the_same_run_gives_the_same_bytes(run: Path) -> None:
    files = [run / name for name in write_tables(run)]
    before = [path.read_bytes() for path in files]
    write_tables(run)
    assert [path.read_bytes() for path in files] == before


def test_the_numbers_are_the_known_truth(run: Path) -> None:
    write_tables(run)
    found = {(r["config"], r["stage"]): r for r in rows(run / "tables" / "measures.csv")}
    for model, stages in TRUTH.items():
        for stage, passes in stages.items():
            row = found[model, stage]
            assert (row["success_physics_passed"], row["success_physics_n"]) == (str(passes), "4")
            assert float(row["success_physics"]) == passes / 4
    assert found["b", "convert"]["missing"] == "1"
    assert found["a", "all"]["gpu_s"] == ""
    cells = rows(run / "tables" / "cells.csv")
    assert len(cells) == len(read_cells(run)) == 18
    failures = rows(run / "tables" / "failures.csv")
    assert {(r["category"], r["kind"], r["study"]) for r in failures} == {
        ("no progress", "incorrect branch name", "incorrect branch name")
    }
    (pair,) = [r for r in rows(run / "tables" / "pairs.csv") if r["stage"] == "classify"]
    assert (pair["a"], pair["b"], pair["n"], pair["only_a"], pair["only_b"]) == (
        "a", "b", "4", "0", "3",
    )  # fmt: skip
    assert float(pair["p"]) == 0.25


def test_types_do_not_depend_on_what_is_in_a_table(tmp_path: Path) -> None:
    empty = write_sweep(tmp_path / "empty", [MadePoint("a", 0, {"convert": MISSING})])
    full = write_sweep(tmp_path / "full", grid(TRUTH, 2, failed=UNSOLVED))
    for name in write_tables(empty), write_tables(full):
        assert len(name) == 10
    for name in NAMES:
        schemas = [pq.read_schema(r / "tables" / f"{name}.parquet") for r in (empty, full)]
        assert schemas[0] == schemas[1]


def test_what_it_took_is_in_columns_that_say_so() -> None:
    """Other times change timed columns, and no others."""
    slow = made_cell(agent_s=99.0, execute_s=9.0, gpu_s=5.0, energy_j=7.0, cost=3.0)
    quick = made_cell(agent_s=1.0, execute_s=1.0, gpu_s=1.0, energy_j=1.0, cost=1.0)
    for a, b in zip(*(flat_tables([c], Pricing()) for c in (slow, quick)), strict=True):
        for mine, theirs in zip(a.rows, b.rows, strict=True):
            differ = {column for column in mine if mine[column] != theirs[column]}
            assert all(map(is_timed, differ)), differ
    assert is_timed("per_pass_cost_low")
