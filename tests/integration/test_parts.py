"""A run whose convert is cut into jobs: the same bits as in one, verified and seen by status."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from pipeline.artefacts import artefacts
from pipeline.cli import main
from pipeline.files import read_json
from pipeline.status import status
from pipeline.verify import verify

SMALL = ["solver=reference", "data.luminosity=0.2"]


@pytest.mark.slow
def test_three_jobs_give_the_bits_of_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, jobs in (("one", "null"), ("three", "3")):
        more = [f"run.name={name}", f"run.outputs={tmp_path}", f"site.budget.convert_jobs={jobs}"]
        assert main(["run", *SMALL, *more]) == 0
    one, three = (artefacts(tmp_path / name) for name in ("one", "three"))
    assert {*one} == {*three}
    assert [n for n in one if one[n] != three[n]] == ["sweep.json plan"]

    (reference,) = (tmp_path / "three" / "reference").iterdir()
    records = [read_json(p) for p in (reference / "convert" / "parts").glob("*.json")]
    assert sorted(r["part"] for r in records) == [0, 1, 2]
    ledger = read_json(reference / "convert" / "output" / "ledger.json")
    assert sum(r["chunks"] for r in records) == len(ledger["chunks"])

    assert verify(tmp_path / "three").failures == ()
    capsys.readouterr()
    status(tmp_path / "three", ["--once"], Console(width=120))
    assert "23/23" in capsys.readouterr().out
