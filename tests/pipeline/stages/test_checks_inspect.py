"""The judge of inspect, on faulty solutions that read a real ROOT file."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.data.synthetic import generate_file
from pipeline.files import read_json, write_json
from pipeline.judge import JudgeRequest, Verdict, judge
from pipeline.stages.contract import StageContext
from pipeline.stages.inspect.checks import normalised
from pipeline.stages.inspect.contract import CONTRACT
from pipeline.stages.solution import load_solution
from tests.pipeline.stages.small_run import reference_code, settings

SAMPLES = ("data15_periodD", "345061")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    data = replace(settings().data, synthetic=True, thinning=0.01)
    for name in SAMPLES:
        generate_file("hyy", name, data, folder / f"{name}.root")
    return folder


def asked(files: Path, folder: Path, code: str, solver: str = "agent") -> JudgeRequest:
    """A solution, run on both files, and the question to the judge."""
    samples = {
        name: {"kind": "mc", "files": [{"path": str(files / f"{name}.root"), "entries": 1}]}
        for name in SAMPLES
    }
    fileset = {"tree": "analysis", "samples": samples}
    path = folder / "solution.py"
    path.write_text(code, encoding="utf-8")
    arguments = CONTRACT.arguments(StageContext(settings(), fileset, {}))
    module = load_solution(path, CONTRACT.defines)
    CONTRACT.write(CONTRACT.accept(CONTRACT.call(module, arguments), arguments), folder / "output")
    return JudgeRequest(
        stage="inspect", settings=settings(solver), fileset=fileset, solution_path=path,
        output=folder, reference=folder, upstream={}, reference_upstream={},
        record={"status": "ok", "failure": None},
    )  # fmt: skip


def judged(files: Path, folder: Path, tail: str) -> Verdict:
    code = reference_code("inspect") + "\n\nhonest = inspect\n\n\n" + tail
    return judge(asked(files, folder, code))


def failed(verdict: Verdict) -> set[str]:
    return {c.name for c in (*verdict.checks, *verdict.guard) if not c.passed}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("std::vector<float>", "float32[]"),
        ("ROOT::VecOps::RVec<float>", "float32[]"),
        ("RVec<float>", "float32[]"),
        ("float[]", "float32[]"),
        ("float[photon_n]", "float32[]"),
        ("var * float32", "float32[]"),
        ("std::vector<std::vector<int32_t>>", "int32[][]"),
        ("vector<unsigned int>", "uint32[]"),
        ("Float_t", "float32"),
        ("double", "float64"),
        ("uint64_t", "uint64"),
        ("Long64_t", "int64"),
        ("std::string", "string"),
        ("bool", "bool"),
    ],
)
def test_types_have_one_spelling(said, kind) -> None:
    assert normalised(said) == kind
    assert normalised(kind) == kind


def test_our_own_code_is_exact(files, tmp_path) -> None:
    verdict = judged(files, tmp_path, "")
    assert failed(verdict) == set()
    assert (verdict.outcome, verdict.rung) == ("passed", "exact")
    assert [c.name for c in verdict.guard] == [
        "the same input twice gives the same bits",
        "a file that was not seen before",
        "another file, another answer",
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["output", "solution.py"]


def test_another_spelling_is_the_same_type(files, tmp_path) -> None:
    tail = (
        "def inspect(path):\n"
        "    found = honest(path)\n"
        "    for tree in found['trees'].values():\n"
        "        for b, kind in tree['branches'].items():\n"
        "            tree['branches'][b] = kind.replace('float', 'Float_t')\n"
        "    return found\n"
    )
    assert judged(files, tmp_path, tail).rung == "exact"


HEAD = "def inspect(path):\n    found = honest(path)\n    tree = found['trees'].get('analysis')\n"
FAULTS = {
    "one branch less": (
        "    if tree: tree['branches'].pop('photon_pt')\n",
        "branch photon_pt is missing",
    ),
    "another type": (
        "    if tree: tree['branches']['met'] = 'double'\n",
        "met is float, not double",
    ),
    "1 % of the entries dropped": (
        "    if tree: tree['entries'] = int(0.99 * tree['entries'])\n",
        "entries, not",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(files, tmp_path, fault) -> None:
    change, said = FAULTS[fault]
    verdict = judged(files, tmp_path, HEAD + change + "    return found\n")
    assert (verdict.outcome, verdict.rung) == ("failed", None)
    vital = [c for c in verdict.checks if c.rung == "physics"]
    assert [c.passed for c in vital] == [False, False]
    assert said in str(vital[0].found)
    assert verdict.failure is not None
    assert verdict.failure.category == "semantic error"


def test_a_branch_that_nobody_reads_leaves_the_physics(files, tmp_path) -> None:
    change = "    if tree: tree['branches']['invented'] = 'float'\n"
    verdict = judged(files, tmp_path, HEAD + change + "    return found\n")
    assert (verdict.outcome, verdict.rung) == ("passed", "physics")


def test_a_stored_summary_is_found(files, tmp_path) -> None:
    request = asked(files, tmp_path, reference_code("inspect"))
    stored = read_json(request.output / "output" / "summary.json")
    kept = tmp_path / "stored"
    kept.mkdir()
    write_json(kept / "summary.json", stored)
    code = (
        "import json, pathlib\n"
        f"STORED = json.loads(pathlib.Path({str(kept / 'summary.json')!r}).read_text())\n"
        "def inspect(path):\n"
        "    return STORED.get(pathlib.Path(path).stem, STORED['345061'])\n"
    )
    verdict = judge(asked(files, tmp_path, code))
    assert next(c for c in verdict.checks if c.rung == "exact").passed
    assert failed(verdict) == {"a file that was not seen before", "another file, another answer"}
    assert verdict.failure is not None
    assert verdict.failure.category == "fabrication"


def test_the_reference_is_held_against_the_file(files, tmp_path) -> None:
    request = asked(files, tmp_path, reference_code("inspect"), "reference")
    verdict = judge(request)
    assert (verdict.outcome, verdict.rung) == ("reference", None)
    assert [c.rung for c in verdict.checks] == [None, None]
    path = request.output / "output" / "summary.json"
    summary = read_json(path)
    summary["345061"]["trees"]["analysis"]["entries"] += 1
    write_json(path, summary)
    broken = judge(request)
    assert broken.outcome == "failed"
    assert broken.failure is not None
    assert broken.failure.attribution == "harness"
