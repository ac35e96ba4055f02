"""The bench: what candidates of convert show when they are tried on slices, in the sandbox."""

from dataclasses import replace
from pathlib import Path

import pytest

from agents.errors import WorkbenchError
from pipeline.bench import StageBench
from pipeline.data.synthetic import generate_file
from pipeline.stages.contract import StageContext
from pipeline.stages.convert.contract import reference_path
from pipeline.stages.jail import Jail
from tests.pipeline.stages.convert.files import fileset, rewrite
from tests.pipeline.stages.tables import settings

DATA, MC = "data15_periodD", "346525"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> StageBench:
    folder = tmp_path_factory.mktemp("bench")
    chosen = settings()
    data = replace(chosen.data, luminosity=1.0)
    for name in (DATA, MC):
        generate_file("hyy", name, data, folder / f"{name}.root")
    short = rewrite(folder / f"{MC}.root", folder / "short.root", range(1_200))
    files = {DATA: [folder / f"{DATA}.root"], MC: [short]}
    made = fileset(files)
    for name, sample in made["samples"].items():
        sample["role"] = "data" if name == DATA else "signal"
    return StageBench("convert", StageContext(chosen, made, {}), Jail.of(chosen, trial=True))


@pytest.fixture(scope="module")
def good() -> str:
    return reference_path(settings()).read_text(encoding="utf-8")


def test_a_correct_module_passes_and_says_the_same_twice(bench: StageBench, good: str) -> None:
    first, second = bench.try_solution(good), bench.try_solution(good)
    assert first.ok
    assert first.category is None
    assert {f.passed for f in first.findings} == {True}
    assert first == second
    assert any("not all weights zero" in f.name for f in first.findings)


@pytest.mark.parametrize(
    ("old", "new", "category", "says"),
    [
        ("def convert(", "def convert)", "syntax", "SyntaxError"),
        ("def convert(", "def konvert(", "contract", "define 'convert'"),
        ("convert(events: ak.Array)", "convert(a, b)", "function-calling error", "convert(a, b)"),
        ("import awkward as ak", "import uproot4 as ak", "import", "No module named"),
        ('"photon_pt"', '"photon_ptt"', "incorrect branch name", "photon_ptt"),
        ("pt[0] > 50", "pt[0] > 50_000", "semantic error", "rows of many events"),
        ('"m_yy": m_yy[kept]', '"m_yy": 1000 * m_yy[kept]', "units", "GeV"),
    ],
)
def test_what_goes_wrong_has_its_category(
    bench: StageBench, good: str, old: str, new: str, category: str, says: str
) -> None:
    assert old in good
    evidence = bench.try_solution(good.replace(old, new))
    assert not evidence.ok
    assert (evidence.category, evidence.attribution) == (category, "model")
    assert says in evidence.headline


def test_an_exception_of_the_solution_comes_with_its_line(bench: StageBench, good: str) -> None:
    broken = good.replace(
        "    first, photons =", "    print('so far')\n    1 / 0\n    first, photons ="
    )
    evidence = bench.try_solution(broken)
    assert evidence.exception == "ZeroDivisionError"
    assert evidence.line == broken.splitlines().index("    1 / 0") + 1
    assert evidence.stdout.strip() == "so far"


def test_a_broken_hint_is_counted_and_does_not_fail(bench: StageBench, good: str) -> None:
    loud = (
        good
        + "\n\ndef noisy(events):\n    try:\n        pass\n    except Exception:\n        pass\n"
    )
    evidence = bench.try_solution(loud)
    assert evidence.ok
    assert [v.hint for v in evidence.hint_violations] == ["no-hidden-errors"]


def test_an_attempt_that_was_stopped_is_seen_though_the_code_goes_on(
    bench: StageBench, good: str
) -> None:
    curious = good.replace(
        "    first, photons =", "    import glob; glob.glob('/*')\n    first, photons ="
    )
    evidence = bench.try_solution(curious)
    assert evidence.ok
    (found,) = (v for v in evidence.hint_violations if v.hint == "sandbox")
    assert "reading '/'" in found.detail


def test_an_attempt_while_it_is_imported_is_seen_too(bench: StageBench, good: str) -> None:
    evidence = bench.try_solution(f"import glob; glob.glob('/*')\n{good}")
    assert evidence.ok
    assert [v.hint for v in evidence.hint_violations if v.hint == "sandbox"] == ["sandbox"]


def test_a_death_by_a_signal_without_a_name_is_the_models(bench: StageBench, good: str) -> None:
    deadly = good.replace(
        "    first, photons =", "    import os; os.kill(os.getpid(), 40)\n    first, photons ="
    )
    evidence = bench.try_solution(deadly)
    assert not evidence.ok
    assert evidence.attribution == "model"


def test_no_data_is_no_fault_of_a_solution(tmp_path: Path, good: str) -> None:
    empty = StageContext(settings(), fileset({}), {})
    with pytest.raises(WorkbenchError) as caught:
        StageBench("convert", empty, Jail.of(settings())).try_solution(good)
    assert caught.value.attribution == "data"
