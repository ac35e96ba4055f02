"""A second analysis of the same preselection, by the real command, without any ROOT file."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline.files import sha256_file
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
    ladon("run", "run.name=first", *SMALL, "data.luminosity=0.5")
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

    part = min(skim.glob("*.parquet"))
    content = bytearray(part.read_bytes())
    part.unlink()
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
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
