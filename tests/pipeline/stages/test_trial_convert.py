"""What convert is tried on: slices of synthetic files, and a broken product for every finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from pipeline.data.synthetic import generate_file
from pipeline.settings import Settings
from pipeline.stages.contract import StageContext
from pipeline.stages.convert.contract import CONTRACT, Converted, reference_path, task_variables
from pipeline.stages.convert.trial import EVENTS, STEPS, TRIAL
from pipeline.stages.solution import load_solution
from pipeline.stages.trial import NoSliceError, Slice
from tests.pipeline.stages.convert.events import back_to_back, record_of, solution
from tests.pipeline.stages.convert.files import fileset, rewrite
from tests.pipeline.stages.tables import settings
from tests.pipeline.stages.test_tasks import render

DATA, MC = "data15_periodD", "346525"
Columns = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    """Some data and 1,200 simulated events (twelve times a hundred), as synthetic files."""
    folder = tmp_path_factory.mktemp("trial")
    chosen = settings()
    data = replace(chosen.data, luminosity=1.0)
    generate_file("hyy", DATA, data, folder / "data.root")
    generate_file("hyy", MC, data, folder / "whole.root")
    short = rewrite(folder / "whole.root", folder / "mc.root", range(1_200))
    return context_of({DATA: [folder / "data.root"], MC: [short]}, chosen)


def context_of(files: dict[str, list[Path]], chosen: Settings) -> StageContext:
    made = fileset(files)
    for name, sample in made["samples"].items():
        sample["role"] = "data" if name == DATA else "signal"
    return StageContext(chosen, made, {})


@pytest.fixture(scope="module")
def tried(context: StageContext) -> list[tuple[Slice, Converted]]:
    """The slices, with what our solution makes of them."""
    return [(given, ours(given)) for given in TRIAL.slices(context)]


def ours(given: Slice) -> Converted:
    module = load_solution(reference_path(settings()), CONTRACT.defines)
    return CONTRACT.accept(CONTRACT.call(module, given.arguments), given.arguments)


def failed(given: Slice, product: Converted, context: StageContext) -> set[str]:
    return {f.name for f in TRIAL.findings(given, product, context) if not f.passed}


def test_files_that_its_jobs_count_are_tried_on(context: StageContext) -> None:
    uncounted = {
        name: {**sample, "files": [{**file, "entries": None} for file in sample["files"]]}
        for name, sample in context.fileset["samples"].items()
    }
    known = [s.name for s in TRIAL.slices(context)]
    unreadable = replace(context, fileset={**context.fileset, "samples": uncounted})
    with pytest.raises(NoSliceError):
        list(TRIAL.slices(unreadable))
    later = replace(context, fileset={**unreadable.fileset, "counted": False})
    assert [s.name for s in TRIAL.slices(later)] == known


def test_slices_are_data_signal_and_nothing(context: StageContext) -> None:
    slices = list(TRIAL.slices(context))
    names = [f"{DATA}, all events", f"{MC}, all events", f"{DATA}, no events"]
    assert [s.name for s in slices] == names
    assert len(slices[1].arguments["events"]) == 1_200
    assert len(slices[2].arguments["events"]) == 0
    again = [s.arguments["events"] for s in TRIAL.slices(context)]
    assert all(ak.array_equal(s.arguments["events"], a) for s, a in zip(slices, again, strict=True))


def test_blinded_events_are_not_shown(context: StageContext) -> None:
    def tight_in_window(chosen: Settings) -> tuple[int, int]:
        given = next(iter(TRIAL.slices(replace(context, settings=chosen))))
        table = ours(given).table
        flags = [c for c in table if str(c).endswith(("_tight", "_isolated"))]
        inside = table["m_yy"].between(120, 130, inclusive="neither")
        return int((table[flags].all(axis=1) & inside).sum()), len(given.arguments["events"])

    hidden, shown = tight_in_window(settings()), tight_in_window(settings("unblind=true"))
    assert hidden[0] == 0
    assert shown[0] > 0
    assert shown[1] - hidden[1] >= shown[0]  # photons below the pT cuts are blinded too


def test_a_long_file_is_cut(context: StageContext, tmp_path: Path) -> None:
    path = Path(context.fileset["samples"][MC]["files"][0]["path"])
    names = ["runNumber", "eventNumber", "channelNumber", "mcWeight"]
    long = rewrite(path, tmp_path / "long.root", list(range(1_200)) * 17, only=names)
    (given, _) = TRIAL.slices(context_of({MC: [long]}, settings()))
    assert given.name == f"{MC}, first {EVENTS} events"
    assert len(given.arguments["events"]) == EVENTS


def test_no_readable_file_is_an_error(tmp_path: Path) -> None:
    context = StageContext(settings(), {"tree": "analysis", "samples": {}}, {})
    with pytest.raises(NoSliceError, match="a readable file of data or of signal"):
        list(TRIAL.slices(context))
    broken = tmp_path / "broken.root"
    broken.write_bytes(b"root")
    sample = {"kind": "data", "files": [{"path": str(broken), "entries": 5}]}
    with pytest.raises(NoSliceError):
        list(TRIAL.slices(replace(context, fileset={"tree": "a", "samples": {DATA: sample}})))


def test_our_solution_passes(context: StageContext, tried: list[tuple[Slice, Converted]]) -> None:
    for given, product in tried:
        findings = TRIAL.findings(given, product, context)
        assert [f for f in findings if not f.passed] == []
        assert len(findings) >= 4
        assert [h.in_run(given.arguments, product) for h in TRIAL.hints(settings()) if h.in_run]
        for hint in TRIAL.hints(settings()):
            assert hint.in_run is None or hint.in_run(given.arguments, product) == ""


@pytest.mark.parametrize(("channel", "data"), [("hyy", "2025"), ("hyy", "2020"),
                                               ("hzz4l", "2025"), ("hzz4l", "2020")])  # fmt: skip
def test_the_steps_are_those_of_the_task_and_of_our_solution(channel: str, data: str) -> None:
    chosen = settings(f"data=opendata_{data}", channel=channel)
    steps = STEPS[channel, chosen.channel.selection]
    text = render("convert", chosen)
    places = [text.index(f"{k}. `{name}`") for k, name in enumerate(steps, 1)]
    assert places == sorted(places)
    assert f"{len(steps) + 1}. `" not in text
    module = solution(channel, data)
    found = module.convert(record_of(module.BRANCHES, [{"photon": back_to_back()}])[:0])
    assert tuple(name for name, _ in found["cutflow"]) == steps
    assert task_variables(chosen)["selection"] == chosen.channel.selection


LEPTONS = [
    {"pt": 50.0, "phi": 0.1},
    {"pt": 40.0, "phi": 2.0, "charge": -1},
    {"pt": 30.0, "phi": 4.0, "type": 13},
    {"pt": 20.0, "phi": 5.5, "type": 13, "charge": -1},
]
EVENT = {"photon": back_to_back(), "lep": LEPTONS, "jet": [{}]}  # fmt: skip
SIMULATED = {"channelNumber": 343981, "mcWeight": -2.0, "sum_of_weights": 5e4, "xsec": 0.1,
             "filteff": 1.0, "kfac": 1.1, "ScaleFactor_PILEUP": 0.9}  # fmt: skip


@pytest.mark.parametrize(("channel", "data"), [("hyy", "2025"), ("hyy", "2020"),
                                               ("hzz4l", "2025"), ("hzz4l", "2020")])  # fmt: skip
def test_all_our_solutions_pass_on_events_made_by_hand(channel: str, data: str) -> None:
    chosen = settings(f"data=opendata_{data}", channel=channel)
    module = solution(channel, data)
    for facts in ({}, SIMULATED):
        events = record_of(module.BRANCHES, [{**EVENT, **facts}, {**EVENT, **facts, "met": 70.0}])
        given = Slice("by hand", {"events": events, "channel": channel})
        product = CONTRACT.accept(module.convert(events), given.arguments)
        assert len(product) == 2
        findings = TRIAL.findings(given, product, StageContext(chosen, {}, {}))
        assert [f for f in findings if not f.passed] == []
        assert any(f.name == "simulation: not all weights zero" for f in findings) == bool(facts)


def changed(product: Converted, **columns: Any) -> Converted:
    return replace(product, columns={**product.columns, **columns})


def in_mev(product: Converted) -> Converted:
    energies = [c for c in product.columns if c.endswith(("_pt", "_e"))]
    energies += ["m_yy", "pt_yy", "ht_jets"]
    return changed(product, **{c: product.columns[c] * 1000 for c in energies})


def scaled(name: str, factor: float) -> Callable[[Converted], Converted]:
    return lambda product: changed(product, **{name: product.columns[name] * factor})


def turned(name: str) -> Callable[[Converted], Converted]:
    return lambda product: changed(product, **{name: product.columns[name][::-1].copy()})


def constant(name: str, value: float) -> Callable[[Converted], Converted]:
    return lambda product: changed(product, **{name: np.full(len(product), value)})


def cutflow(change: Callable[[list[Any]], list[Any]]) -> Callable[[Converted], Converted]:
    return lambda product: replace(product, cutflow=tuple(change(list(product.cutflow))))


def no_rows(product: Converted) -> Converted:
    return replace(product, columns={n: c[:0] for n, c in product.columns.items()},
                   cutflow=(*product.cutflow[:-1], ("pt_over_m", 0)))  # fmt: skip


def missing(product: Converted) -> Converted:
    e = product.columns["ph2_e"].copy()
    e[3] = np.nan
    return changed(product, ph2_e=e)


BROKEN: dict[str, tuple[int, Callable[[Converted], Converted]]] = {
    "cut flow: names in the order of the task": (0, cutflow(lambda c: [c[0], c[2], c[1], *c[3:]])),
    "cut flow never rises": (0, cutflow(lambda c: [*c[:-2], ("mass", 10**6), c[-1]])),
    "cut flow ends with the rows that pass every cut": (
        0, cutflow(lambda c: [*c[:-1], ("pt_over_m", c[-1][1] + 1)])
    ),
    "rows of many events are not empty": (1, no_rows),
    "finite numbers where the selection needs them": (0, missing),
    "units: GeV": (0, in_mev),
    "m_yy is the mass of the objects in its row": (0, scaled("m_yy", 1.01)),
    "values belong to the event of their row": (1, turned("met_pt")),
    "simulation: not all weights zero": (1, scaled("weight", 0.0)),
    "simulation: weights keep their sign (negative ones)": (
        1, lambda p: changed(p, weight=np.abs(p.columns["weight"]))
    ),
    "simulation: sum of weights is that of the same events": (1, scaled("weight", 1.01)),
    "simulation: sum of weights and cross-section of the sample": (1, scaled("sum_weights", 2.0)),
    "data: not all weights zero": (0, scaled("weight", 0.0)),
    "data: weight of an event is 1": (0, scaled("weight", 0.9)),
    "data: no sum of weights, no cross-section": (0, constant("xsection", 0.0)),
    "no events, no rows": (2, lambda p: p),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_every_finding_can_fail(
    name: str, context: StageContext, tried: list[tuple[Slice, Converted]]
) -> None:
    place, spoil = BROKEN[name]
    given, product = tried[place]
    if name == "no events, no rows":  # rows out of nothing, which the contract would refuse
        product = replace(tried[0][1], cutflow=product.cutflow)
    assert name in failed(given, spoil(product), context)


def test_every_finding_is_broken_here(
    context: StageContext, tried: list[tuple[Slice, Converted]]
) -> None:
    names = {f.name for given, product in tried for f in TRIAL.findings(given, product, context)}
    assert names == set(BROKEN)


def test_events_that_share_their_number_are_not_told_apart(
    context: StageContext, tried: list[tuple[Slice, Converted]]
) -> None:
    given, product = tried[1]
    events = ak.with_field(given.arguments["events"], np.full(1_200, 7), "eventNumber")
    twice = Slice("twice", {**given.arguments, "events": events})
    same = changed(product, event_number=np.full(len(product), 7))
    assert failed(twice, same, context) == set()
