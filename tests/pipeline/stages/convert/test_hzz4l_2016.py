"""H→ZZ*→4ℓ on the real 8 TeV files of 2016: rows and cut flow that a loop over uproot gives too."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import uproot

from executors import make_executor
from pipeline.configure import configure
from pipeline.data.errors import BranchError
from pipeline.data.fileset import build_fileset
from pipeline.data.schema import door
from pipeline.files import read_json, read_table
from pipeline.settings import SettingsError
from pipeline.stages.convert.contract import reference_path
from pipeline.stages.convert.product import write_product
from pipeline.stages.convert.runner import convert_all
from tests.pipeline.stages.convert.events import convert

ZZ = "2016e-8tev/MC/mc_105986.ZZ.root"
STEPS = ["all", "trigger", "quality", "good_leptons", "flavour", "charge"]
FACTORS = ("ELE", "MUON", "TRIGGER", "PILEUP", "ZVERTEX")


@pytest.mark.realdata
def test_zz_is_what_a_loop_gives(samples: Path, tmp_path: Path) -> None:
    settings = configure(
        ["channel=hzz4l", "data=opendata_2016", f"data.location={samples / '2016e-8tev'}",
         "data.partial=true", "data.verify=none", "data.chunk_size=4000"]
    )  # fmt: skip
    fileset = build_fileset(settings)
    product = convert_all(
        reference_path(settings), fileset, settings, tmp_path / "chunks", make_executor("inline")
    )
    write_product(product, tmp_path / "output", tmp_path / "sealed")
    cutflow = read_json(tmp_path / "output" / "cutflow.json")["105986"]
    expected, counts = loop(samples / ZZ)
    assert [name for name, _ in cutflow] == STEPS
    assert [n for _, n in cutflow] == counts
    assert counts[0] == 12500
    assert counts[-1] == len(expected) > 100
    table = read_table(tmp_path / "output" / "105986.parquet")
    assert table["event_number"].tolist() == sorted(expected)
    for _, row in table.iterrows():
        right = expected[row["event_number"]]
        assert {k: row[k] for k in right} == pytest.approx(right, rel=1e-5)
    facts = fileset["samples"]["105986"]
    product_of = facts["xsec_pb"] * facts["filter_efficiency"] * facts["k_factor"]
    assert table["xsection"].tolist() == pytest.approx([product_of] * len(table))
    assert set(table["sum_weights"]) == {facts["sum_of_weights"]}
    # The sample at hand is a tenth of the published file: it must not be normalised.
    assert not facts["normalisable"]
    assert "expected 125000 entries in mc_105986.ZZ.root, found 12500" in facts["reason"]


def loop(path: Path) -> tuple[dict[int, dict[str, float]], list[int]]:
    """Rows by event number and the cut flow, event by event and in the units of the file (MeV)."""
    tree = uproot.open(path)["mini"]
    names = ["eventNumber", "trigE", "trigM", "passGRL", "hasGoodVertex", "mcWeight", "jet_pt",
             "met_et", *(f"scaleFactor_{f}" for f in FACTORS),
             *(f"lep_{q}" for q in ("pt", "eta", "phi", "E", "type", "charge", "ptcone30",
                                    "etcone20"))]  # fmt: skip
    events: list[dict[str, Any]] = tree.arrays(names).tolist()
    rows: dict[int, dict[str, float]] = {}
    counts = [0] * len(STEPS)
    for event in events:
        good = [
            i
            for i, pt in enumerate(event["lep_pt"])
            if event["lep_ptcone30"][i] / pt < 0.15 and event["lep_etcone20"][i] / pt < 0.15
        ]
        cuts = [
            True,
            event["trigE"] or event["trigM"],
            event["passGRL"] and event["hasGoodVertex"],
            len(good) == 4,
            sum(event["lep_type"][i] for i in good) in (44, 48, 52),
            sum(event["lep_charge"][i] for i in good) == 0,
        ]
        for k in range(len(cuts)):
            counts[k] += all(cuts[: k + 1])
        if not all(cuts):
            continue
        pt, eta, phi, energy = ([event[f"lep_{q}"][i] / (1000 if q in ("pt", "E") else 1)
                                 for i in good] for q in ("pt", "eta", "phi", "E"))  # fmt: skip
        px = sum(p * math.cos(f) for p, f in zip(pt, phi, strict=True))
        py = sum(p * math.sin(f) for p, f in zip(pt, phi, strict=True))
        pz = sum(p * math.sinh(n) for p, n in zip(pt, eta, strict=True))
        rows[event["eventNumber"]] = {
            "m_4l": math.sqrt(sum(energy) ** 2 - px**2 - py**2 - pz**2),
            "pt_4l": math.hypot(px, py),
            "lep1_pt": pt[0], "lep4_eta": eta[3], "lep4_charge": event["lep_charge"][good[3]],
            "final_state": sum(event["lep_type"][i] for i in good),
            "n_jets": sum(p > 25000 for p in event["jet_pt"]),
            "met_pt": event["met_et"] / 1000,
            "weight": event["mcWeight"] * math.prod(event[f"scaleFactor_{f}"] for f in FACTORS),
        }  # fmt: skip
    return rows, counts


def four(*changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Two pairs of electrons and muons, with changes to the first ones."""
    leptons = [
        {"pt": 50.0, "type": 11, "charge": 1}, {"pt": 40.0, "type": 11, "charge": -1, "phi": 2.0},
        {"pt": 30.0, "type": 13, "charge": 1, "phi": 4.0},
        {"pt": 20.0, "type": 13, "charge": -1, "phi": 5.0},
    ]  # fmt: skip
    return [
        {**lep, **change} for lep, change in zip(leptons, [*changes, {}, {}, {}, {}], strict=False)
    ]


@pytest.mark.parametrize(
    ("event", "survives"),
    [
        ({"lep": four()}, 5),
        ({"lep": four(), "trigE": False}, 5),
        ({"lep": four(), "trigE": False, "trigM": False}, 0),
        ({"lep": four(), "passGRL": False}, 1),
        ({"lep": four(), "hasGoodVertex": False}, 1),
        ({"lep": four({"ptcone30": 7.6})}, 2),
        ({"lep": four({"ptcone30": 7.4})}, 5),
        ({"lep": four({"etcone20": 7.6})}, 2),
        ({"lep": [*four(), {"pt": 15.0}]}, 2),
        ({"lep": [*four(), {"pt": 15.0, "ptcone30": 9.0}]}, 5),
        ({"lep": four({"type": 13})}, 3),
        ({"lep": four({"charge": -1})}, 4),
    ],
)
def test_cut_by_cut(event: dict[str, Any], survives: int) -> None:
    found = convert("hzz4l", "2016", [event])
    assert [name for name, _ in found.cutflow] == STEPS
    assert [n for _, n in found.cutflow] == [1] * (survives + 1) + [0] * (5 - survives)
    assert len(found) == (survives == 5)


def test_a_lepton_that_is_not_good_is_not_one_of_the_four() -> None:
    event = {"lep": [{"pt": 60.0, "type": 13, "ptcone30": 20.0}, *four()]}
    table = convert("hzz4l", "2016", [event]).table
    assert table[[f"lep{i}_pt" for i in range(1, 5)]].to_numpy().tolist() == [[50, 40, 30, 20]]


def test_there_are_no_photons_in_2016() -> None:
    with pytest.raises(SettingsError, match=r"release '2016e-8tev': its files hold no photons; t"):
        configure(["channel=hyy", "data=opendata_2016", "data.location=x"])
    with pytest.raises(BranchError, match=r"no 'photon_pt': the files of this release hold no ph"):
        door("2016e-8tev").physical(["photon_pt"])
