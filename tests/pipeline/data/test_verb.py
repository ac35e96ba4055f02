"""`ladon data`: what it prints, what its JSON holds, and what it says of a mistake."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.data.manifest import manifest_path
from pipeline.data.manifest_form import write_manifest

pytestmark = pytest.mark.usefixtures("index_home")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["data", *arguments]) == 0
    return capsys.readouterr().out


def plain(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(printed(capsys, *arguments, "--json"))
    return found


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_the_list_is_the_table_of_what_is_open(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys)
    assert text == printed(capsys, "list")
    assert all(len(line) <= 80 for line in text.splitlines() if "unresolved" not in line)
    found = lines(text)
    for row in (
        ["release", "skim", "samples", "files", "resolved", "events", "size"],
        ["2016e-8tev", "none", "44", "44", "44", "59,989,301", "6.70", "GB"],
        ["2020e-13tev", "1,149", "1,149", "1,149", "–", "158.50", "GB"],
        ["2024r-pp", "physlite", "690", "70,611", "14,991", "9,058,437,931", "71.75", "TB"],
        ["2024r-hi", "hion14", "36", "1,921", "1,921", "221,050,858", "4.39", "TB"],
        ["2025e-13tev-beta", "4,668", "4,668", "4,668", "9,837,961,169", "2.76", "TB"],
        ["2025r-evgen", "generator", "2,671", "0", "–", "1.2", "TB"],
        ["together", "81,064", "22,773", "–", "80.3", "TB"],
    ):
        assert row in found
    assert sum(row[:1] == ["2025e-13tev-beta"] for row in found) == 12 + 1
    assert "unresolved: 55,620 files of 2024r-pp" in text
    assert "2,671 generator-level files are published and not listed here" in text


def test_a_list_of_one_release_has_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "2016e-8tev")
    assert lines(text)[1][:2] == ["2016e-8tev", "none"]
    assert "together" not in text
    two = plain(capsys, "list", "2016e-8tev", "2024r-hi")
    assert [r["release"] for r in two["releases"]] == ["2016e-8tev", "2024r-hi"]
    assert two["unlisted"] == []
    assert two["total"]["files"] == 44 + 1_921
    assert two["total"]["events"] == 59_989_301 + 221_050_858


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = plain(capsys, "list")
    assert found["total"] == {
        "files": 81_064,
        "resolved": 22_773,
        "unresolved": 55_620,
        "unlisted": 2_671,
        "events": None,
        "bytes": pytest.approx(80.3e12, abs=0.05e12),
        "bytes_rounded_to": 10**11,
    }
    (beta,) = [r for r in found["releases"] if r["release"] == "2025e-13tev-beta"]
    assert sum(s["files"] for s in beta["skims"]) == beta["files"] == 4_668
    assert sum(s["bytes"] for s in beta["skims"]) == beta["bytes"] == 2_763_127_198_190


def test_a_sample_is_shown_with_all_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "show", "2020e-13tev/GamGam/341081")
    for words in (
        "process           ttH125_gamgam",
        "cross-section     0.00115112 pb",
        "sum of weights    485440.0",
        "facts from        mc_2020.json, 341081 ttH125_gamgam",
        "corrected         cross_section_pb from 2.6433864e-06 to 0.00115112: The branching",
        "source: mc_13tev_373.csv, row 346525",
        "mc_341081.ttH125_gamgam.GamGam.root  217819076 bytes  adler32 f76530f0",
    ):
        assert words in text
    found = plain(capsys, "show", "2024r-pp/physlite/700320")
    assert len(found["files"]) == 21
    assert found["entries"] == found["n_events"] == 4_206_400
    assert found["effective_cross_section_pb"] == pytest.approx(2221.2 * 0.02493594)
    assert "and 1 more: --json lists all" in printed(capsys, "show", "2024r-pp/physlite/700320")


def test_a_run_that_is_not_resolved_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "show", "2024r-pp/physlite/data15_run_00271733")
    assert "not known before `ladon fetch --index`" in text
    assert "_Run_00271733_file_index.json  528 bytes  adler32 417c94a6" in text
    found = plain(capsys, "show", "2024r-pp/physlite/data15_run_00271733")
    assert (found["resolved"], found["entries"], found["files"]) == (False, None, [])


def test_a_skim_and_a_release_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "show", "2025e-13tev-beta/GamGam")
    assert next(r for r in lines(text) if r[:1] == ["343981"])[:3] == ["343981", "1", "–"]
    assert "389 samples, 389 files, 14.76 GB" in text
    skim = plain(capsys, "show", "2025e-13tev-beta/GamGam")
    assert len(skim["samples"]) == 389
    assert {s["files"] for s in skim["samples"]} == {1}
    release = printed(capsys, "show", "2024r-pp")
    assert "mc: 14,991 files, 1,980,433,720 events, 22.57 TB (counted" in release
    assert "source mc_13tev_373.csv sha256 " in release
    found = plain(capsys, "show", "2024r-pp")
    assert found["skims"]["physlite"]["unresolved"] == 55_620
    assert found["published"]["data"]["events"] == 7_078_004_211


def changed(folder: Path) -> Path:
    """The manifest of 2016 with a sample less, a file of another size, and another value."""
    content = json.loads(gzip.decompress(manifest_path("2016e-8tev").read_bytes()))
    samples = content["skims"]["none"]["samples"]
    del samples["105985"]
    samples["105986"]["files"][0]["sizes"] = [7]
    samples["105987"]["cross_section_pb"] = 7.0
    samples["105987"]["files"][0]["names"] = ["mc_105987.WZ.v2.root"]
    write_manifest(folder / "2016e-8tev.json.gz", content)
    return folder / "2016e-8tev.json.gz"


def test_two_manifests_are_compared(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = changed(tmp_path)
    text = printed(capsys, "diff", "2016e-8tev", "--against", str(tmp_path))
    assert "+ 1 samples: none/105985" in text
    assert "~ none/105986\n    ~ 1 files: root://" in text
    assert "~ none/105987\n    cross_section_pb: 7.0 -> 6.9673\n    + 1 files" in text
    found = plain(capsys, "diff", "2016e-8tev", str(path))
    assert not found["same"]
    assert found["samples_removed"] == ["none/105985"]
    by_name = {c["sample"]: c for c in found["samples_changed"]}
    assert sorted(by_name) == ["105986", "105987"]
    assert by_name["105987"]["values"] == {"cross_section_pb": [6.9673, 7.0]}
    assert [u[-20:] for u in by_name["105987"]["files_added"]] == ["mc_105987.WZ.v2.root"]
    assert len(by_name["105986"]["files_changed"]) == 1
    same = printed(capsys, "diff", "2016e-8tev", str(manifest_path("2016e-8tev")))
    assert "both say the same of every skim, sample and file" in same
    other = printed(capsys, "diff", "2016e-8tev", "2024r-hi")
    assert "+ 1 skims: hion14\n- 1 skims: none" in other


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lsit"], "expected list, show, diff or a release after `ladon data`, found 'lsit'; ne"),
        (["2024r-p"], "found '2024r-p'; nearest: 2024r-pp"),
        (["list", "2024"], "no manifest for release '2024'; nearest: "),
        (["show"], "expected one RELEASE[/SKIM[/SAMPLE]], found 0"),
        (["show", "2024r-pp/physlit"], "has no skim 'physlit'; nearest: physlite"),
        (["show", "2024r-pp/physlite/70032"], "has no sample '70032'; nearest: 700320"),
        (["diff", "2024r-pp"], "expected 2 manifests to compare, found 1"),
        (["diff", "2024r-pp", "--against"], "expected a folder after --against, found the end"),
        (["diff", "2024r-pp", "--against", "x"], "expected a manifest in x/2024r-pp.json.gz, fou"),
        (["diff", "2024r-pp", "x.json.gz"], "expected a manifest in x.json.gz, found no file"),
        (["show", "2024r-pp", "--against", "x"], "--against belongs to `ladon data diff`"),
        (["list", "--jsn"], "unknown option '--jsn' for data; known: --debug, --help, --json"),
    ],
)
def test_a_mistake_is_a_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_release_may_be_named_as_a_run_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    for by_choice, by_key in (
        (["show", "opendata_2016"], ["show", "2016e-8tev"]),
        (["show", "opendata_2025/GamGam/301204"], ["show", "2025e-13tev-beta/GamGam/301204"]),
        (["list", "opendata_2020"], ["2020e-13tev"]),
        (["opendata_2024"], ["2024r-pp"]),
    ):
        assert printed(capsys, *by_choice) == printed(capsys, *by_key)
    assert main(["data", "show", "opendata_2O16"]) != 0
    assert "opendata_2O16" in capsys.readouterr().err
