"""Convert cut into jobs on the testbed: each an allocation of its own, and the laptop's bits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.files import read_json, sha256_file
from pipeline.replay import compare_runs
from tests.command import SMALL, Ladon
from tests.slurm.launching import Launched, Launcher

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.timeout(1800)]
PARTS = 2
GIVEN = (*SMALL, "data.luminosity=0.5", "stages=[inspect,convert]")


@pytest.fixture(scope="module")
def cut(launcher: Launcher) -> Launched:
    """The run in parts on the testbed, finished."""
    launched = launcher("parts", *GIVEN, f"site.budget.convert_jobs={PARTS}")
    launched.succeeded()
    launched.left_nothing()
    return launched


def test_parts_have_the_bits_of_one_job_on_the_laptop(cut: Launched, tmp_path: Path) -> None:
    laptop = Ladon(tmp_path)
    laptop("run", "run.name=parts", *GIVEN)
    compared = compare_runs(laptop.folder / "outputs" / "parts", cut.folder)
    assert [d.name for d in compared.differences] == ["sweep.json plan"]  # the parts
    assert compared.counts["outputs"] > 20
    skims = [
        {p.name: sha256_file(p) for p in (outputs / "skims").glob("*/*")}
        for outputs in (laptop.folder / "outputs", cut.folder.parent)
    ]
    assert skims[0] == skims[1] != {}


def test_each_part_was_an_allocation_of_its_own(cut: Launched) -> None:
    records = [read_json(p) for p in sorted(cut.folder.glob("reference/*/convert/parts/*.json"))]
    assert [r["part"] for r in records] == [*range(PARTS)]
    assert all(r["chunks"] > 0 and r["timing"]["chunks"]["processes"] > 0 for r in records)
    logs = [p.read_text() for p in cut.folder.glob("logs/execute/reference/*/convert/*.log")]
    schedulers = {address for text in logs for address in re.findall(r"tls://\S+:\d+", text)}
    assert len(logs) == PARTS
    assert len(schedulers) >= PARTS
    assert list((cut.folder / "logs" / "dask").iterdir()) == []  # nothing of the meetings
