"""Failures are sorted by rule, into the study's seven kinds and finer ones of our own."""

import ast
import inspect
from pathlib import Path

import pytest

import agents
import agents.errors
import agents.limits
from agents.evidence import Finding
from pipeline.judge.classification import (
    MAX_EVIDENCE,
    Evidence,
    classify_checks,
    classify_failure,
    classify_findings,
    classify_solution,
    failure_from_record,
)
from pipeline.judge.taxonomy import CATEGORIES, OF_SOLUTIONS, STUDY_KINDS
from pipeline.judge.verdict import Check, GuardCheck

OURS = ("endpoint", "infrastructure", "harness", "data")


def test_every_kind_of_the_study_has_a_category() -> None:
    assert len(STUDY_KINDS) == 7
    assert {c.study for c in CATEGORIES.values()} == set(STUDY_KINDS)
    assert set(STUDY_KINDS) <= set(CATEGORIES)


def _categories_named_by_the_agents() -> set[str]:
    """Every text that the agents' room gives as a `category`, in a class or in a call."""
    found = set()
    for path in sorted(Path(inspect.getfile(agents)).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            value: ast.expr | None = None
            if isinstance(node, ast.keyword) and node.arg == "category":
                value = node.value
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                named = [t.id if isinstance(t, ast.Name) else getattr(t, "attr", "")
                         for t in targets]  # fmt: skip
                value = node.value if "category" in named else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found.add(value.value)
    return found


def test_the_agents_name_no_category_that_is_not_here() -> None:
    named = _categories_named_by_the_agents()
    assert {"limit", "length", "refusal", "contract", "endpoint error"} <= named
    assert named <= set(CATEGORIES)
    assert CATEGORIES["limit"].attribution == agents.limits.LimitReached.attribution == "model"
    assert CATEGORIES["limit"].study == "other"


def test_what_a_solution_can_fail_with_counts_against_the_model() -> None:
    assert {CATEGORIES[name].attribution for name in OF_SOLUTIONS} == {"model"}
    assert not OF_SOLUTIONS & {"endpoint error", "infrastructure error", "bad input", "limit"}


@pytest.mark.parametrize(
    ("exception", "message", "category", "attribution"),
    [
        ("SyntaxError", "invalid syntax (solution.py, line 3)", "syntax", "model"),
        ("ModuleNotFoundError", "No module named 'torch'", "import", "model"),
        ("ContractError", "expected 'scores' to be a function", "contract", "model"),
        ("ContractError", "expected scores(a, b), found scores(a)", "function-calling error",
         "model"),
        ("TypeError", "f() missing 1 required positional argument: 'x'", "function-calling error",
         "model"),
        ("KeyInFileError", "not found: 'photon_E'", "incorrect branch name", "model"),
        ("FieldNotFoundError", "no field 'photon_E' in record", "incorrect branch name", "model"),
        ("BranchError", "release 2025e-13tev-beta has no variable 'x'; nearest: y",
         "incorrect branch name", "model"),
        ("KeyError", "'m_gg'", "incorrect branch name", "model"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'out.npy'",
         "intermediate file not found", "model"),
        ("TimeoutError", "the solution did not end within 600 s", "timeout", "model"),
        ("MemoryError", "Unable to allocate 12 GiB", "memory", "model"),
        ("PermissionError", "[Errno 13] Permission denied: '/etc/x'", "sandbox violation", "model"),
        ("OSError", "[Errno 101] Network is unreachable", "sandbox violation", "model"),
        ("OSError", "[Errno 28] No space left on device", "infrastructure error", "infrastructure"),
        ("EndpointError", "HTTP 503 from the endpoint", "endpoint error", "endpoint"),
        ("DeserializationError", "expected 12 bytes", "bad input", "data"),
        ("", "no progress: the same error signature three rounds in a row", "no progress", "model"),
        ("", "finish_reason: length", "length", "model"),
        ("", "the model declined to answer", "refusal", "model"),
        ("RuntimeError", "no input found, using dummy data", "dummy data created", "model"),
        ("ValueError", "all data weights are zero", "all data weights = 0", "model"),
        ("IndexError", "index 3 is out of bounds", "semantic error", "model"),
        ("ValueError", "something unheard of", "other", "model"),
    ],
)  # fmt: skip
def test_exceptions_are_sorted_by_rule(exception, message, category, attribution) -> None:
    failure = classify_failure(Evidence(exception, message, "convert"))
    assert (failure.category, failure.attribution) == (category, attribution)
    assert failure.evidence == "convert: " + (f"{exception}: " if exception else "") + message


@pytest.mark.parametrize(
    ("exception", "message", "category"),
    [
        # The names that the sandbox gives: their messages do not matter.
        ("TimeLimitError", "KeyError: 'x'", "timeout"),
        ("CpuLimitError", "the process was ended by SIGXCPU", "timeout"),
        ("MemoryLimitError", "no module named x", "memory"),
        ("SandboxViolationError", "open('/etc/passwd')", "sandbox violation"),
        ("OutputLimitError", "printed too much", "sandbox violation"),
        ("ProtocolError", "garbage", "sandbox violation"),
        ("ProcessDiedError", "the process was ended by SIGSEGV", "other"),
        ("ReturnTypeError", "expected arrays, found objects", "contract"),
        ("SolutionLoadError", "the solution cannot be imported: SyntaxError: bad (line 3)",
         "syntax"),
        ("JailedLoadError", "the solution cannot be imported: ImportError: 'torch'", "import"),
        ("SolutionLoadError", "the solution cannot be imported: RuntimeError: oh", "contract"),
        ("SolutionLoadError", "the solution cannot be imported: KeyError: 'HOME'", "contract"),
        # A solution's own exceptions.
        ("PermissionError", "[Errno 13] Permission denied: '/etc/passwd'", "sandbox violation"),
        ("OSError", "[Errno 101] Network is unreachable (sandbox: there is no network)",
         "sandbox violation"),
        ("gaierror", "[Errno -3] Temporary failure in name resolution", "sandbox violation"),
        ("ConnectionRefusedError", "[Errno 111] Connection refused", "sandbox violation"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'scores.npy'",
         "intermediate file not found"),
        ("KeyError", "KeyError: 'photon_E'", "incorrect branch name"),
        ("FieldNotFoundError", "no field 'photon_E' in record", "incorrect branch name"),
        ("KeyError", "0", "semantic error"),
        ("AttributeError", "module 'numpy' has no attribute 'float'", "function-calling error"),
        ("ContractError", "expected column 'weight', found a, b", "contract"),
        ("ContractError", "unknown column 'mgg'; known: m_yy", "contract"),
        ("ContractError", "unknown branch 'photon_E' in BRANCHES; nearest: photon_e",
         "incorrect branch name"),
    ],
)  # fmt: skip
def test_what_a_solution_raises_is_sorted(exception, message, category) -> None:
    failure = classify_solution(Evidence(exception, message, "convert"))
    assert (failure.category, failure.attribution) == (category, "model")


@pytest.mark.parametrize(
    ("exception", "message"),
    [
        ("OSError", "[Errno 28] No space left on device"),
        ("OSError", "[Errno 5] Input/output error"),
        ("RuntimeError", "HTTP 503 from the endpoint"),
        ("EndpointError", "the endpoint did not answer"),
        ("RuntimeError", "the harness is broken"),
        ("KilledWorker", "worker died"),
        ("DeserializationError", "the file is corrupt and truncated"),
        ("RuntimeError", "the data file failed its checksum and is in quarantine"),
        ("BrokenProcessPool", "Stale file handle"),
        ("WorkbenchError", "no sandbox"),
        ("RuntimeError", "no progress: same error signature"),
        ("RuntimeError", "finish_reason: length"),
        ("LimitReached", "expected the stage to be solved within max_calls=30"),
    ],
)
def test_a_solution_cannot_put_the_blame_elsewhere(exception, message) -> None:
    """Class and words of an exception are the solution's own, so that they prove nothing."""
    failure = classify_solution(Evidence(exception, message, "convert"))
    assert failure.attribution == "model"
    assert failure.category in OF_SOLUTIONS
    record = {"status": "failed", "failure": {"kind": exception, "message": message}}
    assert failure_from_record(record, "convert") == failure
    answer = f"{exception}: {message}"
    guard = GuardCheck("answers: rows dropped", False, "an answer", answer)
    assert classify_checks("convert", [guard]) == failure
    assert failure.attribution not in OURS


def test_a_missing_key_is_a_branch_only_where_branches_and_columns_are_read() -> None:
    found = {
        stage: classify_solution(Evidence("KeyError", "'x'", stage)).category
        for stage in ("convert", "preprocess", "classify", "categorize", "measure")
    }
    branch = "incorrect branch name"
    assert found == {"convert": branch, "preprocess": branch, "classify": branch,
                     "categorize": "contract", "measure": "contract"}  # fmt: skip


def test_the_class_is_not_said_twice() -> None:
    assert Evidence("KeyError", "KeyError: 'x'").text == "KeyError: 'x'"


def test_the_record_of_execute_is_read() -> None:
    record = {"status": "failed", "failure": {"kind": "KeyError", "message": "'m_gg'",
                                              "traceback": "Timeout"}}  # fmt: skip
    assert failure_from_record(record, "preprocess").category == "incorrect branch name"
    known = {"failure": {"category": "length", "attribution": "endpoint", "evidence": "cut"}}
    kept = failure_from_record(known, "convert")
    assert (kept.category, kept.attribution, kept.evidence) == ("length", "endpoint", "cut")
    assert failure_from_record({"status": "failed", "failure": None}, "x").category == "other"


@pytest.mark.parametrize(
    ("failed", "category"),
    [
        ([Check("ggH: rows", False, 10, 9)], "semantic error"),
        ([GuardCheck("rows vanish", False, 10, 15)], "fabrication"),
        ([Check("343981: units of ph1_pt", False, 50.0, 50000.0),
          GuardCheck("rows vanish", False, 10, 15)], "units"),
        ([GuardCheck("shuffled labels give 0.5", False, 0.5, 0.8)], "leakage"),
        ([GuardCheck("the same input twice gives the same bits", False, "a", "b")],
         "not deterministic"),
        ([Check("data: all weights zero", False, "weights", 0.0)], "all data weights = 0"),
        ([Check("blinded rows", False, 0, 12)], "blinding"),
        ([Check("signal: columns", False, "weight", "none")], "contract"),
        ([GuardCheck("answers: rows dropped", False, "an answer", "KeyError: 'x'")],
         "incorrect branch name"),
    ],
)  # fmt: skip
def test_failed_checks_are_sorted_by_what_they_tell(failed, category) -> None:
    failure = classify_checks("convert", failed)
    assert failure.category == category
    assert failure.attribution == "model"
    assert failure.evidence.startswith("convert: ")


@pytest.mark.parametrize(
    ("names", "category"),
    [
        (["signal: units of ph1_pt"], "units"),
        (["cut flow never rises", "data: all weights zero"], "all data weights = 0"),
        (["no leakage of the observable"], "leakage"),
        (["contract: columns of signal"], "contract"),
        (["the same input twice gives the same bits"], "not deterministic"),
        (["blinded rows are in no table"], "blinding"),
        (["blinded rows are in no table", "sum of weights"], "semantic error"),
        (["cut flow never rises"], "semantic error"),
        # As the bench names them: the slice first.
        (["data_A, first 500 events: units: GeV"], "units"),
        (["first 400 rows of each sample: signal: not all weights zero"], "all data weights = 0"),
        (["all: no leak: the separation is possible without the mass"], "leakage"),
        (["all: signal: scores take more than one value"], "fabrication"),
        (["343981, all events: values belong to the event of their row"], "semantic error"),
    ],
)
def test_findings_of_the_bench_are_sorted_by_name(names, category) -> None:
    findings = [Finding(name, False, "10", "12") for name in names]
    failure = classify_findings("preprocess", findings)
    assert (failure.category, failure.attribution) == (category, "model")
    assert failure.evidence.startswith(f"preprocess: {names[0]}: expected 10, found 12")


def test_evidence_is_kept_short() -> None:
    assert len(classify_failure(Evidence("ValueError", "x" * 5000)).evidence) == MAX_EVIDENCE
