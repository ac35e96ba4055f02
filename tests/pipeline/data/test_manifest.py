"""The manifests against the catalogue's totals and physics.md's numbers."""

import gzip
import json
import re
from pathlib import Path

import pytest

from pipeline.data.errors import ManifestError
from pipeline.data.identity import basename, normalise_adler32
from pipeline.data.manifest import (
    known_manifests,
    load_manifest,
    manifest_folder,
    manifest_path,
    manifest_sha256,
)
from pipeline.data.manifest_form import read_manifest

BETA, EDUCATION = "2025e-13tev-beta", "2020e-13tev"


@pytest.mark.parametrize(
    ("release", "skim", "kind", "samples", "size"),
    [
        (BETA, "GamGam", "data", 16, 9_861_498_743),
        (BETA, "GamGam", "mc", 373, 4_895_835_241),
        (BETA, "exactly4lep", "data", 16, 581_985_898),
        (BETA, "exactly4lep", "mc", 373, 894_129_031),
        (EDUCATION, "GamGam", "data", 4, 1_482_726_519),
        (EDUCATION, "GamGam", "mc", 5, 633_313_307),
        (EDUCATION, "4lep", "data", 4, 334_404),
        (EDUCATION, "4lep", "mc", 106, 528_399_449),
    ],
)
def test_totals_of_each_skim(release: str, skim: str, kind: str, samples: int, size: int) -> None:
    of_kind = [s for s in load_manifest(release).skim(skim).samples.values() if s.kind == kind]
    assert len(of_kind) == samples
    assert sum(s.size for s in of_kind) == size
    assert sum(len(s.files) for s in of_kind) == samples


def test_period_d_is_the_record() -> None:
    (file,) = load_manifest(BETA).skim("GamGam").sample("data15_periodD").files
    assert (file.size, file.adler32, file.entries) == (17_541_818, "037f48e7", 63_195)
    (four,) = load_manifest(BETA).skim("exactly4lep").sample("data15_periodD").files
    assert (four.size, four.adler32, four.entries) == (2_219_662, "35ffb644", 3_424)


def test_entries_that_the_sources_know() -> None:
    known = {
        (release, skim.name, s.name): f.entries
        for release in (BETA, EDUCATION)
        for skim in load_manifest(release).skims.values()
        for s in skim.samples.values()
        for f in s.files
        if f.entries is not None
    }
    assert known == {
        (EDUCATION, "4lep", "data_A"): 39,
        (EDUCATION, "4lep", "data_B"): 156,
        (EDUCATION, "4lep", "data_C"): 237,
        (EDUCATION, "GamGam", "data_A"): 430_344,
        (BETA, "GamGam", "data15_periodD"): 63_195,
        (BETA, "exactly4lep", "data15_periodD"): 3_424,
    }


@pytest.mark.parametrize(
    ("dsid", "produced"),
    [
        ("343981", 3981), ("346214", 310), ("345317", 44), ("345318", 69), ("345319", 62),
        ("345061", 10), ("346525", 42),
    ],
)  # fmt: skip
def test_higgs_bosons_produced_in_36_inverse_femtobarn(dsid: str, produced: int) -> None:
    sample = load_manifest(BETA).skim("GamGam").sample(dsid)
    assert round(sample.effective_cross_section_pb * 36_100) == produced


def test_the_same_product_spelled_in_two_ways() -> None:
    """The files say 28.3 x 1.717 x 0.00227, the table 0.110277 x 1 x 1 (physics.md)."""
    sample = load_manifest(BETA).skim("GamGam").sample("343981")
    assert sample.effective_cross_section_pb == pytest.approx(28.3 * 1.717 * 0.00227, rel=3e-4)
    assert sample.sum_of_weights == pytest.approx(5_660_114.774513245, rel=1e-12)
    assert sample.n_events == 200_000


def test_corrections_say_what_they_replaced() -> None:
    tth = load_manifest(EDUCATION).skim("GamGam").sample("341081")
    assert tth.cross_section_pb == 0.00115112
    (correction,) = tth.corrections
    assert (correction.quantity, correction.old) == ("cross_section_pb", 2.6433864e-06)
    assert "branching ratio" in correction.reason
    vbf = load_manifest(BETA).skim("exactly4lep").sample("346228")
    assert vbf.effective_cross_section_pb == pytest.approx(3.7474 * 1.24e-4)
    assert [c.old for c in vbf.corrections] == [1.551e-08]


def test_what_cannot_be_put_right_is_a_warning() -> None:
    zh = load_manifest(EDUCATION).skim("4lep").sample("341947")
    assert zh.cross_section_pb == 2.1424784e-06
    assert not zh.corrections
    assert "hundred times below" in zh.warnings[0]


def test_a_sample_without_a_row_has_no_cross_section() -> None:
    graviton = load_manifest(EDUCATION).skim("4lep").sample("305553")
    assert graviton.cross_section_pb is None
    assert "no row for 305553" in graviton.warnings[0]
    with pytest.raises(ManifestError, match="has no cross-section"):
        assert graviton.effective_cross_section_pb


def test_samples_are_looked_up_with_a_hint() -> None:
    skim = load_manifest(BETA).skim("GamGam")
    with pytest.raises(ManifestError, match=r"has no sample '343982'; nearest: .*343981"):
        skim.sample("343982")
    with pytest.raises(ManifestError, match="no skim 'gamgam'; nearest: GamGam"):
        load_manifest(BETA).skim("gamgam")
    with pytest.raises(ManifestError, match="no manifest for release '2024r-p'; nearest: 2024r-pp"):
        manifest_path("2024r-p")


def test_the_manifest_is_named_by_its_hash() -> None:
    assert len(manifest_sha256(BETA)) == 64
    assert manifest_sha256(BETA) != manifest_sha256(EDUCATION)
    assert manifest_path(BETA).parent == manifest_folder()


def test_a_damaged_manifest_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "x.json.gz"
    path.write_bytes(manifest_path(BETA).read_bytes()[:1000])
    with pytest.raises(ManifestError, match="expected a compressed manifest in"):
        read_manifest(path)
    path.write_bytes(gzip.compress(json.dumps({"schema": 7}).encode()))
    with pytest.raises(ManifestError, match=r"schema 2 in .*, found 7"):
        read_manifest(path)


@pytest.mark.realdata
def test_the_inputs_of_the_diphoton_measurement_are_all_listed(open_data: Path) -> None:
    """16 data and 15 simulated files, with the cross-sections and events that they expect."""
    skim = load_manifest(BETA).skim("GamGam")
    inputs = json.loads((open_data / "hyy_2025_inputs.json").read_text())
    for row in [*inputs["data"], *inputs["mc"]]:
        sample = skim.sample(row.get("dsid_or_run") or row["dsid"])
        (file,) = sample.files
        assert (file.uri, file.size) == (row["uri"], int(row["size"]))
        assert file.adler32 == normalise_adler32(row["adler32"])
        if sample.kind == "mc":
            produced = sample.effective_cross_section_pb * 36_100
            assert produced == pytest.approx(row["exp_at_36p1"], rel=1e-6)
            assert sample.sum_of_weights == pytest.approx(row["sumW"], rel=1e-12)
    assert (len(inputs["data"]), len(inputs["mc"])) == (16, 15)


def test_two_skims_of_2025_have_other_names_and_folders() -> None:
    """2bjets70 and noskim, by another author: the same samples in another spelling."""
    manifest = load_manifest(BETA)
    assert len(manifest.skims) == 12
    for name, skim in manifest.skims.items():
        other = name in ("2bjets70", "noskim")
        assert list(skim.samples) == list(manifest.skim("GamGam").samples)
        for file in skim.files:
            assert ("/rucio/user/egramsta/" in file.uri) is other
            assert basename(file.uri).startswith(f"ODEO_FEB2025_v0_{name}_") is not other
            assert file.uri.endswith(f".{name}.root")


def test_every_address_is_spelled_alike_and_listed_once() -> None:
    """The 2024 records have a port in them; 2016, 2020 and 2025 have none."""
    for release in known_manifests():
        uris = [f.uri for skim in load_manifest(release).skims.values() for f in skim.files]
        assert len(uris) == len(set(uris))
        assert all(u.startswith("root://eospublic.cern.ch//eos/opendata/atlas/") for u in uris)


PRODUCTION_PB = {
    "ggZH": 0.123, "ttH": 0.507, "tHjb": 0.0743, "tWH": 0.0152, "ggH": 48.6, "VBFH?": 3.78,
    "W[pm]?H": 1.37, "ZH": 0.884,
}  # fmt: skip
"""pb at 13 TeV for a mass of 125 GeV (LHC Higgs working group); ZH with what gluons make of it."""
DECAY = {
    "gamstargam|gamgam|gammagamma|Hyy|_yy": 0.00227, "ZZ4l": 2.76e-4, "WWlvlv": 0.0237,
    "tautau|_tt(?!H)": 0.0627, "bb": 0.582, "cc": 0.0289, "mumu": 2.18e-4,
    "Hee": 5.5e-9, "Zy": 1.54e-3,
}  # fmt: skip
"""Branching ratios, leptons of all flavours."""


@pytest.mark.parametrize("release", ["2024r-pp", "2025e-13tev-beta"])
def test_a_cross_section_without_its_branching_ratio_has_a_warning(release: str) -> None:
    """Of a sample named after a Higgs boson's decay, two times and more above theory."""
    silent, warned = [], []
    (skim, *_) = load_manifest(release).skims.values()
    for sample in skim.samples.values():
        if sample.cross_section_pb is None:
            continue
        made = next((x for p, x in PRODUCTION_PB.items() if is_made_by(p, sample.process)), None)
        decay = next((b for d, b in DECAY.items() if re.search(d, sample.process)), None)
        if made and decay and sample.effective_cross_section_pb > 2 * made * decay:
            (warned if sample.warnings else silent).append(sample.name)
    assert silent == []
    assert len(warned) == 56
    assert {"346797", "346526", "346188", "345878"} < set(warned)  # three of H->yy, one of H->ee


def is_made_by(production: str, process: str) -> bool:
    return re.search(rf"_{production}(J?125|jb125|_)", process) is not None
