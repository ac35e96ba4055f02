"""Sums of weights of every manifest: each the one of its skim, none silently out of line."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from pipeline.data.manifest import Sample, load_manifest, manifest_folder
from pipeline.files import read_json

EDUCATION = "2020e-13tev"
MILLIBARN_PB = 1e9


def per_event(sample: Sample) -> float | None:
    if sample.sum_of_weights is None or sample.n_events is None:
        return None
    return sample.sum_of_weights / sample.n_events


def spread(samples: list[Sample]) -> float:
    """By which share the largest weight per event is above the smallest."""
    means = [per_event(s) or 0 for s in samples]
    return max(means) / min(means) - 1


def fluctuation(samples: list[Sample]) -> float:
    """What few events may make of it: three times the mean as the spread of weights is ample."""
    return 3 / float(min(s.n_events or 0 for s in samples)) ** 0.5


def test_a_skim_of_its_own_production_has_its_own_sum() -> None:
    """1lep1tau and 1largeRjet1lep were made from other subsets: `<process>_<skim>` in the table."""
    manifest = load_manifest(EDUCATION)
    found = {
        skim: manifest.skim(skim).sample("361106").sum_of_weights
        for skim in ("2lep", "1lep1tau", "1largeRjet1lep")
    }
    assert found == {
        "2lep": 150_277_594_200,
        "1lep1tau": 116_172_063_285,
        "1largeRjet1lep": 150_277_594_200,
    }
    own = {
        skim: sum((s.facts_source or "").endswith(f"_{skim}") for s in listed.samples.values())
        for skim, listed in manifest.skims.items()
    }
    assert {skim: n for skim, n in own.items() if n} == {"1lep1tau": 100, "1largeRjet1lep": 102}


def test_the_lost_digit_is_put_back() -> None:
    """ttbar in 1largeRjet1lep: 4938660 for 49386600 events of weight 1."""
    sample = load_manifest(EDUCATION).skim("1largeRjet1lep").sample("410000")
    assert sample.sum_of_weights == sample.n_events == 49_386_600
    (correction,) = sample.corrections
    assert (correction.quantity, correction.old) == ("sum_of_weights", 4_938_660)
    assert not load_manifest(EDUCATION).skim("1lep").sample("410000").corrections


def test_the_number_1_is_a_process_number() -> None:
    for skim in ("2lep", "3lep", "exactly2lep"):
        sample = load_manifest(EDUCATION).skim(skim).sample("301223")
        assert (sample.process, sample.cross_section_pb) == ("ZPrime5000_mumu", 1.8334e-05)
        (correction,) = sample.corrections
        assert (correction.quantity, correction.old, correction.new) == ("dsid", 1, 301_223)


def test_one_process_has_one_weight_per_event_or_a_warning() -> None:
    """Every skim is made from events of the same generator, however many of them."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for skim in load_manifest(EDUCATION).skims.values():
        for sample in skim.samples.values():
            if per_event(sample) is not None:
                found[sample.name].append(sample)
    odd = {name: s for name, s in found.items() if spread(s) > 0.01 + fluctuation(s)}
    assert sorted(odd) == ["364114", "364169", "364191", "364192", "364196", "410013"]
    assert all(any(s.warnings for s in samples) for samples in odd.values())


@pytest.mark.realdata
@pytest.mark.parametrize("release", ["2016e-8tev", EDUCATION])
def test_tiny_sums_are_of_weights_in_millibarn(release: str, open_data: Path) -> None:
    """What looks wrong and is right: the mean weight is the cross-section of the generator."""
    checked = read_json(manifest_folder() / "corrections.json")["checked"]
    expected = {n for c in checked if c["release"] == release for n in c["samples"]}
    tiny = set()
    kept = share_kept(open_data) if release == "2016e-8tev" else {}
    for skim in load_manifest(release).skims.values():
        for sample in skim.samples.values():
            mean = per_event(sample)
            if mean is not None and abs(mean) < 1e-3:
                tiny.add(sample.name)
                generated = mean * MILLIBARN_PB / kept.get(sample.name, 1.0)
                assert generated == pytest.approx(sample.cross_section_pb, rel=0.07)
    assert tiny == expected != set()


def share_kept(open_data: Path) -> dict[str, float]:
    """DSID -> share of the generated events that the files of 2016 were cut down to."""
    return {str(r["DSID"]): r["red_eff"] for r in read_json(open_data / "mc_8tev.json").values()}


def test_facts_of_the_8_tev_release() -> None:
    """The official code divides by the share that was kept: it is in the sum of weights."""
    skim = load_manifest("2016e-8tev").skim("none")
    assert skim.tree == "mini"
    zz = skim.sample("105986")
    assert (zz.process, zz.cross_section_pb, zz.k_factor) == ("ZZ", 1.5376, 1.0)
    assert zz.effective_cross_section_pb == 1.5376
    assert zz.sum_of_weights == pytest.approx(243674.74 * 0.95088)
    assert (zz.n_events, zz.entries) == (245_000, 125_000)
