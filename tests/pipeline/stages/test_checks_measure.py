"""The judge of measure, on faulty solutions that are really run."""

import copy
from typing import Any

import numpy as np
import pytest

from pipeline.files import read_json, write_table
from pipeline.judge import Verdict, judge
from pipeline.judge.verdict import rung_reached
from pipeline.stages.contract import StageContext
from pipeline.stages.measure.checks import direct, expected_spectrum, ladder
from pipeline.stages.measure.contract import CONTRACT
from pipeline.stages.tables import read_tables
from tests.pipeline.stages.small_run import SmallRun, reference_code, spoiled


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    """One category, of a score that is the diphoton pT: no classifier is needed."""
    made = SmallRun.make(tmp_path_factory.mktemp("run"), data_rows=8000, signal_rows=2000)
    made.reference("preprocess")
    for name in ("output", "sealed"):
        tables = read_tables(made.folder / "reference" / "preprocess" / name)
        for table, rows in tables.items():
            scored = rows.assign(score=1 - np.exp(-rows["pt_yy"] / 60))
            write_table(made.folder / f"reference/classify/{name}/{table}.parquet", scored)
    made.reference("categorize", code="def boundaries(a, b, c):\n    return []\n")
    made.reference("measure")
    return made


@pytest.fixture
def measured(run) -> dict[str, Any]:
    content: dict[str, Any] = read_json(run.folder / "reference/measure/sealed/measurement.json")
    return content


def judged(run: SmallRun, tail: str) -> Verdict:
    return judge(run.solve("measure", spoiled("measure", tail)))


def failed(verdict: Verdict, with_rungs: bool = False) -> set[str]:
    checks = [c for c in verdict.checks if with_rungs or c.rung is None]
    return {c.name for c in (*checks, *verdict.guard) if not c.passed}


def moved(measured: dict[str, Any], errors: float, factor: float = 1.0) -> dict[str, Any]:
    """The measurement with mu moved by so many errors, and errors that many times as large."""
    other = copy.deepcopy(measured)
    error = (measured["mu_err"][1] - measured["mu_err"][0]) / 2
    other["mu"] += errors * error
    other["mu_err"] = [factor * e for e in measured["mu_err"]]
    return other


def test_our_own_code_is_exact_and_closes(run) -> None:
    verdict = judge(run.solve("measure", reference_code("measure")))
    assert failed(verdict, with_rungs=True) == set()
    assert (verdict.outcome, verdict.rung) == ("passed", "exact")
    found = {c.name: c.found for c in verdict.guard}
    for mu in (0, 1, 2, 5):
        assert found[f"an injected mu of {mu} comes back"] == pytest.approx(mu, abs=0.35)
    assert len(verdict.guard) == 9


def test_the_injected_data_are_the_signal_on_the_sidebands_background(run) -> None:
    context = StageContext(run.settings, run.fileset, run.upstream("measure", "reference"), True)
    arguments = CONTRACT.arguments(context)
    category = arguments["categories"][0]
    edges, background, signal = expected_spectrum(category, arguments["model"])
    assert signal.sum() == pytest.approx(category["signal"]["weight"].sum(), rel=0.02)
    sidebands = (edges[:-1] < 119.9) | (edges[:-1] >= 130)
    assert background[sidebands].sum() == pytest.approx(len(category["sidebands"]), rel=0.01)


@pytest.mark.parametrize(
    ("errors", "factor", "rung"),
    [
        (0.0, 1.0, "exact"),
        (1e-6, 1.0, "statistical"),
        (0.08, 1.08, "statistical"),
        (0.12, 1.0, "physics"),
        (-0.4, 1.0, "physics"),
        (0.0, 1.15, "physics"),
        (0.6, 1.0, None),
        (0.0, 0.7, None),
        (0.0, 1.3, None),
    ],
)
def test_the_ladder_counts_in_errors_of_the_reference(measured, errors, factor, rung) -> None:
    assert rung_reached(ladder(moved(measured, errors, factor), measured)) == rung


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda m: m["minimiser"].update(valid=False), "the minimum is valid"),
        (lambda m: m.update(mu_interval_95=[m["mu"] - 0.1, m["mu"] + 0.1]),
         "intervals contain mu and each other"),
        (lambda m: m.update(cross_section_pb=m["cross_section_pb"] * 1.01 + 0.001),
         "cross-section is mu times the Standard Model's"),
        (lambda m: m.update(mu_err=[e * 0.4 for e in m["mu_err"]]), "width of the 95 % interval"),
    ],
)  # fmt: skip
def test_numbers_must_fit_each_other(run, measured, change, name) -> None:
    context = StageContext(run.settings, run.fileset, run.upstream("measure", "reference"), True)
    model = CONTRACT.arguments(context)["model"]
    assert [c.name for c in direct(measured, model) if not c.passed] == []
    change(measured)
    assert name in [c.name for c in direct(measured, model) if not c.passed]


def pasted(run: SmallRun) -> str:
    path = str(run.folder / "reference/measure/sealed/measurement.json")
    return f"import json, pathlib\nSTORED = json.loads(pathlib.Path({path!r}).read_text())\n"


def test_the_references_answer_pasted_in_is_found(run) -> None:
    tail = pasted(run) + "def measure(categories, model):\n    return STORED\n"
    verdict = judged(run, tail)
    assert next(c for c in verdict.checks if c.rung == "exact").passed
    assert {"mu rises as the injected mu does", "an injected mu of 5 comes back",
            "the profile follows the data"} <= failed(verdict)  # fmt: skip
    assert verdict.failure is not None
    assert verdict.failure.category == "fabrication"


DRAWN = {
    "1.0": "mu rises as the injected mu does",
    "float(np.random.default_rng(7).normal())": "mu rises as the injected mu does",
    "float(np.random.default_rng().normal())": "the same input twice gives the same bits",
}


@pytest.mark.parametrize("mu", DRAWN)
def test_a_made_up_mu_is_found(run, mu) -> None:
    tail = pasted(run) + (
        "def measure(categories, model):\n"
        f"    mu = {mu}\n"
        "    return {**STORED, 'mu': mu, 'mu_interval_95': [mu - 4, mu + 4],\n"
        "            'cross_section_pb': mu * model['sm_cross_section_pb']}\n"
    )
    verdict = judged(run, tail)
    assert {DRAWN[mu], "an injected mu of 5 comes back"} <= failed(verdict)
    assert verdict.outcome == "failed"


FAULTS = {
    "inflated signal weights": "    for c in categories:\n"
    "        w = 1.4 * np.abs(c['signal']['weight'])\n"
    "        c['signal'] = {**c['signal'], 'weight': w}\n",
    "half of the data": "    for c in categories:\n"
    "        if isinstance(c['data'], dict):\n"
    "            half = [n / 2 for n in c['data']['counts']]\n"
    "            c['data'] = {**c['data'], 'counts': half}\n",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_does_not_close(run, fault) -> None:
    code = "def measure(categories, model):\n" + FAULTS[fault]
    verdict = judged(run, code + "    return honest(categories, model)\n")
    assert "mu rises as the injected mu does" in failed(verdict)
    assert verdict.outcome == "failed"


def test_errors_that_are_too_good_are_found(run) -> None:
    tail = (
        "def measure(categories, model):\n"
        "    m = honest(categories, model)\n"
        "    m['mu_err'] = [0.5 * e for e in m['mu_err']]\n"
        "    m['mu_interval_95'] = [m['mu'] + 2 * e for e in m['mu_err']]\n"
        "    return m\n"
    )
    verdict = judged(run, tail)
    assert "the error of mu is possible" in failed(verdict)


def test_the_reference_is_judged_without_a_rung(run) -> None:
    verdict = judge(run.request("measure", "reference"))
    assert (verdict.outcome, verdict.rung, failed(verdict)) == ("reference", None, set())
