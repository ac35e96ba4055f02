"""From ROOT files to the cross-section on one machine: results, chains, restarts."""

from pathlib import Path

import pytest

from pipeline.files import read_json, sha256_file
from pipeline.report.results import validate_results
from tests.command import SMALL, Ladon

STAGES = ["inspect", "convert", "preprocess", "classify", "categorize", "measure"]


def tables(run: Path) -> dict[str, str]:
    """Relative name -> hash of everything that a run computed (times and logs left out)."""
    found = {}
    for owner in ("points", "reference"):
        for path in sorted((run / owner).rglob("*")):
            if path.is_file() and path.suffix in (".parquet", ".json") and path.name not in (
                "timing.json", "results.json", "settings.json", "attempts.json",
            ):  # fmt: skip
                found[path.relative_to(run).as_posix()] = sha256_file(path)
    return found


def test_every_stage_runs_and_the_result_is_valid(small_run: Ladon) -> None:
    results = small_run.results("small")
    validate_results(results)
    assert set(results["stages"]) == set(STAGES)
    assert {s["outcome"] for s in results["stages"].values()} == {"reference"}
    assert all(s["checks"]["passed"] == s["checks"]["total"] for s in results["stages"].values())
    low, high = results["measurement"]["mu_interval_95"]
    assert low < 1.0 < high
    report = (small_run.folder / "outputs" / "latest" / "report.html").read_text()
    assert "ynthetic" in report


def test_the_same_command_again_does_nothing(small_run: Ladon) -> None:
    record = small_run.folder / "outputs/small/points/main/measure/record.json"
    before = record.stat().st_mtime_ns
    small_run("run", "run.name=small", *SMALL)
    assert record.stat().st_mtime_ns == before


def test_other_settings_under_the_same_name_are_refused(small_run: Ladon) -> None:
    child = small_run.start("run", "run.name=small", "data.mu=2", *SMALL)
    text, _ = child.communicate()
    assert child.returncode == 2
    assert "data.mu: 1.0 there, 2.0 asked for" in text


def test_a_deleted_table_is_made_again_with_the_same_bits(small_run: Ladon) -> None:
    run = small_run.folder / "outputs" / "small"
    before = tables(run)
    (run / "points/main/categorize/output/categories.json").unlink()
    text = small_run("run", "run.name=small", *SMALL)
    assert "points/main/categorize/record.json" in text
    assert tables(run) == before


def test_isolated_gives_the_same_tables(small_run: Ladon) -> None:
    small_run("run", "run.name=isolated", "chain=isolated", "stages=[preprocess]", *SMALL)
    chained = small_run.folder / "outputs/small/points/main/preprocess/output"
    isolated = small_run.folder / "outputs/isolated/points/main/preprocess/output"
    for name in ("signal", "background", "control", "data"):
        assert sha256_file(chained / f"{name}.parquet") == sha256_file(isolated / f"{name}.parquet")


def test_blinded_rows_are_in_no_file_that_a_solver_may_see(small_run: Ladon) -> None:
    import pandas as pd

    point = small_run.folder / "outputs" / "small" / "points" / "main"
    seen = 0
    for path in point.glob("*/output/*.parquet"):
        table = pd.read_parquet(path)
        is_data = path.stem.startswith("data")
        if not is_data or "m_yy" not in table:
            continue
        tight = table[["ph1_tight", "ph2_tight", "ph1_isolated", "ph2_isolated"]].all(axis=1)
        assert not (tight & table["m_yy"].between(120, 130, inclusive="neither")).any(), path
        seen += len(table)
    assert seen > 1000
    sealed = pd.read_parquet(point / "preprocess/sealed/data.parquet")
    assert sealed["m_yy"].between(120, 130).sum() > 100


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [6.0, 14.0, 25.0])
def test_killed_at_any_moment_the_same_command_finishes_with_the_same_bits(
    small_run: Ladon, ladon: Ladon, seconds: float
) -> None:
    ladon.killed_after(seconds, "run", "run.name=small", *SMALL)
    run = ladon.folder / "outputs" / "small"
    done = {p: p.stat().st_mtime_ns for p in (run / "chunks").rglob("*.json")}
    ladon("run", "run.name=small", *SMALL)
    assert {p: p.stat().st_mtime_ns for p in done} == done
    assert tables(run) == tables(small_run.folder / "outputs" / "small")


def test_executors_and_chunks_do_not_change_a_bit(small_run: Ladon) -> None:
    small_run(
        "run", "run.name=dask", "stages=[inspect,convert]", "site.executor=dask",
        *SMALL[:1], "data.chunk_size=20000",
    )  # fmt: skip
    for name in ("343981", "data15_periodE"):
        tail = f"points/main/convert/output/{name}.parquet"
        assert sha256_file(small_run.folder / "outputs/small" / tail) == sha256_file(
            small_run.folder / "outputs/dask" / tail
        )
    ledger = read_json(small_run.folder / "outputs/dask/points/main/convert/output/ledger.json")
    assert all(s["complete"] for s in ledger["samples"].values())
