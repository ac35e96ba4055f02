"""Filesets from real files: what is complete, what is refused, what damaged files do."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from pipeline.configure import configure
from pipeline.data.errors import IncompleteSampleError, LocationError, VerificationError
from pipeline.data.fileset import Wanted, build_fileset, check_resolved
from pipeline.data.manifest import load_manifest
from pipeline.files import to_json
from pipeline.settings import Settings

pytestmark = pytest.mark.realdata
NAMES = ["data_A.4lep.root", "data_B.4lep.root", "data_C.4lep.root"]
Build = Callable[..., dict[str, Any]]


def fileset_of(location: Path, *overrides: str, release: str = "2020") -> dict[str, Any]:
    return build_fileset(
        configure(
            ["channel=hzz4l", f"data=opendata_{release}", f"data.location={location}", *overrides]
        )
    )


@pytest.fixture
def mirror(samples: Path, tmp_path: Path) -> Path:
    """A writable flat folder with the three real files of 2020."""
    for name in NAMES:
        shutil.copyfile(samples / "2020e-13tev/4lep/Data" / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("below", ["2020e-13tev", "2020e-13tev/4lep", "2020e-13tev/4lep/Data", "."])
def test_real_2020_in_every_layout(samples: Path, below: str) -> None:
    fileset = fileset_of(samples / below, "data.verify=none", "data.partial=true")
    files = {n: s["files"][0] for n, s in fileset["samples"].items() if s["files"]}
    assert {n: f["entries"] for n, f in files.items()} == {
        "data_A": 39,
        "data_B": 156,
        "data_C": 237,
    }
    assert {f["verified"] for f in files.values()} == {"none"}
    assert [(c["sample"], c["start"], c["stop"]) for c in fileset["chunks"]] == [
        ("data_A", 0, 39),
        ("data_B", 0, 156),
        ("data_C", 0, 237),
    ]
    assert all(Path(f["path"]).is_absolute() for f in files.values())
    assert fileset["tree"] == "mini"
    assert "does not match the data: 1 of 4 data samples" in fileset["notes"][0]


def test_real_2025_is_verified_by_checksum(samples: Path) -> None:
    fileset = fileset_of(samples / "2025e-13tev-beta", "data.partial=true", release="2025")
    period = fileset["samples"]["data15_periodD"]
    assert period["complete"]
    assert period["files"][0]["verified"] == "checksum"
    assert period["files"][0]["adler32"] == "35ffb644"
    assert period["files"][0]["entries"] == 3424
    assert len(fileset["samples"]) == 30
    assert to_json(fileset)


def test_absent_samples_are_listed_and_not_normalisable(samples: Path) -> None:
    fileset = fileset_of(samples, "data.verify=none", "data.partial=true")
    higgs = fileset["samples"]["345060"]
    assert (higgs["complete"], higgs["normalisable"], higgs["files"]) == (False, False, [])
    assert higgs["missing"][0].endswith("mc_345060.ggH125_ZZ4lep.4lep.root")
    assert higgs["reason"] == "1 of its 1 file(s) missing"
    assert (higgs["role"], higgs["process"], higgs["dsid"]) == ("signal", "ggH", 345060)
    assert higgs["xsec_pb"] == 0.0060239
    assert fileset["samples"]["data_A"]["sum_of_weights"] is None


def test_incomplete_is_refused_with_what_is_missing(mirror: Path) -> None:
    with pytest.raises(IncompleteSampleError) as caught:
        fileset_of(mirror, "data.verify=none")
    sentence = str(caught.value)
    assert "12 of 15 samples are incomplete" in sentence
    assert "sample data_D misses 1 of 1 files; first missing: data_D.4lep.root" in sentence
    assert "data.partial=true" in sentence
    assert isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize("verify", ["size", "checksum"])
def test_a_repacked_file_is_not_the_record_s(mirror: Path, verify: str) -> None:
    with pytest.raises(VerificationError, match=r"expected size 33765 bytes .* found 25826 bytes"):
        fileset_of(mirror, f"data.verify={verify}", "data.partial=true")


def test_a_file_of_the_release_put_beside_them_comes_along(mirror: Path) -> None:
    shutil.copyfile(mirror / NAMES[1], mirror / "data_D.4lep.root")
    shutil.copyfile(mirror / NAMES[0], mirror / "mc_345060.ggH125_ZZ4lep.4lep.root")
    shutil.copyfile(mirror / NAMES[0], mirror / "mc_301215.ZPrime2000_ee.4lep.root")
    shutil.copyfile(mirror / NAMES[0], mirror / "stranger.root")
    fileset = fileset_of(mirror, "data.verify=none", "data.partial=true")
    entries = {n: s["files"][0]["entries"] for n, s in fileset["samples"].items() if s["files"]}
    assert entries == {
        "data_A": 39, "data_B": 156, "data_C": 237, "data_D": 156, "345060": 39, "301215": 39,
    }  # fmt: skip
    roles = {n: fileset["samples"][n]["role"] for n in entries}
    assert (roles["345060"], roles["301215"], roles["data_D"]) == ("signal", "other", "data")
    assert fileset["samples"]["345060"]["normalisable"]
    assert any("stranger.root" in note for note in fileset["notes"])
    assert not any("luminosity" in note for note in fileset["notes"])


def test_a_sample_without_cross_section_is_there_but_not_normalisable(mirror: Path) -> None:
    shutil.copyfile(mirror / NAMES[0], mirror / "mc_305553.Gee_01_1000.4lep.root")
    sample = fileset_of(mirror, "data.verify=none", "data.partial=true")["samples"]["305553"]
    assert (sample["complete"], sample["normalisable"]) == (True, False)
    assert "no cross-section" in sample["reason"]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:9000])


def _noise(path: Path) -> None:
    path.write_bytes(b"noise" * 1000)


def _other_tree(path: Path) -> None:
    with uproot.recreate(path) as file:
        file.mktree("analysis", {"x": "float64"}).extend({"x": np.arange(3.0)})


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (_cut, "truncated"),
        (_noise, "corrupt"),
        (lambda path: path.write_bytes(b""), "empty"),
        (_other_tree, "wrong_tree"),
    ],
)
def test_a_damaged_file_is_named_and_the_rest_goes_on(
    mirror: Path, damage: Callable[[Path], None], kind: str
) -> None:
    damage(mirror / NAMES[1])
    fileset = fileset_of(mirror, "data.verify=none", "data.partial=true")
    sample = fileset["samples"]["data_B"]
    assert sample["files"][0]["problem"]["kind"] == kind
    assert sample["files"][0]["entries"] is None
    assert (sample["complete"], sample["normalisable"]) == (False, False)
    assert NAMES[1] in sample["reason"]
    assert {c["sample"] for c in fileset["chunks"]} == {"data_A", "data_C"}
    assert any(note.startswith("sample data_B: expected") or "empty" in note
               for note in fileset["notes"])  # fmt: skip
    with pytest.raises(VerificationError):
        fileset_of(mirror, "data.verify=size", "data.partial=true")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_noise, "data_B: expected a ROOT file at data_B.4lep.root, found one that cannot"),
        (_other_tree, "data_B: expected tree 'mini' in data_B.4lep.root, found analysis"),
        (lambda path: shutil.copyfile(path.with_name(NAMES[0]), path), "expected 156 entries in"),
    ],
)
def test_damaged_files_are_refused_as_missing_ones_are(
    mirror: Path, damage: Callable[[Path], None], said: str
) -> None:
    """Without checksums they would be left out, and the data no longer match the luminosity."""
    settings = of_data(mirror, "data.verify=none")
    assert all(s["complete"] for s in build_fileset(settings)["samples"].values())
    damage(mirror / NAMES[1])
    with pytest.raises(IncompleteSampleError, match=said) as caught:
        build_fileset(settings)
    assert "1 of 3 samples have damaged files" in str(caught.value)
    assert "data.partial=true" in str(caught.value)
    partial = build_fileset(of_data(mirror, "data.verify=none", "data.partial=true"))
    assert not partial["samples"]["data_B"]["normalisable"]


def of_data(location: Path, *overrides: str) -> Settings:
    """Settings of the three periods alone of which there are files."""
    place = f"data.location={location}"
    settings = configure(["channel=hzz4l", "data=opendata_2020", place, *overrides])
    data = replace(settings.channel.processes["data"], samples=("data_A", "data_B", "data_C"))
    return replace(settings, channel=replace(settings.channel, processes={"data": data}))


def test_another_number_of_entries_than_the_manifest_s(mirror: Path) -> None:
    shutil.copyfile(mirror / NAMES[0], mirror / NAMES[2])
    sample = fileset_of(mirror, "data.verify=none", "data.partial=true")["samples"]["data_C"]
    assert sample["reason"] == "expected 237 entries in data_C.4lep.root, found 39"
    assert not sample["normalisable"]


def test_a_place_without_any_file_of_the_skim(samples: Path) -> None:
    with pytest.raises(LocationError, match=r"found 3 other ROOT files \(mc_105986"):
        fileset_of(samples / "2016e-8tev", "data.partial=true")
    with pytest.raises(LocationError, match="found no ROOT file"):
        fileset_of(samples / "2020e-13tev/4lep/..", "data.partial=true", "channel=hyy")


def test_chunks_and_progress(samples: Path) -> None:
    told: list[tuple[int, int, int]] = []
    settings = configure(
        ["channel=hzz4l", "data=opendata_2020", f"data.location={samples}", "data.verify=none",
         "data.partial=true", "data.chunk_size=100"]
    )  # fmt: skip
    fileset = build_fileset(settings, None, lambda *three: told.append(three))
    assert [c["stop"] - c["start"] for c in fileset["chunks"]] == [39, 78, 78, 79, 79, 79]
    assert told[-1] == (0, 0, 432)
    assert len({c["id"] for c in fileset["chunks"]}) == 6


def test_a_run_whose_files_nobody_knows_is_refused(index_home: Path) -> None:
    """It has no file that could be missing, and must not seem complete."""
    skim = load_manifest("2024r-pp").skim("physlite")
    known = Wanted(skim.sample("343981"), "ggH", "signal")
    run = Wanted(skim.sample("data15_run_00271733"), "data", "data")
    check_resolved([known], "2024r-pp")
    with pytest.raises(
        IncompleteSampleError,
        match=r"of 1 samples of release 2024r-pp are not known, first data15_run_00271733: ",
    ):
        check_resolved([known, run], "2024r-pp")


def test_before_a_file_is_copied_it_is_refused(
    index_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("pipeline.data.fileset.bring", lambda *_: asked.append("bring"))
    settings = configure(
        ["data=opendata_2024", "data.location=https://localhost", "solver=reference"]
    )
    with pytest.raises(IncompleteSampleError, match=r"first data1[56]_run_.*ladon fetch --index"):
        build_fileset(settings)
    assert asked == []
