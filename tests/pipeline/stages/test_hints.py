"""Every hint: code that breaks it, code that looks like it and does not, and our own solutions."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from textwrap import dedent

import numpy as np
import pytest

from pipeline.settings import Settings
from pipeline.stages.convert.contract import Converted
from pipeline.stages.registry import reference_path, trial_of
from pipeline.stages.trial import StageHint
from tests.pipeline.stages.tables import settings

STAGES = ("inspect", "convert", "preprocess", "classify", "categorize", "measure")
OURS = "known-packages"
"""The hint that our own solutions, and no others, may break: they import pipeline.physics."""


@lru_cache
def chosen_settings(channel: str = "hyy", data: str = "2025") -> Settings:
    return settings(f"data=opendata_{data}", channel=channel)


def hints(stage: str, channel: str = "hyy") -> dict[str, StageHint]:
    return {hint.id: hint for hint in trial_of(stage).hints(chosen_settings(channel))}


def breaks(stage: str, name: str, code: str) -> str:
    check = hints(stage)[name].in_code
    assert check is not None
    return check(ast.parse(dedent(code)))


CONFIGURATIONS = [
    ("hyy", "2025", "gradient_boosting"), ("hyy", "2020", "gradient_boosting"),
    ("hyy", "2025", "tabpfn"), ("hzz4l", "2025", "gradient_boosting"),
    ("hzz4l", "2020", "gradient_boosting"),
]  # fmt: skip


@pytest.mark.parametrize(("channel", "data", "classifier"), CONFIGURATIONS)
def test_our_solutions_follow_their_hints(channel: str, data: str, classifier: str) -> None:
    chosen = chosen_settings(channel, data)
    if classifier == "tabpfn":
        chosen = replace(chosen, classifier="tabpfn")
    for stage in chosen.channel.stages:
        tree = ast.parse(reference_path(chosen, stage).read_text(encoding="utf-8"))
        said = {
            hint.id: text
            for hint in trial_of(stage).hints(chosen)
            if hint.in_code is not None and (text := hint.in_code(tree))
        }
        opens_weights = {"no-files"} if classifier == "tabpfn" and stage == "classify" else set()
        assert set(said) <= {OURS, *opens_weights}, (stage, said)


@pytest.mark.parametrize("stage", STAGES)
def test_hints_are_few_distinct_and_plain(stage: str) -> None:
    found = trial_of(stage).hints(chosen_settings())
    assert 6 <= len(found) <= 12
    assert len({hint.id for hint in found}) == len(found)
    for hint in found:
        assert hint.in_code is not None or hint.in_run is not None
        assert 20 < len(hint.text) < 160
        assert "{" not in hint.text
        assert hint.text.endswith(".")


def test_blinding_is_a_hint_where_something_is_blinded() -> None:
    assert "blind-range" in hints("preprocess")
    assert "blind-range" not in hints("preprocess", "hzz4l")
    assert "m_4l" in hints("convert", "hzz4l")["float64-masses"].text


BROKEN = {
    # of every stage
    ("convert", "known-packages"): ["import torch", "from pipeline.physics import regions",
                                    "from . import x", "import uproot", "import numba as nb"],
    ("convert", "no-files"): [
        "def f(p):\n    return open(p)", "import pandas as pd\nt = pd.read_csv('a.csv')",
        "import numpy as np\nnp.save('a', [1])", "import uproot", "t.to_parquet('x')",
        "from pathlib import Path\nPath('x').read_text()",
    ],
    ("inspect", "no-network"): ["import requests", "from urllib.request import urlopen"],
    ("measure", "no-hidden-errors"): [
        "try:\n    f()\nexcept:\n    pass",
        "for x in y:\n    try:\n        f()\n    except Exception:\n        continue",
        "try:\n    f()\nexcept (KeyError, BaseException):\n    'nothing'",
        "import contextlib\nwith contextlib.suppress(Exception):\n    f()",
    ],
    ("classify", "little-output"): ["for i in x:\n    print(i)", "print(1)\n" * 6,
                                    "while True:\n    if a:\n        print(a)"],
    ("preprocess", "seeded"): [
        "import numpy as np\nx = np.random.normal(0, 1, 5)",
        "import numpy as np\nrng = np.random.default_rng()",
        "import numpy\nrng = numpy.random.RandomState(None)",
        "from numpy.random import default_rng\nrng = default_rng()",
        "import random\nx = random.random()", "import random\nrandom.seed()\nrandom.choice(x)",
        "import uuid\nx = uuid.uuid4()",
    ],
    # inspect
    ("inspect", "header-only"): ["def inspect(path):\n    return uproot.open(path)['t'].arrays()"],
    ("inspect", "close-files"): ["def inspect(path):\n    file = uproot.open(path)"],
    # convert
    ("convert", "no-loops"): [
        "def convert(events):\n    for event in events:\n        pass",
        "def convert(events):\n    for i in range(len(events)):\n        pass",
        "def convert(events):\n    return [e['photon_pt'][0] for e in events]",
        ("def convert(events):\n    pt = events['photon_pt']\n    n = len(pt)\n"
        "    for i in range(n):\n        pass"),
        "def convert(events):\n    i = 0\n    while i < len(events):\n        i += 1",
        "def convert(events):\n    for a, b in zip(events.photon_pt, events.lep_pt):\n        pass",
        "import awkward as ak\ndef convert(events):\n    rows = ak.to_list(events)",
        "import numpy as np\ndef convert(events):\n    f = np.vectorize(g)",
        ("def rows(events):\n    for e in events:\n        yield e\n"
        "def convert(events):\n    return rows(events)"),
    ],
    ("convert", "branches-used"): [
        "BRANCHES = ['photon_pt', 'jet_pt']\ndef convert(events):\n    return events['photon_pt']",
        "BRANCHES = ['met', 'met_phi']\ndef convert(events):\n    return events.met",
    ],
    ("convert", "no-conversion"): ["def f(e):\n    return e['photon_pt'] / 1000",
                                   "pt = 0.001 * pt", "pt /= 1e3"],
    ("convert", "no-written-counts"): ["n = 36564144", "assert len(events) == 63_195"],
    # preprocess
    ("preprocess", "signed-weights"): [
        "w = np.abs(table['weight'])", "w = table['weight'].abs()", "w = abs(weight)",
        "w = table.weight.clip(lower=0)", "table = table[table['weight'] > 0]",
        "w = np.maximum(weights, 0)",
    ],
    ("preprocess", "sum-of-weights"): [
        "w = weight * info['xsec_pb'] * 1000 * lumi / len(table)",
        "scale = s['xsec_pb'] * info['luminosity_fb']\nw = weight * scale / table['weight'].sum()",
        "w = weight * luminosity / table.shape[0]",
    ],
    ("preprocess", "ranges-from-info"): ["kept = (m > 105) & (m < 160)", "lumi = 36.1"],
    ("preprocess", "blind-range"): ["low, high = info['blind']", "b = info.get('blind')"],
    ("preprocess", "no-row-loops"): ["for _, row in table.iterrows():\n    pass",
                                     "m = table.apply(f, axis=1)"],
    ("preprocess", "no-written-counts"): ["n_ti = 15771"],
    # classify
    ("classify", "fixed-seed"): [
        "m = HistGradientBoostingClassifier(max_iter=10)", "m = XGBClassifier(random_state=None)",
        "a, b = train_test_split(x)", "k = KFold(5, shuffle=True)",
        ("def scores(signal, background, data, features, seed):\n"
        "    m = XGBClassifier(random_state=1)"),
    ],
    ("classify", "one-thread"): [
        "from sklearn.ensemble import HistGradientBoostingClassifier",
        "from xgboost import XGBClassifier\nm = XGBClassifier(n_jobs=-1)",
    ],
    ("classify", "no-observable"): ["x = signal['m_yy']", "x = signal.m_yy"],
    ("classify", "data-untrained"): [
        "def scores(signal, background, data, features, seed):\n    model.fit(data[features], y)",
        "def scores(s, b, d, f, n):\n    scaler.fit(X=np.concatenate([s, d]))",
    ],
    ("classify", "no-row-loops"): ["for row in table.itertuples():\n    pass"],
    # categorize
    ("categorize", "use-significance"): [
        "def boundaries(signal, background, significance):\n    return []",
        "def boundaries(s, b, z):\n    gain = z.min_gain\n    return []",
        "def boundaries(s, b, z):\n    return [z(1, 2), np.log(1 + 1)]",
    ],
    ("categorize", "rules-from-significance"): ["if gain < 0.05:\n    pass", "least = 0.8"],
    ("categorize", "no-stored-boundaries"): ["def f():\n    return [0.36, 0.73]"],
    ("categorize", "no-row-loops"): ["for row in signal.itertuples():\n    pass"],
    ("categorize", "no-written-counts"): ["n = 251500"],
    # measure
    ("measure", "no-random"): ["import random", "import numpy as np\nr = np.random.default_rng(1)"],
    ("measure", "numbers-from-model"): ["lumi = 36.1", "sigma = 0.021", "edges = (105, 160)"],
    ("measure", "no-written-results"): ["r = {'mu': 1.0}", "r = {'mu_err': [-0.2, 0.2]}",
                                        "background = 251500"],
    ("measure", "honest-minimum"): ["r = {'minimiser': {'valid': True}}"],
}  # fmt: skip


@pytest.mark.parametrize(("stage", "name"), BROKEN)
def test_code_that_breaks_it(stage: str, name: str) -> None:
    for code in BROKEN[stage, name]:
        assert breaks(stage, name, code), code


def test_every_hint_of_code_is_broken_here() -> None:
    shared = {"known-packages", "no-files", "no-network", "no-hidden-errors", "little-output",
              "seeded"}  # fmt: skip
    for stage in STAGES:
        own = {n for n, h in hints(stage).items() if h.in_code is not None} - shared
        assert own == {n for s, n in BROKEN if s == stage} - shared
    assert shared <= {n for _, n in BROKEN}


FINE = {
    ("inspect", "known-packages"): ["import uproot\nimport os.path", "from sklearn import svm"],
    ("convert", "no-files"): ["import pyarrow\nt = pyarrow.table({})", "x = values.load"],
    ("convert", "no-hidden-errors"): [
        "try:\n    f()\nexcept KeyError:\n    pass",
        "try:\n    f()\nexcept Exception as error:\n    raise ValueError('x') from error",
    ],
    ("convert", "little-output"): ["print(len(events))", "x = [f(i) for i in y]\nprint(x)"],
    ("preprocess", "seeded"): [
        "import numpy as np\nrng = np.random.default_rng(seed)\nx = rng.normal()",
        "import numpy as np\nnp.random.seed(3)\nx = np.random.rand()",
        "random = make(1)\nx = random.random()",
    ],
    ("inspect", "close-files"): ["with uproot.open(path) as file:\n    pass"],
    ("convert", "no-loops"): [
        "def convert(events):\n    for name in events.fields:\n        pass",
        ("def convert(events):\n    cuts = {'pt': events['photon_pt'] > 50}\n"
        "    for name, cut in cuts.items():\n        pass"),
        "def convert(events):\n    return {n: events[n] for n in FLAT}",
        "def convert(events):\n    for i in range(6):\n        f(events, i)",
        "def mean(values):\n    for v in values:\n        pass\ndef convert(events):\n    pass",
    ],
    ("convert", "branches-used"): [
        "BRANCHES = ['photon_pt']\ndef f(events, q):\n    return events[f'photon_{q}']",
        "BRANCHES = ['photon_pt']\ndef f(events, q):\n    return events['photon_' + q]",
        "BRANCHES = ['photon_pt']\ndef f(events, q):\n    return events['photon_{}'.format(q)]",
        "BRANCHES = ['met']\ndef f(events):\n    return [events[b] for b in BRANCHES]",
        "BRANCHES = ['met', *OTHERS]\ndef f(events):\n    return events.met",
    ],
    ("convert", "no-written-counts"): ["scale = 1000000", "mask = 0xffff", "x = 1 << 40",
                                       "y = 10**400", "z = 0x" + "f" * 5000],
    ("preprocess", "signed-weights"): [
        "away = abs(sums - sample['sum_of_weights']) > 1e-3 * abs(sample['sum_of_weights'])",
        "if info['sum_of_weights'] > 0:\n    pass", "far = np.abs(table['sum_weights'] - x)",
    ],
    ("preprocess", "sum-of-weights"): [
        "sf1 = len(ti) / len(nti)",
        "w = weight * s['xsec_pb'] * 1000 * info['luminosity_fb'] / s['sum_of_weights']",
        "sf2 = nti['weight'].sum() / all['weight'].sum()",
    ],
    ("preprocess", "ranges-from-info"): ["pb = 1000", "low, high = info['fit_range']", "x = 5.0",
                                         "y = 1e400", "z = 10**400"],
    ("preprocess", "blind-range"): ["'''Nothing is read of blind.'''"],
    ("classify", "fixed-seed"): [
        "m = XGBClassifier(**options)", "k = KFold(5)", "n = KNeighborsClassifier()",
        ("def scores(signal, background, data, features, seed):\n"
        "    return XGBClassifier(random_state=seed)"),
    ],
    ("classify", "one-thread"): ["from xgboost import XGBClassifier\nm = XGBClassifier(n_jobs=1)",
                                 "import numpy"],
    ("classify", "no-observable"): ["'''The score must not know m_yy.'''"],
    ("classify", "data-untrained"): [
        "def scores(signal, background, data, features, seed):\n    model.predict_proba(data)",
    ],
    ("categorize", "use-significance"): [
        "def boundaries(signal, background, significance):\n    return search(significance)",
    ],
    ("categorize", "no-stored-boundaries"): ["def f():\n    return []", "def f():\n    return [a]"],
    ("measure", "no-written-results"): ["r = {'mu': best, 'nuisances': []}", "r = {'mu': 0.0}"],
    ("measure", "honest-minimum"): ["r = {'valid': minuit.valid}"],
}  # fmt: skip


@pytest.mark.parametrize(("stage", "name"), FINE)
def test_code_that_only_looks_like_it(stage: str, name: str) -> None:
    for code in FINE[stage, name]:
        assert not breaks(stage, name, code), code


def test_masses_in_four_bytes_are_seen_in_the_run() -> None:
    check = hints("convert")["float64-masses"].in_run
    assert check is not None
    mass = np.random.default_rng(1).normal(125, 2, 50)
    assert check({}, Converted({"m_yy": mass}, ())) == ""
    rounded = mass.astype(np.float32).astype(np.float64)
    assert "50 values of m_yy" in check({}, Converted({"m_yy": rounded}, ()))
    assert check({}, Converted({"m_yy": rounded[:5]}, ())) == ""


@pytest.mark.parametrize("stage", STAGES)
def test_no_code_breaks_a_check(stage: str) -> None:
    """Odd code is looked at like any other: deep expressions, empty modules, odd literals."""
    deep = "x = " + "a." * 400 + "b\ny = " + "-" * 80 + "events\nz = " + "(" * 80 + "1" + ")" * 80
    odd = "lambda: (yield)\nx = 1j\ny = ...\nz = b'x'\nprint\nclass A:\n    B = {**{}, None: 1}\n"
    for code in ("", deep, odd, "a" + "+a" * 900):
        for hint in hints(stage).values():
            if hint.in_code is not None:
                assert isinstance(hint.in_code(ast.parse(code)), str)


def test_modules_of_all_stages_export_a_trial() -> None:
    for stage in STAGES:
        trial = import_module(f"pipeline.stages.{stage}.trial").TRIAL
        assert all(callable(getattr(trial, n)) for n in ("slices", "findings", "hints"))
