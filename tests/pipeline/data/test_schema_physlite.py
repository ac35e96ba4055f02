"""PHYSLITE through the schema door: the real file, coffea's own schema, and what is missing."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from coffea.nanoevents import NanoEventsFactory, PHYSLITESchema

from pipeline.data.errors import BranchError
from pipeline.data.schema import door, known_releases
from pipeline.stages.convert.events import read_events

EXAMPLE = "2024r-pp/PHYSLITE_example.root"
RELEASE = "2024r-pp"
QUANTITIES = {"pt": 1000, "eta": 1, "phi": 1}
SAMPLE = {"xsec_pb": 2221.2, "filter_efficiency": 0.8460721, "k_factor": 1.0,
          "sum_of_weights": 1195987492151594.8}  # fmt: skip


@pytest.fixture(scope="module")
def events(samples: Path) -> ak.Array:
    return read_events(samples / EXAMPLE, "CollectionTree", RELEASE, 0, 100, (), SAMPLE)


@pytest.mark.realdata
def test_every_variable_reads_from_the_real_file(events: ak.Array) -> None:
    assert events.fields == list(door(RELEASE).fields)
    assert len(events) == 100
    for name, field in door(RELEASE).fields.items():
        kind = str(events[name].type).removeprefix("100 * ")
        spelled = {"float": "float32", "double": "float64"}
        scalar = field.type.removesuffix("[]")
        jagged = "var * " if field.type.endswith("[]") else ""
        assert kind == jagged + spelled.get(scalar, scalar), name


@pytest.mark.realdata
def test_objects_are_those_that_coffea_reads(events: ak.Array, samples: Path) -> None:
    wanted = [f"Analysis{c}AuxDyn.{q}" for c in ("Photons", "Jets", "Electrons", "Muons")
              for q in (*QUANTITIES, "m")]  # fmt: skip
    theirs = NanoEventsFactory.from_root(
        {str(samples / EXAMPLE): "CollectionTree"},
        schemaclass=PHYSLITESchema,
        mode="virtual",
        iteritems_options={"filter_name": wanted},
    ).events()
    assert ak.sum(ak.num(theirs.Photons.pt)) == 292
    assert ak.sum(events.photon_n) == 292
    assert [ak.sum(events[n]) for n in ("jet_n", "lep_n")] == [881, 134 + 5]
    for quantity, unit in QUANTITIES.items():
        for ours, container in (("photon", "Photons"), ("jet", "Jets")):
            right = ak.materialize(theirs[container][quantity]) / np.float32(unit)
            assert ak.array_equal(events[f"{ours}_{quantity}"], right, check_parameters=False)
        both = ak.concatenate([theirs.Electrons[quantity], theirs.Muons[quantity]], axis=1)
        order = ak.argsort(
            ak.concatenate([theirs.Electrons.pt, theirs.Muons.pt], axis=1), ascending=False
        )
        right = ak.materialize(both[order]) / np.float32(unit)
        assert ak.array_equal(events[f"lep_{quantity}"], right, check_parameters=False)


@pytest.mark.realdata
def test_derived_values_of_the_real_file(events: ak.Array, samples: Path) -> None:
    tree = uproot.open(samples / EXAMPLE)["CollectionTree"]
    pt, eta = (tree[f"AnalysisPhotonsAuxDyn.{q}"].array() for q in ("pt", "eta"))
    assert ak.all(tree["AnalysisPhotonsAuxDyn.m"].array() == 0)
    energy = ak.flatten(pt * np.cosh(eta) / 1000)
    assert ak.flatten(events.photon_e).tolist() == pytest.approx(energy.tolist(), rel=1e-6)
    assert ak.sum(events.photon_isTightID) == 46
    assert ak.sum(events.photon_isLooseID) == 291
    assert set(events.channelNumber.tolist()) == {700322}
    assert set(events.runNumber.tolist()) == {300000}
    weights = tree["EventInfoAuxDyn.mcEventWeights"].array()
    assert events.mcWeight.tolist() == [w[0] for w in weights.tolist()]
    assert ak.sum(events.trigP) == 1
    kinds = ak.flatten(events.lep_type)
    assert [ak.sum(kinds == k) for k in (11, 13)] == [134, 5]
    assert ak.all(events.lep_pt[:, :-1] >= events.lep_pt[:, 1:])
    assert set(ak.flatten(events.lep_charge).tolist()) == {-1.0, 1.0}
    # Muons here have quality medium, medium, loose, loose with a good track, and one tight.
    muon = kinds == 13
    found = [ak.sum(ak.flatten(events[f"lep_is{n}ID"])[muon]) for n in ("Tight", "Medium", "Loose")]
    assert found == [1, 3, 5]
    assert events.xsec.tolist() == [2221.2] * 100
    assert events.sum_of_weights.tolist() == [1195987492151594.8] * 100


@pytest.mark.realdata
def test_b_tags_follow_the_element_links(events: ak.Array, samples: Path) -> None:
    tree = uproot.open(samples / EXAMPLE)["CollectionTree"]
    score = "BTagging_AntiKt4EMPFlowAuxDyn.DL1dv01_p"
    b, c, u = (tree[score + flavour].array().tolist() for flavour in "bcu")
    links = tree["AnalysisJetsAuxDyn.btaggingLink.m_persIndex"].array().tolist()
    expected = [
        [b[i][k] > np.exp(2.456) * (0.018 * c[i][k] + 0.982 * u[i][k]) for k in row]
        for i, row in enumerate(links)
    ]
    assert events.jet_btag.tolist() == expected
    assert 0 < ak.sum(events.jet_btag) < 100


@pytest.mark.parametrize("release", [r for r in known_releases() if r != RELEASE])
def test_every_variable_of_another_release_is_there_or_has_a_reason(release: str) -> None:
    ours = door(RELEASE)
    without = [n for n in door(release).fields if n not in ours.fields and n not in ours.missing]
    assert without == []
    assert not set(ours.fields) & set(ours.missing)


def test_a_missing_variable_is_an_error_that_says_why() -> None:
    with pytest.raises(BranchError, match=r"no 'met': .*rebuilt .*METMaker"):
        door(RELEASE).physical(["met"])
    with pytest.raises(BranchError, match=r"no 'ScaleFactor_PHOTON': .*no efficiency scale factor"):
        door(RELEASE).unify({"x": ak.Array([1.0])}, ["ScaleFactor_PHOTON"])


def test_what_only_simulation_has_is_nan_in_data() -> None:
    data = {
        "EventInfoAuxDyn.runNumber": ak.Array(np.array([284500, 284500], np.uint32)),
        "EventInfoAuxDyn.eventTypeBitmask": ak.Array(np.array([0, 0], np.uint32)),
    }
    names = ["channelNumber", "mcWeight", "ScaleFactor_PILEUP", "trigP", "xsec"]
    found = door(RELEASE).unify(data, names, {"xsec_pb": None})
    assert found.channelNumber.tolist() == [284500, 284500]
    assert found.trigP.tolist() == [False, False]
    for name in ("mcWeight", "ScaleFactor_PILEUP", "xsec"):
        assert np.isnan(found[name].to_numpy()).all()


@pytest.mark.parametrize(
    ("name", "branch"),
    [
        ("channelNumber", "mcChannelNumber"),
        ("mcWeight", "mcEventWeights"),
        ("ScaleFactor_PILEUP", "PileupWeight_NOSYS"),
    ],
)
def test_simulation_without_what_all_of_it_has_is_an_error(name: str, branch: str) -> None:
    """A weight that is NaN for a whole file would make its process silently nothing."""
    events = {
        "EventInfoAuxDyn.runNumber": ak.Array(np.array([300000], np.uint32)),
        "EventInfoAuxDyn.eventTypeBitmask": ak.Array(np.array([1], np.uint32)),
    }
    with pytest.raises(BranchError, match=f"expected branch EventInfoAuxDyn.{branch}"):
        door(RELEASE).unify(events, [name])


def test_a_required_source_of_a_rule_is_asked_for() -> None:
    pt = {"AnalysisPhotonsAuxDyn.pt": ak.Array([[1000.0]])}
    with pytest.raises(BranchError, match=r"AnalysisPhotonsAuxDyn.eta' for variable 'photon_e'"):
        door(RELEASE).unify(pt, ["photon_e"])
