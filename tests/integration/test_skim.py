"""A second analysis of the same preselection, by the real command, without any ROOT file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.files import read_json, sha256_file
from pipeline.report.results import validate_results
from tests.command import SMALL, Ladon


def tables(run: Path) -> dict[str, str]:
    """Hash of everything that the reference's convert and preprocess gave."""
    (reference,) = (run / "reference").iterdir()
    return {
        path.relative_to(reference).as_posix(): sha256_file(path)
        for stage in ("convert", "preprocess")
        for part in ("output", "sealed")
        for path in sorted((reference / stage / part).iterdir())
    }


def test_a_second_analysis_reads_no_root_file(ladon: Ladon) -> None:
    stages = "stages=[inspect,convert,preprocess]"
    ladon("run", "run.name=first", *SMALL, "data.luminosity=0.5", stages)
    outputs = ladon.folder / "outputs"
    (skim,) = (outputs / "skims").iterdir()
    shutil.rmtree(outputs / "synthetic")
    assert list(ladon.folder.rglob("*.root")) == []
    ladon(
        "run", "run.name=second", *SMALL, "data.luminosity=0.5", f"data.skim={skim}", "seed=7",
    )  # fmt: skip
    assert list(ladon.folder.rglob("*.root")) == []
    first, second = ladon.results("first"), ladon.results("second")
    validate_results(second)
    assert tables(outputs / "first") == tables(outputs / "second")
    assert second["samples"] == first["samples"]
    assert second["cutflow"] == first["cutflow"]
    assert {*second["stages"]} == {"preprocess", "classify", "categorize", "measure"}
    assert any("no ROOT file was read" in note for note in second["notes"])
    assert "none failed" in ladon("verify", str(outputs / "second"))

    damage(skim)
    child = ladon.start("run", "run.name=third", *SMALL, "data.luminosity=0.5",
                        f"data.skim={skim}")  # fmt: skip
    text, _ = child.communicate()
    assert child.returncode == 1
    assert "this part of the skim is damaged and was not used" in " ".join(text.split())
    assert "Traceback" not in text


def test_the_same_files_are_converted_once(ladon: Ladon) -> None:
    ladon("run", "run.name=first", *SMALL, "data.luminosity=0.5", "stages=[inspect,convert]")
    ladon(
        "run", "run.name=second", *SMALL, "data.luminosity=0.5", "stages=[inspect,convert]",
        "seed=7",
    )  # fmt: skip
    outputs = ladon.folder / "outputs"
    log = "\n".join(
        path.read_text() for path in (outputs / "second" / "logs" / "execute").rglob("convert.log")
    )
    assert "chunks were taken from the skim" in log
    for name in ("output/data15_periodD.parquet", "sealed/data15_periodD.parquet"):
        digests = {
            sha256_file(next((outputs / run / "reference").iterdir()) / "convert" / name)
            for run in ("first", "second")
        }
        assert len(digests) == 1


def damage(skim: Path) -> None:
    """One bit of one part; the file is another one, so that what shares it stays whole."""
    part = min(skim.glob("*.parquet"))
    content = bytearray(part.read_bytes())
    part.unlink()
    content[len(content) // 2] ^= 1
    part.write_bytes(content)


def logged(run: Path) -> str:
    """Everything that the jobs of convert said."""
    folder = run / "logs" / "execute"
    return "\n".join(p.read_text() for p in folder.rglob("*.log") if "convert" in str(p))


def kept(outputs: Path) -> dict[str, dict[str, str]]:
    """Of each skim its name, and the hashes of its files."""
    return {
        folder.name: {path.name: sha256_file(path) for path in folder.iterdir()}
        for folder in (outputs / "skims").iterdir()
    }


@pytest.mark.realdata
def test_real_files_that_the_jobs_count_give_the_same_skim(ladon: Ladon, samples: Path) -> None:
    given = (
        "run", "channel=hzz4l", "data=opendata_2020", f"data.location={samples / '2020e-13tev'}",
        "data.verify=none", "data.partial=true", "solver=reference", "stages=[inspect,convert]",
    )  # fmt: skip
    alone, outputs = ladon.folder / "alone", ladon.folder / "outputs"
    ladon(*given, "run.name=one", f"run.outputs={alone}")
    ladon(*given, "run.name=three", "site.budget.convert_jobs=3")
    (fileset,) = (outputs / "three" / "fileset").glob("*[0-9a-f].json")
    assert read_json(fileset)["counted"] is False
    assert kept(alone) == kept(outputs)
    # Jobs that are cut otherwise take each chunk from there.
    ladon(*given, "run.name=two", "site.budget.convert_jobs=2", "seed=7")
    assert "chunks were taken from the skim" in logged(outputs / "two")
    timing = read_json(next((outputs / "two").glob("reference/*/convert/timing.json")))
    assert timing["chunks"]["chunks"] == 0
    assert kept(alone) == kept(outputs)
    # One of the jobs finds it damaged: ROOT files are read again, and the skim is made again.
    (skim,) = (outputs / "skims").iterdir()
    damage(skim)
    assert kept(alone) != kept(outputs)
    ladon(*given, "run.name=again", "site.budget.convert_jobs=2", "seed=8")
    assert "damaged" in logged(outputs / "again")
    assert kept(alone) == kept(outputs)
