"""The judge of classify, on faulty solutions that are really run."""

import numpy as np
import pytest

from pipeline.files import read_table, write_table
from pipeline.judge import Verdict, judge
from tests.pipeline.stages.small_run import SmallRun, spoiled

QUICK = """

def _train(signal, weight, background, seed):
    from sklearn.tree import DecisionTreeClassifier
    x = np.concatenate([signal, background])
    y = np.arange(len(x)) < len(signal)
    w = np.where(y, 1 / len(signal), 1 / len(background))
    tree = DecisionTreeClassifier(max_leaf_nodes=30, min_samples_leaf=40, random_state=seed)
    return tree.fit(x, y, sample_weight=w)
"""
"""Our own solution with one tree per fold in the place of a hundred: the tests' reference."""
HONEST = spoiled("classify", QUICK)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    made = SmallRun.make(tmp_path_factory.mktemp("run"), data_rows=8000, signal_rows=2000)
    made.reference("preprocess")
    made.reference("classify", code=HONEST)
    return made


def judged(run: SmallRun, tail: str) -> Verdict:
    return judge(run.solve("classify", spoiled("classify", QUICK + tail)))


def failed(verdict: Verdict, with_rungs: bool = False) -> set[str]:
    checks = [c for c in verdict.checks if with_rungs or c.rung is None]
    return {c.name for c in (*checks, *verdict.guard) if not c.passed}


def test_the_same_code_is_exact(run) -> None:
    verdict = judge(run.solve("classify", HONEST))
    assert failed(verdict, with_rungs=True) == set()
    assert (verdict.outcome, verdict.rung) == ("passed", "exact")
    assert len(verdict.guard) == 6


def test_another_scale_of_the_score_is_statistical(run) -> None:
    tail = (
        HEAD + "    found = honest(signal, background, data, features, seed)\n"
        "    return {n: s**2 for n, s in found.items()}\n"
    )
    verdict = judged(run, tail)
    assert failed(verdict) == set()
    assert (verdict.outcome, verdict.rung) == ("passed", "statistical")


def test_another_learner_is_physics(run) -> None:
    line = (
        "from sklearn.linear_model import LogisticRegression\n"
        "def _train(signal, weight, background, seed):\n"
        "    x = np.concatenate([signal, background])\n"
        "    y = np.arange(len(x)) < len(signal)\n"
        "    scale = 1 + np.abs(x).mean(axis=0)\n"
        "    fitted = LogisticRegression().fit(x / scale, y)\n"
        "    class Line:\n"
        "        def predict_proba(self, z): return fitted.predict_proba(z / scale)\n"
        "    return Line()\n"
    )
    verdict = judged(run, line)
    assert failed(verdict) == set()
    assert (verdict.outcome, verdict.rung) == ("passed", "physics")


def test_rows_in_another_order_are_a_permutation(run) -> None:
    request = run.solve("classify", HONEST)
    for path in sorted((request.output / "sealed").glob("*.parquet")):
        write_table(path, read_table(path).sample(frac=1, random_state=1))
    verdict = judge(request)
    assert (verdict.outcome, verdict.rung) == ("passed", "permutation")


HEAD = "def scores(signal, background, data, features, seed):\n"
TABLES = "    tables = {'signal': signal, 'background': background, 'data': data}\n"
FAULTS = {
    "constants": (
        HEAD + TABLES + "    return {n: np.full(len(t), 0.5) for n, t in tables.items()}\n",
        {"scores take more than one value", "scores are computed from the features"},
        "fabrication",
    ),
    "drawn at random": (
        HEAD + TABLES
        + "    draw = np.random.default_rng()\n"
        "    return {n: draw.random(len(t)) for n, t in tables.items()}\n",
        {"the same input twice gives the same bits", "scores belong to their rows in any order"},
        "fabrication",
    ),
    "noise that nobody seeded, larger than what counts as leakage": (
        HEAD + "    found = honest(signal, background, data, features, seed)\n"
        "    draw = np.random.default_rng()\n"
        "    return {n: np.clip(s + draw.uniform(-0.05, 0.05, len(s)), 0, 1)\n"
        "            for n, s in found.items()}\n",
        {"the same input twice gives the same bits"},
        "not deterministic",
    ),
    "drawn at random with the seed": (
        HEAD + TABLES
        + "    draw = np.random.default_rng(seed)\n"
        "    return {n: draw.random(len(t)) for n, t in tables.items()}\n",
        {"scores belong to their rows in any order", "scores are computed from the features"},
        "fabrication",
    ),
    "a shuffled column": (
        HEAD + "    found = honest(signal, background, data, features, seed)\n"
        "    draw = np.random.default_rng(seed)\n"
        "    return {n: draw.permutation(s) for n, s in found.items()}\n",
        {"scores belong to their rows in any order"},
        "fabrication",
    ),
    "no folds": (
        "from sklearn.tree import DecisionTreeClassifier\n"
        + HEAD + TABLES
        + "    x = np.concatenate([signal[features], background[features]]).astype(float)\n"
        "    y = np.arange(len(x)) < len(signal)\n"
        "    tree = DecisionTreeClassifier(min_samples_leaf=3, random_state=seed).fit(x, y)\n"
        "    return {n: tree.predict_proba(t[features].to_numpy(float))[:, 1]\n"
        "            for n, t in tables.items()}\n",
        {"shuffled labels give an AUC of 0.5"},
        "leakage",
    ),
    "the mass is a feature": (
        HEAD + "    return honest(signal, background, data, [*features, 'm_yy'], seed)\n",
        {"scores ignore scrambled columns", "shuffled labels give an AUC of 0.5",
         "the mass of background is not sculpted"},
        "leakage",
    ),
    "the weight is a feature": (
        HEAD + "    return honest(signal, background, data, [*features, 'weight'], seed)\n",
        {"shuffled labels give an AUC of 0.5"},
        "fabrication",
    ),
    "data are trained on": (
        HEAD + "    both = pd.concat([background, data], ignore_index=True)\n"
        "    found = honest(signal, both, data, features, seed)\n"
        "    return {**found, 'background': found['background'][:len(background)]}\n",
        {"no training on data",
         "no training on data: scores that change when blinded rows are there"},
        "leakage",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(run, fault) -> None:
    tail, names, category = FAULTS[fault]
    verdict = judged(run, tail)
    assert names <= failed(verdict)
    assert verdict.outcome == "failed"
    assert verdict.failure is not None
    assert (verdict.failure.category, verdict.failure.attribution) == (category, "model")


def test_scores_turned_round_reach_no_rung(run) -> None:
    tail = (
        HEAD + "    found = honest(signal, background, data, features, seed)\n"
        "    return {n: 1 - s for n, s in found.items()}\n"
    )
    verdict = judged(run, tail)
    assert failed(verdict) == set()
    assert (verdict.outcome, verdict.rung) == ("failed", None)
    physics = next(c for c in verdict.checks if c.rung == "physics")
    assert physics.found < 0.5 < physics.expected  # type: ignore[operator]


def test_the_references_answer_pasted_in_is_found(run) -> None:
    answer = str(run.folder / "reference" / "classify" / "sealed")
    tail = (
        HEAD + "    names = ('signal', 'background', 'control', 'data')\n"
        f"    folder = {answer!r}\n"
        "    stored = pd.concat([pd.read_parquet(f'{folder}/{n}.parquet') for n in names])\n"
        "    stored = stored.set_index(['sample', 'event_number'])['score']\n"
        "    def look(t):\n"
        "        return stored.loc[list(zip(t['sample'], t['event_number']))].to_numpy()\n"
        "    return {'signal': look(signal), 'background': look(background), 'data': look(data)}\n"
    )
    verdict = judged(run, tail)
    assert next(c for c in verdict.checks if c.rung == "exact").passed
    assert "scores are computed from the features" in failed(verdict)
    assert verdict.outcome == "failed"


@pytest.mark.slow
def test_our_own_code_is_judged_without_a_rung(run) -> None:
    run.reference("classify")
    verdict = judge(run.request("classify", "reference"))
    run.reference("classify", code=HONEST)
    assert (verdict.outcome, verdict.rung, failed(verdict)) == ("reference", None, set())
    assert np.all([c.rung is None for c in verdict.checks])
