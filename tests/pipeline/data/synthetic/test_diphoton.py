"""Synthetic H -> yy: numbers of events, spectrum, weights, content, and where the truth is."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pandas as pd
import pytest
import uproot

from pipeline.data.errors import GenerationError
from pipeline.data.identity import portal_path
from pipeline.data.manifest import load_manifest
from pipeline.data.synthetic import generate, generate_file, sample_names, samples
from pipeline.data.synthetic.continuum import COMPONENTS, continuum, patterns
from pipeline.data.synthetic.samples import sample_of
from pipeline.data.synthetic.simulation import in_data
from pipeline.data.synthetic.streams import stream
from pipeline.files import read_json, read_table
from tests.pipeline.data.synthetic.conftest import data_settings, paths
from tests.pipeline.data.synthetic.official import diphoton, selected_diphoton

SELECTED = 251_500 * 0.994
"""Official figure at 36.1 fb^-1 in 100-160 GeV, times the share that a proper veto keeps."""
SIGNAL = ["343981", "346214", "345317", "345318", "345319", "345061", "346525"]


def truth(record: dict[str, Any]) -> pd.DataFrame:
    return read_table(Path(record["path"]).parent / "truth" / f"{record['sample']}.parquet")


def test_the_samples_are_the_16_periods_and_the_7_signals() -> None:
    names = sample_names("hyy")
    assert len(names) == 23
    assert names[16:] == SIGNAL
    assert sum(s.share for s in samples("hyy")) == pytest.approx(1.0)
    period = next(s for s in samples("hyy") if s.name == "data16_periodL")
    assert period.share == pytest.approx(1_703_011_027 / 9_861_498_743)
    real = load_manifest("2025e-13tev-beta").skim("GamGam").sample("343981").files[0].uri
    signal = next(s for s in samples("hyy") if s.name == "343981")
    assert signal.file_name == portal_path(real).rsplit("/", 1)[-1]
    assert signal.uri.startswith("synthetic/GamGam/ODEO_FEB2025_v0_GamGam_mc_343981.")


def test_selected_events_scale_with_luminosity(hyy: dict[str, Any]) -> None:
    expected = SELECTED * 2.0 / 36.1
    selected = sum(len(selected_diphoton(p)) for p in paths(hyy, "data"))
    assert abs(selected - expected) < 4 * np.sqrt(expected)


@pytest.mark.slow
def test_selected_events_at_full_luminosity(tmp_path: Path) -> None:
    records = {r["sample"]: r for r in generate("hyy", data_settings(), tmp_path)}
    masses = np.concatenate([selected_diphoton(p) for p in paths(records, "data")])
    assert len(masses) == pytest.approx(SELECTED, rel=0.02)
    counts, edges = np.histogram(masses, 55, (105, 160))
    centre = (edges[1:] + edges[:-1]) / 2
    x, peak = (centre - 130) / 30, np.exp(-0.5 * ((centre - 125) / 1.75) ** 2)
    design = np.stack([x**k for k in range(5)] + [peak], axis=1) / np.sqrt(counts)[:, None]
    fitted, chi2, *_ = np.linalg.lstsq(design, np.sqrt(counts), rcond=None)
    assert chi2[0] < 55 + 4 * np.sqrt(2 * 49)
    yield_ = fitted[-1] * 1.75 * np.sqrt(2 * np.pi)
    assert 500 < yield_ < 2200


def test_shares_of_the_tight_isolated_continuum(hyy: dict[str, Any]) -> None:
    tables = []
    for name, record in hyy.items():
        if record["kind"] == "data" and record["entries"]:
            mass, cuts, good = diphoton(Path(record["path"]))
            kept = cuts & good & (mass > 100) & (mass < 160)
            tables.append(truth(hyy[name])[kept])
    component = pd.concat(tables).query("not signal").component
    shares = component.value_counts(normalize=True)
    assert shares["yy"] == pytest.approx(0.78, abs=0.03)
    assert shares["yj"] == pytest.approx(0.19, abs=0.03)
    assert shares["jj"] == pytest.approx(0.03, abs=0.01)


def test_the_spectrum_falls(hyy: dict[str, Any]) -> None:
    masses = np.concatenate([selected_diphoton(p) for p in paths(hyy, "data")])
    counts = np.histogram(masses, 6, (100, 160))[0]
    assert np.all(np.diff(counts) < 0)
    assert counts[0] / counts[-1] == pytest.approx(5.0, rel=0.2)


def test_the_rest_is_thinned_and_the_good_pairs_are_not() -> None:
    component = COMPONENTS[1]
    shares = patterns(component)[1]
    assert shares.sum() == pytest.approx(1.0)
    full, thin = (
        continuum(stream(1, "hyy", "x", "yj"), component, 0.5, thinning) for thinning in (1.0, 0.1)
    )
    number = []
    for batch in (full, thin):
        photons = batch.objects["photon"]
        good = photons["isTightID"][:, :2].all(axis=1)
        good &= (photons["ptcone20"][:, :2] / photons["pt"][:, :2] < 0.055).all(axis=1)
        number.append((good.sum(), (~good).sum()))
    assert number[1][0] == pytest.approx(number[0][0], rel=0.12)
    assert number[1][1] == pytest.approx(0.1 * number[0][1], rel=0.05)


@pytest.mark.parametrize("dsid", SIGNAL)
def test_acceptance_times_efficiency_of_the_official_selection(
    hyy: dict[str, Any], dsid: str
) -> None:
    record = hyy[dsid]
    share = len(selected_diphoton(Path(record["path"]))) / record["n_events"]
    assert 0.25 < share < 0.37
    if dsid == "343981":
        assert share == pytest.approx(0.32, abs=0.02)


def test_the_resolution_at_125_gev(hyy: dict[str, Any]) -> None:
    mass = selected_diphoton(Path(hyy["343981"]["path"]))
    low, middle, high = np.percentile(mass, [15.87, 50, 84.13])
    assert middle == pytest.approx(125.0, abs=0.1)
    assert (high - low) / 2 == pytest.approx(1.75, abs=0.1)


@pytest.mark.parametrize("dsid", SIGNAL)
def test_weights_are_signed_and_sums_go_over_generated_events(
    hyy: dict[str, Any], dsid: str
) -> None:
    record = hyy[dsid]
    real = load_manifest("2025e-13tev-beta").skim("GamGam").sample(dsid)
    with uproot.open(record["path"]) as file:
        e = file["analysis"].arrays(
            ["mcWeight", "sum_of_weights", "num_events", "xsec", "filteff", "kfac",
             "channelNumber", "runNumber", "eventNumber", "sum_of_weights_squared"], library="np"
        )  # fmt: skip
    assert np.all(e["sum_of_weights"] == record["sum_of_weights"])
    assert np.all(e["num_events"] == record["n_events"])
    assert record["n_events"] in (10_000, 20_000)
    assert len(e["mcWeight"]) == record["entries"] < record["n_events"]
    assert e["mcWeight"].sum() < 0.85 * record["sum_of_weights"]
    mean = record["sum_of_weights"] / record["n_events"]
    assert mean == pytest.approx(real.sum_of_weights / real.n_events, rel=0.02)  # type: ignore[operator]
    if dsid != "345061":  # the real ggZH has no negative weight
        assert np.any(e["mcWeight"] < 0)
    product = e["xsec"][0] * e["filteff"][0] * e["kfac"][0]
    assert product == pytest.approx(real.effective_cross_section_pb, rel=1e-6)
    assert set(e["channelNumber"].tolist()) == {int(dsid)}
    assert len(np.unique(e["eventNumber"])) == record["entries"]


def test_data_carry_no_weights_and_each_event_once(hyy: dict[str, Any]) -> None:
    with uproot.open(hyy["data16_periodI"]["path"]) as file:
        e = file["analysis"].arrays(
            [
                "mcWeight",
                "xsec",
                "sum_of_weights",
                "runNumber",
                "eventNumber",
                "ScaleFactor_PILEUP",
            ],
            library="np",
        )
    for name, value in (
        ("mcWeight", 1), ("xsec", 0), ("sum_of_weights", 1), ("ScaleFactor_PILEUP", 1)
    ):  # fmt: skip
        assert set(e[name].tolist()) == {value}
    numbers = np.stack([e["runNumber"].astype(int), e["eventNumber"].astype(int)])
    assert np.unique(numbers, axis=1).shape == numbers.shape
    assert (numbers[0].min(), numbers[0].max()) == (307124, 308084)


def test_the_truth_is_beside_the_file_and_not_in_it(hyy: dict[str, Any]) -> None:
    record = hyy["data16_periodD"]
    with uproot.open(record["path"]) as file:
        tree = file["analysis"]
        e = tree.arrays(["runNumber", "eventNumber"], library="np")
        told = [b.name for b in tree.branches]
    assert not [name for name in told if "signal" in name or "truth" in name]
    table = truth(record)
    assert list(table.columns) == ["run_number", "event_number", "component", "signal"]
    np.testing.assert_array_equal(table.run_number, e["runNumber"])
    np.testing.assert_array_equal(table.event_number, e["eventNumber"])
    told = read_json(Path(record["path"]).parent / "truth" / "data16_periodD.json")
    assert (told["mu"], told["seed"], told["thinning"]) == (1.0, 2025, 0.1)
    counted = table.component.value_counts()
    for name, component in told["components"].items():
        assert component["entries"] == counted.get(name, 0)
        assert component["signal"] == (name not in ("yy", "yj", "jj"))
    position = np.flatnonzero(table.component == "yj")
    assert np.corrcoef(np.arange(len(position)), position)[0, 1] > 0.999


def test_the_signal_is_drawn_apart_from_the_continuum(hyy: dict[str, Any], tmp_path: Path) -> None:
    made = {
        mu: generate_file(
            "hyy",
            "data16_periodI",
            data_settings(luminosity=2, mu=mu),
            tmp_path / f"{mu}" / "x.root",
        )
        for mu in (0.0, 1.0, 50.0)
    }
    counts = {mu: truth(r).groupby("component").size() for mu, r in made.items()}
    assert not truth(made[0.0]).signal.any()
    for name in ("yy", "yj", "jj"):
        assert counts[0.0][name] == counts[1.0][name] == counts[50.0][name]
    expected = 50 * 0.110277 * 1000 * 2 * sample_of("hyy", "data16_periodI").share
    means = read_json(tmp_path / "50.0" / "truth" / "data16_periodI.json")["components"]
    assert means["ggH"]["expected"] == pytest.approx(expected)
    # As in simulation, less the efficiency scale factor, and thinned like the continuum.
    good = diphoton(Path(hyy["343981"]["path"]))[2]
    share = 0.984 * (good.sum() + 0.1 * (~good).sum()) / hyy["343981"]["n_events"]
    assert counts[50.0]["ggH"] == pytest.approx(share * expected, rel=0.08)


def test_efficiency_scale_factors_hold_in_data() -> None:
    """Simulation times its scale factors gives what data have: the injected strength comes back."""
    period = sample_of("hyy", "data16_periodL")
    made = in_data(lambda name: stream(3, "hyy", "x", name), period, 3000.0, 1.0)
    mean, batch = made["ggH"]
    with_factor = len(batch) / mean
    assert with_factor == pytest.approx(0.771 * (1 - 0.02 * np.sqrt(2 / np.pi)), abs=0.004)


def test_content_tells_the_processes_apart(hyy: dict[str, Any]) -> None:
    mean: dict[str, tuple[float, float, float]] = {}
    for dsid in (*SIGNAL, "data16_periodL"):
        with uproot.open(hyy[dsid]["path"]) as file:
            e = file["analysis"].arrays(["jet_pt", "jet_eta", "jet_btag_quantile", "met", "lep_pt"])
        jets = (e.jet_pt > 25) & (abs(e.jet_eta) < 2.5)
        tagged = jets & (e.jet_btag_quantile >= 4)
        mean[dsid] = (
            float(ak.mean(ak.sum(jets, axis=1))),
            float(ak.mean(ak.sum(tagged, axis=1))),
            float(ak.mean(e.met > 50)),
        )
    jets_of = {k: v[0] for k, v in mean.items()}
    assert jets_of["data16_periodL"] < jets_of["343981"] < jets_of["346214"] < jets_of["345318"]
    assert jets_of["346525"] > 4
    assert mean["346525"][1] > 1.2
    assert mean["data16_periodL"][1] < 0.05
    assert mean["345318"][2] > 5 * mean["343981"][2]


def test_forward_jets_are_vector_boson_fusion_s(hyy: dict[str, Any]) -> None:
    with uproot.open(hyy["346214"]["path"]) as file:
        e = file["analysis"].arrays(["jet_pt", "jet_eta"])
    two = e.jet_eta[ak.num(e.jet_eta) >= 2]
    assert ak.mean(abs(two[:, 0] - two[:, 1]) > 3) > 0.6


def test_what_cannot_be_made_is_said(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="no synthetic sample '364352' for channel hyy"):
        generate_file("hyy", "364352", data_settings(), tmp_path / "x.root")
    with pytest.raises(GenerationError, match="no synthetic samples for channel 'hww'; known: hyy"):
        sample_names("hww")
