"""The judge of preprocess, on faulty solutions that are really run."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.files import read_table, write_table
from pipeline.judge import Verdict, judge
from tests.pipeline.stages.small_run import SmallRun, reference_code, spoiled


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    made = SmallRun.make(tmp_path_factory.mktemp("run"))
    made.reference("preprocess")
    return made


def judged(run: SmallRun, tail: str) -> Verdict:
    return judge(run.solve("preprocess", spoiled("preprocess", tail)))


def failed(verdict: Verdict) -> set[str]:
    return {c.name for c in (*verdict.checks, *verdict.guard) if not c.passed}


def test_our_own_code_is_exact(run) -> None:
    verdict = judge(run.solve("preprocess", reference_code("preprocess")))
    assert failed(verdict) == set()
    assert (verdict.outcome, verdict.rung) == ("passed", "exact")
    assert len(verdict.guard) == 17


def test_the_reference_is_judged_without_a_rung(run) -> None:
    verdict = judge(run.request("preprocess", "reference"))
    assert (verdict.outcome, verdict.rung) == ("reference", None)
    assert len(verdict.guard) == 17


def test_the_worth_of_the_background_is_counted_by_hand(run) -> None:
    verdict = judge(run.request("preprocess", "reference"))
    data = read_table(run.folder / "reference/convert/sealed/data15_periodD.parquet")
    tight = data[["ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated"]].all(axis=1)
    side = data["m_yy"].between(105, 120) | data["m_yy"].between(130, 160)
    n_ti, n_nti = int((tight & side).sum()), int((~tight & side).sum())
    n_window = int((~tight & data["m_yy"].between(123, 127)).sum())
    check = next(c for c in verdict.checks if "N_TI(SB)" in c.name)
    assert check.expected == pytest.approx(n_ti * n_window / n_nti, rel=1e-12)
    assert check.found == pytest.approx(check.expected, rel=1e-9)


def test_rows_in_another_order_are_a_permutation(run) -> None:
    request = run.solve("preprocess", reference_code("preprocess"))
    for path in sorted(request.output.glob("*/*.parquet")):
        write_table(path, read_table(path).sample(frac=1, random_state=1))
    verdict = judge(request)
    assert (verdict.outcome, verdict.rung) == ("passed", "permutation")


@pytest.mark.parametrize(
    ("fault", "names", "category"),
    [
        (  # unsigned weights
            "t['signal']['weight'] = t['signal']['weight'].abs()",
            {"signal: events of negative weight", "signal: sum of weights of ggH"},
            "semantic error",
        ),
        (  # 1 % of the rows dropped
            "t['signal'] = t['signal'][t['signal'].event_number % 300 != 1]",
            {"signal: rows", "signal: sum of weights of VBF"},
            "semantic error",
        ),
        (  # a shuffled column: sums and significance are right
            "t['signal']['pt_yy'] = np.random.default_rng(1).permutation(t['signal']['pt_yy'])",
            {"rows and values are the input's", "signal: values event by event"},
            "semantic error",
        ),
        (  # another unit
            "t['background']['ht_jets'] *= 1000",
            {"rows and values are the input's"},
            "semantic error",
        ),
        (  # all weights of data zero
            "t['data']['weight'] = 0.0",
            {"data: not all weights zero", "data: weight of an event"},
            "all data weights = 0",
        ),
        (  # background as it comes, without SF1 and SF2
            "t['background']['weight'] = 1.0",
            {"background: sum of weights is N_TI(SB) N_NTI(window) / N_NTI(SB)"},
            "semantic error",
        ),
        (  # a row in two regions
            "t['control'] = pd.concat([t['control'], t['background'].iloc[:2]])",
            {"regions are disjoint", "rows and values are the input's"},
            "semantic error",
        ),
        (  # rows made up
            "t['data'] = pd.concat([t['data'], t['data'].iloc[:1].assign(event_number=10**9)])",
            {"rows and values are the input's"},
            "semantic error",
        ),
        (  # luminosity known by heart
            "t['signal']['weight'] *= 36.1 / info['luminosity_fb']",
            {"simulated weights doubled, luminosity raised by half: signal"},
            "fabrication",
        ),
        (  # the weight knows how many events are blinded
            "t['background']['weight'] *= len(t['data']) / 1000",
            {"tables that change when blinded rows are there"},
            "semantic error",
        ),
        (  # values drawn at random, without a seed
            "t['signal']['weight'] *= np.random.default_rng().normal(1, 1e-4, len(t['signal']))",
            {"the same input twice gives the same bits"},
            "not deterministic",
        ),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found(run, fault, names, category) -> None:
    verdict = judged(
        run,
        f"def preprocess(tables, info):\n    t = honest(tables, info)\n    {fault}\n    return t\n",
    )
    assert names <= failed(verdict)
    assert verdict.outcome == "failed"
    assert verdict.failure is not None
    assert (verdict.failure.category, verdict.failure.attribution) == (category, "model")


def test_the_references_answer_pasted_in_is_found(run, tmp_path: Path) -> None:
    answer = run.folder / "reference" / "preprocess" / "sealed"
    verdict = judged(
        run,
        "def preprocess(tables, info):\n"
        f"    names = ('signal', 'background', 'control', 'data')\n"
        f"    return {{n: pd.read_parquet({str(answer)!r} + f'/{{n}}.parquet') for n in names}}\n",
    )
    assert next(c for c in verdict.checks if c.rung == "exact").passed
    assert "every third row dropped: signal" in failed(verdict)
    assert verdict.outcome == "failed"


def test_a_window_that_was_opened_is_found(run) -> None:
    request = run.solve("preprocess", reference_code("preprocess"))
    for path in (request.output / "sealed").glob("*.parquet"):
        write_table(request.output / "output" / path.name, read_table(path))
    verdict = judge(request)
    tight = next(c for c in verdict.checks if c.name == "blinded rows: tight data in the window")
    assert not tight.passed
    sealed = read_table(request.output / "sealed" / "data.parquet")["m_yy"]
    assert tight.found == int(np.count_nonzero((sealed > 120) & (sealed < 130)))
    assert verdict.failure is not None
    assert verdict.failure.category == "blinding"


def test_an_error_on_a_changed_input_is_the_solutions(run) -> None:
    verdict = judged(
        run,
        "def preprocess(tables, info):\n"
        "    if min(len(t) for t in tables.values()) < 3000:\n"
        "        raise KeyError('m_gg')\n"
        "    return honest(tables, info)\n",
    )
    assert "answers: every third row dropped" in failed(verdict)
    assert verdict.failure is not None
    assert verdict.failure.category == "incorrect branch name"
