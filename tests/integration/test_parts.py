"""A run whose convert is cut into jobs: the same bits as in one, verified and seen by status."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.artefacts import artefacts
from pipeline.cli import main
from pipeline.files import read_json, sha256_file
from pipeline.status import status
from pipeline.verify import verify

SMALL = ["solver=reference", "data.luminosity=0.2"]


@pytest.mark.slow
def test_three_jobs_give_the_bits_of_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = {name: tmp_path / f"outputs-{name}" for name in ("one", "three")}
    for name, jobs in (("one", "null"), ("three", "3")):
        more = [f"run.name={name}", f"run.outputs={outputs[name]}",
                f"site.budget.convert_jobs={jobs}"]  # fmt: skip
        assert main(["run", *SMALL, *more]) == 0
    one, three = (artefacts(folder / name) for name, folder in outputs.items())
    assert {*one} == {*three}
    assert [n for n in one if one[n] != three[n]] == ["sweep.json plan"]

    (reference,) = (outputs["three"] / "three" / "reference").iterdir()
    records = [read_json(p) for p in (reference / "convert" / "parts").glob("*.json")]
    assert sorted(r["part"] for r in records) == [0, 1, 2]
    ledger = read_json(reference / "convert" / "output" / "ledger.json")
    assert sum(r["chunks"] for r in records) == len(ledger["chunks"])

    assert verify(outputs["three"] / "three").failures == ()
    capsys.readouterr()
    status(outputs["three"] / "three", ["--once"], Console(width=120))
    assert "23/23" in capsys.readouterr().out
    skims = [{p.name: sha256_file(p) for p in (folder / "skims").glob("*/*")}
             for folder in outputs.values()]  # fmt: skip
    assert skims[0] == skims[1] != {}
    assert [p.name for p in (outputs["one"] / "skims").iterdir()] == [
        p.name for p in (outputs["three"] / "skims").iterdir()
    ]

    # Another analysis reads that of the three jobs, and no ROOT file.
    shutil.rmtree(outputs["three"] / "synthetic")
    (skim,) = (outputs["three"] / "skims").iterdir()
    again = [f"run.outputs={outputs['three']}", "run.name=again", f"data.skim={skim}",
             "stages=[preprocess]"]  # fmt: skip
    assert main(["run", *SMALL, *again]) == 0
    assert list(outputs["three"].rglob("*.root")) == []
    ledgers = [
        sha256_file(next((outputs["three"] / name).glob("reference/*/convert/output/ledger.json")))
        for name in ("three", "again")
    ]
    assert ledgers[0] == ledgers[1]
