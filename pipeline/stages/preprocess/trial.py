"""Trying a solution of preprocess: parts of the converted tables, and what must come of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from agents.evidence import Finding
from pipeline.settings import Settings
from pipeline.stages.contract import StageContext
from pipeline.stages.preprocess.contract import CONTRACT
from pipeline.stages.preprocess.hints import hints
from pipeline.stages.preprocess.origin import ROW, Origin, Tables, simulated_weights, typed
from pipeline.stages.tables import EVENT_TABLES
from pipeline.stages.trial import Slice, StageHint, Values, at_least_one, equal, holds

ROWS, FEW_ROWS = 30_000, 1_000
"""Rows per sample in the two slices, at most."""
ALL_ROWS = 240_000
"""Rows of all samples together: a quarter of a second for code that works on whole columns."""
MANY = 2_000
"""Rows of a sample of which some lie in the fit range."""
FLAGS = ("ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated")
SAME = 1e-9
"""Relative, for the same numbers."""
WEIGHTS = ("control_weight", "weight")
SIMULATED = ("signal", "background")


class PreprocessTrial:
    """Slices, findings and hints of preprocess."""

    def slices(self, context: StageContext) -> Iterator[Slice]:
        """The first rows of every sample; fewer, and none of one sample."""
        return at_least_one(_slices(context), "preprocess", "a converted event")

    def findings(self, given: Slice, product: Any, context: StageContext) -> list[Finding]:
        """Rows of the input, each in one table, in its region, with the weight of the task."""
        tables, info = given.arguments["tables"], given.arguments["info"]
        found, columns = typed(product, tables)
        if not columns.passed:
            return [columns]  # nothing else can be said of them
        origin = Origin.of(found, tables)
        return [
            columns,
            _disjoint(found),
            origin.rows,
            origin.unchanged(),
            _labels(found, info),
            _left_out(found, info),
            *_regions(found, info),
            *_not_empty(found, tables, info),
            *_weights(origin, found, info),
            *(_scale_factors(found, info) if info["channel"] == "hyy" else []),
        ]

    def hints(self, settings: Settings) -> tuple[StageHint, ...]:
        """Signed weights, the sum of weights of the sample, ranges from `info`."""
        return hints(settings)


TRIAL = PreprocessTrial()


def _slices(context: StageContext) -> Iterator[Slice]:
    arguments = CONTRACT.arguments(replace(context, sealed=False, stored=True))
    info, tables = arguments["info"], arguments["tables"].stored
    filled = [name for name in sorted(tables) if len(tables[name])]
    if not filled:
        return
    rows = min(ROWS, ALL_ROWS // len(tables))
    part = {name: table.first(rows) for name, table in tables.items()}
    yield Slice(f"first {rows} rows of each sample", {"tables": part, "info": info})
    signal = [name for name in filled if info["samples"][name]["role"] == "signal"]
    if len(filled) > 1:
        none = (signal or filled)[0]
        few = {n: t.first(0 if n == none else FEW_ROWS) for n, t in tables.items()}
        title = f"first {FEW_ROWS} rows of each sample, none of {none}"
        yield Slice(title, {"tables": few, "info": info})


def _disjoint(found: Tables) -> Finding:
    names = pd.concat([found[n][list(ROW)].assign(table=n) for n in EVENT_TABLES if len(found[n])]
                      or [found["data"].assign(table="")])  # fmt: skip
    shared = int((names.drop_duplicates().groupby(list(ROW)).size() > 1).sum())
    return equal("regions are disjoint", "0 events in more than one table",
                 f"{shared} events in more than one table")  # fmt: skip


def _labels(found: Tables, info: Mapping[str, Any]) -> Finding:
    problems = []
    for name in EVENT_TABLES:
        pairs = found[name][["sample", "process"]].drop_duplicates()
        for sample, process in pairs.itertuples(index=False):
            right = info["samples"][sample]["process"]
            if process != right:
                problems.append(f"{name}: process {process!r} for sample {sample}")
    return holds("process is that of the sample", problems, "the process in info")


def _left_out(found: Tables, info: Mapping[str, Any]) -> Finding:
    """Each table has the samples that it may have."""
    hyy = info["channel"] == "hyy"
    problems = []
    for name in EVENT_TABLES:
        for sample in sorted(set(found[name]["sample"])):
            facts = info["samples"][sample]
            simulated = name == "signal" or (name == "background" and not hyy)
            if not simulated and facts["kind"] != "data":
                problems.append(f"{name} has rows of the simulated sample {sample}")
            elif simulated and (facts["kind"], facts["role"]) != ("mc", name):
                problems.append(f"{name} has rows of {sample} ({facts['role']})")
            elif simulated and not facts["normalisable"]:
                problems.append(f"{name} has rows of {sample}, which is not normalisable")
    title = "tables hold samples of their role that can be normalised"
    return holds(title, problems, "only those")


def _regions(found: Tables, info: Mapping[str, Any]) -> list[Finding]:
    """Rows lie where their table says; how many there should be is not asked."""
    made = []
    for name in EVENT_TABLES:
        table = found[name]
        mass = table[info["observable"]].to_numpy(float)
        if info["channel"] != "hyy":
            right, wanted = _within(mass, info["keep_range"]), "in keep_range"
        else:
            sideband = np.any([_within(mass, each) for each in info["sidebands"]], axis=0)
            tight = np.all([table[flag].to_numpy(bool) for flag in FLAGS], axis=0)
            in_fit = _within(mass, info["fit_range"])
            right, wanted = {
                "signal": (tight & in_fit, "TI and in the fit range"),
                "data": (tight & in_fit, "TI and in the fit range"),
                "background": (~tight & sideband, "NTI and in the sidebands"),
                "control": (~tight & in_fit & ~sideband, "NTI, in the fit range, no sideband"),
            }[name]
        wrong = int((~right).sum())
        problems = [f"{wrong} of {len(table)} rows are not"] if wrong else []
        made.append(holds(f"{name}: rows are in their region", problems, wanted))
    return made


def _within(mass: Values, interval: Any) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.asarray((mass >= interval[0]) & (mass <= interval[1]))


def _not_empty(found: Tables, tables: Tables, info: Mapping[str, Any]) -> list[Finding]:
    """Many rows of a sample give rows of the tables that are made from it."""
    made = []
    for name in ("signal", "background", "data"):
        role = "data" if info["channel"] == "hyy" and name == "background" else name
        kind = "data" if role == "data" else "mc"
        facts = {n: info["samples"][n] for n in tables}
        most = max(
            (
                len(tables[n])
                for n, f in facts.items()
                if f["kind"] == kind
                and (kind == "data" or (f["role"] == role and f["normalisable"]))
            ),
            default=0,
        )
        if most >= MANY:
            rows = len(found[name])
            title = f"{name}: rows of many events are not empty"
            made.append(Finding(title, rows > 0, "1 row or more", f"{rows} rows"))
    return made


def _weights(origin: Origin, found: Tables, info: Mapping[str, Any]) -> list[Finding]:
    made = []
    for name in SIMULATED:
        samples = [
            sample
            for sample in sorted(set(found[name]["sample"]))
            if info["samples"][sample]["kind"] == "mc" and info["samples"][sample]["normalisable"]
        ]
        if samples:
            made += simulated_weights(name, origin, samples, info)
    data = found["data"]["weight"].to_numpy(float)
    if len(data):
        other = data[data != 1]
        said = f"{other[0]:g} in {len(other)} of {len(data)} rows" if len(other) else "1"
        made.append(_not_zero("data", data))
        made.append(Finding("data: weight of an event is 1", not len(other), "1", said))
    if info["channel"] != "hyy" and len(found["background"]):
        shape, weight = (found["background"][c].to_numpy(float) for c in WEIGHTS)
        wrong = int((~np.isclose(shape, weight, rtol=SAME, atol=0)).sum())
        title = "background: control_weight equals weight"
        made.append(equal(title, "in every row", f"not in {wrong}" if wrong else "in every row"))
    return made


def _not_zero(title: str, weight: Values) -> Finding:
    problems = [] if weight.any() else ["all weights are 0"]
    return holds(f"{title}: not all weights zero", problems, "weights that are not 0")


def _scale_factors(found: Tables, info: Mapping[str, Any]) -> list[Finding]:
    """SF1 and SF2 as the counts of the solution's own tables give them."""
    mass = {n: found[n][info["observable"]].to_numpy(float) for n in ("data", "control")}
    n_ti = sum(int(_within(mass["data"], each).sum()) for each in info["sidebands"])
    n_nti = len(found["background"])
    n_window = int(_within(mass["control"], info["signal_window"]).sum())
    sf1, sf2 = (n_ti / n_nti, n_window / n_nti) if n_nti else (0.0, 0.0)
    said = f"{n_ti} TI and {n_nti} NTI rows in the sidebands, {n_window} NTI in the window"
    made = []
    for name, column, factor, right in (
        ("background", "weight", "SF1 · SF2", sf1 * sf2),
        ("background", "control_weight", "SF1", sf1),
        ("control", "weight", "SF1", sf1),
        ("control", "control_weight", "SF1", sf1),
    ):
        values = found[name][column].to_numpy(float)
        wrong = values[~np.isclose(values, right, rtol=1e-6, atol=0)]
        problems = [f"{wrong[0]:.6g} in {len(wrong)} rows"] if len(wrong) else []
        made.append(holds(f"{name}: {column} is {factor}", problems, f"{right:.6g} ({said})"))
    return made
