"""What plans rest on is measured: bytes of branches, and how fast convert is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from executors.base import Cost
from pipeline.configure import configure
from pipeline.data.synthetic import generate_file
from pipeline.files import RunFileError, read_json, write_json
from pipeline.plan import measure_branches, throughput
from pipeline.plan.amount import Amount
from pipeline.plan.calibrate import CalibrationError, Measured, _plane, _start, calibrate
from pipeline.plan.throughput import Calibration, calibration_of, default_file, keep


def test_bytes_of_branches_add_up_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "two.root"
    noise = np.random.default_rng(1).random(50_000)
    with uproot.recreate(path, compression=None) as file:
        file.mktree("t", {"wide": noise, "narrow": noise.astype(np.float32)})
    found = measure_branches.measure(path, "t", "none", "data", True)
    assert found.branches["wide"] == pytest.approx(8, rel=0.01)
    assert found.branches["narrow"] == pytest.approx(4, rel=0.01)
    assert found.share(["wide"]) == pytest.approx(2 / 3, rel=0.01)
    assert found.share(["gone"]) == 0


def test_a_file_without_entries_is_no_measure(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "none.root") as file:
        file.mktree("t", {"x": np.float64})
    with pytest.raises(ValueError, match="expected entries in tree 't'"):
        measure_branches.measure(tmp_path / "none.root", "t", "none", "data", True)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Calibration:
    """Convert on a synthetic data period."""
    settings = configure(["solver=reference"])
    path = tmp_path_factory.mktemp("calibrate") / "period.root"
    generate_file("hyy", "data15_periodD", settings.data, path)
    return calibrate(settings, path, synthetic=True)


def test_a_calibration_counts_every_event(measured: Calibration) -> None:
    assert measured.s_per_event > 0 or measured.s_per_chunk > 0
    assert measured.s_per_process > 0.1
    assert 0 < measured.fastest <= 1 <= measured.slowest
    assert measured.events == 2318
    assert measured.chunks >= 3
    assert measured.kept_bytes_per_event > 0
    assert measured.max_rss_mb > 50


def test_events_chunks_files_and_processes_are_told_apart() -> None:
    kinds = [(100_000, False, False), (25_000, False, False), (25_000, False, True),
             (100_000, True, True)]  # fmt: skip
    chunks = [
        Measured(n, Cost(0.2 + 1e-5 * n + 0.1 * opened + 3.0 * first, first, opened, 300.0))
        for n, first, opened in kinds
    ]
    fitted = _plane(chunks)
    assert fitted == pytest.approx((1e-5, 0.2, 0.1))
    assert _start(chunks, fitted) == pytest.approx(3.0)
    few = [Measured(n, Cost(0.6 + e, False, False, 300.0))
           for n, e in ((100, 0.0), (100, 0.05), (25, 0.04), (25, -0.01))]  # fmt: skip
    assert 1e-4 < _plane(few)[0] < 2e-3  # what 100 events may take unseen
    assert _start(chunks[:3], fitted) == 0


def test_what_was_measured_here_goes_before_what_comes_with_ladon(
    measured: Calibration, tmp_path: Path
) -> None:
    settings = configure(["solver=reference", f"run.outputs={tmp_path}"])
    shipped = calibration_of(settings)
    assert shipped is not None
    assert shipped.events > 1_000_000
    keep(measured, default_file(settings))
    keep(replace(measured, events=7), default_file(settings))
    kept = calibration_of(settings)
    assert kept is not None
    assert kept.events == 7


def test_seconds_of_another_schema_are_not_taken(measured: Calibration, tmp_path: Path) -> None:
    settings = configure(["solver=reference", f"run.outputs={tmp_path}"])
    keep(replace(measured, events=7), default_file(settings))
    old = {**read_json(default_file(settings)), "schema": 1}
    write_json(default_file(settings), old)
    kept = calibration_of(settings)
    assert kept is not None
    assert kept.events > 1_000_000


@pytest.mark.parametrize("content", [[], {"schema": 2}, {"schema": 2, "calibrations": [{"a": 1}]}])
def test_a_file_that_holds_something_else_is_named(content: Any, tmp_path: Path) -> None:
    settings = configure(["solver=reference", f"run.outputs={tmp_path}"])
    write_json(default_file(settings), content)
    with pytest.raises(RunFileError, match=r"keeps in .*throughput\.json.*remove the file and"):
        calibration_of(settings)


def test_the_disk_that_is_taken_has_an_interval(measured: Calibration) -> None:
    found = measured.kept(Amount.exact(1000, ""))
    assert found.value == pytest.approx(1000 * measured.kept_bytes_per_event)
    assert found.low == pytest.approx((found.value or 0.0) / 2)


def test_times_are_wider_for_other_machines_and_synthetic_files(
    measured: Calibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = replace(
        measured, synthetic=False, s_per_event=1e-5, s_per_chunk=0.5, s_per_file=0.1,
        s_per_process=3.0, slowest=1.2, fastest=0.8, events=1_000_000,
    )  # fmt: skip
    work = [Amount.exact(n, "") for n in (200_000, 4, 0, 0)]
    found = real.seconds(*work)
    assert (found.value, found.low, found.high) == pytest.approx((4.0, 3.2, 4.8))
    other = [Amount.exact(n, "") for n in (200_000, 4, 10, 2)]
    assert real.seconds(*other).value == pytest.approx(4.0 + 10 * 0.1 + 2 * 3.0)
    made = replace(real, synthetic=True).seconds(*work)
    assert made.value == found.value
    assert (made.low or 0) < 2
    assert (made.high or 0) > 8
    few = replace(real, events=100).seconds(*work)
    assert (few.high or 0) > 20
    assert "of 100 events" in few.how
    monkeypatch.setattr(throughput, "machine", lambda: "another")
    assert real.seconds(*work).low == made.low


def test_a_file_that_is_too_short_is_no_measure(tmp_path: Path) -> None:
    path = tmp_path / "short.root"
    with uproot.recreate(path) as file:
        file.mktree("analysis", {"x": np.zeros(3)})
    settings = configure(["solver=reference"])
    with pytest.raises(CalibrationError, match=r"expected at least 16 entries in short\.root"):
        calibrate(settings, path, synthetic=True)


def test_chunks_too_small_to_be_split_are_no_measure(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    with uproot.recreate(path) as file:
        file.mktree("analysis", {"x": np.zeros(20)})
    settings = configure(["solver=reference", "data.chunk_size=2"])
    with pytest.raises(CalibrationError, match=r"expected data\.chunk_size of at least 4 .* 2;"):
        calibrate(settings, path, synthetic=True)
