"""Convert on the real PHYSLITE file: the contract, and rows that uproot and a loop give too."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from executors import make_executor, reading
from executors.base import Chunk
from pipeline.configure import configure
from pipeline.data import fileset as filesets
from pipeline.data.fileset import build_fileset
from pipeline.data.manifest import Manifest, ManifestFile, load_manifest
from pipeline.files import read_json, read_table, sha256_file
from pipeline.judge.rerun import FrozenSolution
from pipeline.judge.slices import slices
from pipeline.settings import Settings
from pipeline.stages.contract import StageContext
from pipeline.stages.convert.checks import fabrication
from pipeline.stages.convert.contract import CONTRACT, reference_path
from pipeline.stages.convert.product import write_product
from pipeline.stages.convert.runner import convert_all
from pipeline.stages.convert.store import ChunkStore
from pipeline.stages.convert.task import ConvertTask
from pipeline.stages.convert.trial import TRIAL as CONVERTING
from pipeline.stages.inspect.reference import inspect
from pipeline.stages.inspect.trial import TRIAL as INSPECTING
from pipeline.stages.solution import load_solution

pytestmark = pytest.mark.realdata
MC, RUN = "700322", "data15_run_00266904"
"""The example's events are of the first; as a file of the second it stands for a run's file."""
OF_RUN = "DAOD_PHYSLITE.stand-in._000001.pool.root.1"
LOWERED = {
    'flat["pt"] > 25': 'flat["pt"] > 3', "pt[0] > 50": "pt[0] > 3", "pt[1] > 30": "pt[1] > 3",
    "m_yy > 0 ": "m_yy > 5 ", "0.35 * m_yy": "0.05 * m_yy",
}  # fmt: skip
"""Cuts of the reference that no event of the example passes, and what the test puts there."""


def manifest_with_the_run() -> Manifest:
    """The manifest, with one file in a run whose index has not been fetched."""
    known = load_manifest("2024r-pp")
    file = ManifestFile(f"root://portal//data15/{OF_RUN}", 1641551, "15af1309", 100)
    skim = known.skims["physlite"]
    run = replace(skim.samples[RUN], files=(file,))
    skim = replace(skim, samples={**skim.samples, RUN: run})
    return replace(known, skims={"physlite": skim})


@pytest.fixture
def settings(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    location = tmp_path / "location"
    location.mkdir()
    first = load_manifest("2024r-pp").skims["physlite"].samples[MC].files[0].uri
    for name in (first.rsplit("/", 1)[1], OF_RUN):
        shutil.copyfile(samples / "2024r-pp/PHYSLITE_example.root", location / name)
    monkeypatch.setattr(filesets, "chosen_manifest", lambda data: manifest_with_the_run())
    return configure(
        ["channel=hyy", "data=opendata_2024", f"data.location={location}", "data.partial=true",
         "data.verify=none", "data.chunk_size=30"]
    )  # fmt: skip


def run(folder: Path, settings: Settings, solution: Path) -> dict[str, Any]:
    content = build_fileset(settings)
    product = convert_all(solution, content, settings, folder / "chunks", make_executor("inline"))
    write_product(product, folder / "output", folder / "sealed")
    return content


def test_every_run_of_the_manifest_is_data(settings: Settings, tmp_path: Path) -> None:
    content = build_fileset(settings)
    samples = content["samples"]
    assert sum(s["role"] == "data" and s["kind"] == "data" for s in samples.values()) == 317
    assert sum(s["role"] == "signal" for s in samples.values()) == 7
    assert samples[MC]["role"] == "other"
    chunks = [(c["sample"], c["start"], c["stop"]) for c in content["chunks"]]
    ranges = [(0, 25), (25, 50), (50, 75), (75, 100)]
    assert chunks == [(RUN, *r) for r in ranges] + [(MC, *r) for r in ranges]
    assert any("no missing transverse momentum" in note for note in content["notes"])


def test_the_reference_on_the_real_file(settings: Settings, tmp_path: Path) -> None:
    run(tmp_path, settings, reference_path(settings))
    cutflow = read_json(tmp_path / "output" / "cutflow.json")
    for sample in (MC, RUN):
        assert [n for _, n in cutflow[sample]] == [100, 0, 0, 0, 0, 0, 0, 0]
        assert len(read_table(tmp_path / "output" / f"{sample}.parquet")) == 0


def test_rows_are_what_a_loop_over_uproot_gives(settings: Settings, tmp_path: Path) -> None:
    text = reference_path(settings).read_text(encoding="utf-8")
    for old, new in LOWERED.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    lowered = tmp_path / "lowered.py"
    lowered.write_text(text, encoding="utf-8")
    content = run(tmp_path, settings, lowered)
    expected, steps = loop(Path(content["samples"][MC]["files"][0]["path"]))
    assert len(expected) == 24
    cutflow = read_json(tmp_path / "output" / "cutflow.json")
    facts = content["samples"][MC]
    for sample in (MC, RUN):
        assert [n for _, n in cutflow[sample]] == steps
        table = read_table(tmp_path / "output" / f"{sample}.parquet")
        assert table["event_number"].tolist() == sorted(expected)
        assert set(table["run_number"]) == {300000}
        assert set(table["channel_number"]) == {int(MC)}
        for _, row in table.iterrows():
            right = expected[row["event_number"]]
            assert {k: row[k] for k in right} == pytest.approx(right, rel=1e-4, nan_ok=True)
    table = read_table(tmp_path / "output" / f"{MC}.parquet")
    assert set(table["sum_weights"]) == {facts["sum_of_weights"]}
    assert set(table["xsection"]) == {facts["xsec_pb"] * facts["filter_efficiency"]}


def loop(path: Path) -> tuple[dict[int, dict[str, float]], list[int]]:
    """Rows by event number and the cut flow, with the lowered cuts, event by event."""
    tree = uproot.open(path)["CollectionTree"]

    def column(name: str) -> list[Any]:
        values: list[Any] = tree[name].array().tolist()
        return values

    photons = {q: column(f"AnalysisPhotonsAuxDyn.{q}") for q in (
        "pt", "eta", "phi", "ptcone20", "DFCommonPhotonsIsEMLoose", "DFCommonPhotonsIsEMTight",
        "DFCommonPhotonsCleaning")}  # fmt: skip
    jets = {q: column(f"AnalysisJetsAuxDyn.{q}") for q in ("pt", "eta", "phi", "NNJvtPass")}
    electrons = {q: column(f"AnalysisElectronsAuxDyn.{q}") for q in (
        "pt", "eta", "phi", "DFCommonElectronsLHLooseBL")}  # fmt: skip
    muons = {q: column(f"AnalysisMuonsAuxDyn.{q}") for q in ("pt", "eta", "phi", "quality")}
    number, weights, pileup = (column(f"EventInfoAuxDyn.{q}") for q in (
        "eventNumber", "mcEventWeights", "PileupWeight_NOSYS"))  # fmt: skip
    rows: dict[int, dict[str, float]] = {}
    steps = np.zeros(8, dtype=int)
    for i, event in enumerate(number):
        steps[0] += 1
        candidates = [
            (pt / 1000, eta, phi, cone / 1000, tight)
            for pt, eta, phi, cone, loose, tight, clean in zip(
                *(photons[q][i] for q in photons), strict=True)
            if loose and clean and pt > 3000
        ]  # fmt: skip
        candidates.sort(key=lambda c: -c[0])
        if len(candidates) < 2:
            continue
        steps[1] += 1
        a, b = candidates[:2]
        squared = 2 * a[0] * b[0] * (math.cosh(a[1] - b[1]) - math.cos(a[2] - b[2]))
        mass = math.sqrt(squared)
        cuts = [
            all(c[4] for c in (a, b)),
            a[0] > 3 and b[0] > 3,
            all(c[3] < 0.055 * c[0] for c in (a, b)),
            all(abs(c[1]) < 2.37 and not 1.37 <= abs(c[1]) <= 1.52 for c in (a, b)),
            mass > 5,
            b[0] > 0.05 * mass,
        ]
        for k in range(len(cuts)):
            steps[2 + k] += all(cuts[: k + 1])
        if not (cuts[1] and all(cuts[3:])):
            continue

        def away(eta: float, phi: float, pair: tuple[Any, ...] = (a, b)) -> bool:
            turn = [math.remainder(phi - c[2], 2 * math.pi) for c in pair]
            return all(math.hypot(eta - c[1], t) > 0.4 for c, t in zip(pair, turn, strict=True))

        hard = [
            (pt / 1000, eta)
            for pt, eta, phi, jvt in zip(*(jets[q][i] for q in jets), strict=True)
            if pt > 25000 and jvt and away(eta, phi)
        ]
        leptons = [
            pt / 1000
            for pt, eta, phi, loose in zip(*(electrons[q][i] for q in electrons), strict=True)
            if pt > 10000 and loose and away(eta, phi)
        ] + [
            pt / 1000
            for pt, eta, phi, quality in zip(*(muons[q][i] for q in muons), strict=True)
            if pt > 10000 and quality & 8 and quality & 7 <= 2 and away(eta, phi)
        ]
        rows[event] = {
            "ph1_pt": a[0], "ph1_eta": a[1], "ph1_phi": a[2], "ph1_e": a[0] * math.cosh(a[1]),
            "ph2_pt": b[0], "ph2_eta": b[1], "ph2_phi": b[2], "m_yy": mass,
            "ph1_tight": bool(a[4]), "ph2_isolation": b[3] / b[0],
            "n_jets": len(hard), "n_jets_central": sum(abs(eta) < 2.5 for _, eta in hard),
            "ht_jets": sum(pt for pt, _ in hard), "jet1_pt": max(hard, default=(math.nan,))[0],
            "n_leptons": len(leptons), "lep1_pt": max(leptons, default=math.nan),
            "weight": weights[i][0] * pileup[i], "met_pt": math.nan,
        }  # fmt: skip
    return rows, steps.tolist()


def test_the_guard_asks_a_solution_on_physlite(settings: Settings, tmp_path: Path) -> None:
    text = reference_path(settings).read_text(encoding="utf-8")
    for old, new in LOWERED.items():
        text = text.replace(old, new)
    honest, made_up = tmp_path / "honest.py", tmp_path / "made_up.py"
    honest.write_text(text, encoding="utf-8")
    made_up.write_text(text.replace('"m_yy": m_yy[kept]', '"m_yy": 125 + 0 * m_yy[kept]'))
    parts = list(slices(build_fileset(settings), settings.data.release))
    assert [(part.sample, part.simulated, len(part.events)) for part in parts] == [
        (RUN, False, 100), (MC, True, 100),
    ]  # fmt: skip
    for part in parts:
        answers = [
            fabrication(FrozenSolution(path, CONTRACT), part, "hyy", "m_yy")
            for path in (honest, made_up)
        ]
        assert all(guard.passed for guard in answers[0])
        assert [guard.name for guard in answers[1] if not guard.passed] == [
            f"{part.sample}: photons and leptons scaled by 1.05: m_yy scales"
        ]


PAIR = {
    "pt": [62_500.0, 62_500.0], "eta": [0.0, 0.0], "phi": [0.0, math.pi], "ptcone20": [0.0, 0.0],
    "DFCommonPhotonsIsEMLoose": [1, 1], "DFCommonPhotonsIsEMTight": [1, 1],
    "DFCommonPhotonsCleaning": [1, 1],
}  # fmt: skip
"""Two tight, isolated photons with a mass of 125 GeV, as PHYSLITE has them."""


@pytest.mark.parametrize(("sample", "hidden"), [(RUN, 1), (MC, 0)])
def test_a_higgs_boson_in_data_is_blinded(
    settings: Settings, samples: Path, tmp_path: Path, sample: str, hidden: int
) -> None:
    """The real events, with the photons of one of them replaced."""
    facts = {
        "xsec_pb": 1.0, "filter_efficiency": 1.0, "k_factor": 1.0, "sum_of_weights": 1.0,
    }  # fmt: skip
    solution = reference_path(settings)
    sha256 = sha256_file(solution)
    task = ConvertTask(
        str(solution), sha256, settings.channel, "2024r-pp", frozenset({RUN}),
        ChunkStore.of(tmp_path, sha256, settings), {RUN: facts, MC: facts},
    )  # fmt: skip
    path = samples / "2024r-pp/PHYSLITE_example.root"
    chunk = Chunk("0" * 16, sample, str(path), "CollectionTree", 0, 100)
    events = ak.materialize(reading.read(chunk, task.branches))
    columns = {name: events[name] for name in events.fields}
    for quantity, values in PAIR.items():
        name = f"AnalysisPhotonsAuxDyn.{quantity}"
        first = ak.values_astype(ak.Array([values]), ak.to_numpy(ak.flatten(events[name])).dtype)
        columns[name] = ak.concatenate([first, columns[name][1:]])
    record = task(ak.zip(columns, depth_limit=1), chunk)
    assert (record["rows"], record["blinded"]) == (1, hidden)
    assert record["cutflow"][-1] == ("pt_over_m", 1)


def test_what_an_agent_is_told_of_our_solutions_is_that_they_pass(
    settings: Settings, tmp_path: Path
) -> None:
    text = reference_path(settings).read_text(encoding="utf-8")
    for old, new in LOWERED.items():
        text = text.replace(old, new)
    lowered = tmp_path / "lowered.py"
    lowered.write_text(text, encoding="utf-8")
    content = build_fileset(settings)
    signal = {**content["samples"][MC], "role": "signal"}
    context = StageContext(settings, {**content, "samples": {MC: signal}}, {})
    solution = load_solution(lowered, CONTRACT.defines)
    given = CONVERTING.slices(context)
    titles = []
    for part in given:
        product = CONTRACT.accept(CONTRACT.call(solution, part.arguments), part.arguments)
        findings = CONVERTING.findings(part, product, context)
        assert [f.name for f in findings if not f.passed] == []
        titles.append(part.name)
    assert titles == [f"{MC}, all events", f"{MC}, no events"]
    for part in INSPECTING.slices(context):
        ((sample, path),) = part.arguments["paths"].items()
        found = INSPECTING.findings(part, {sample: inspect(path)}, context)
        assert [f for f in found if not f.passed] == []
