"""The taxonomy of failures: the published study's seven kinds, refined, and whose fault each is.

The study is arXiv 2512.07785; each of our categories names the kind of the study that it refines,
so that rates can be compared with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pipeline.judge.verdict import Attribution, Check, Failure, GuardCheck

StudyKind = Literal[
    "all data weights = 0", "dummy data created", "function-calling error",
    "incorrect branch name", "intermediate file not found", "semantic error", "other",
]  # fmt: skip
STUDY_KINDS: tuple[StudyKind, ...] = get_args(StudyKind)


@dataclass(frozen=True)
class Category:
    """One kind of failure."""

    name: str
    study: StudyKind
    attribution: Attribution
    meaning: str


_ALL = (
    Category("all data weights = 0", "all data weights = 0", "model",
             "every event of a table has weight zero"),
    Category("dummy data created", "dummy data created", "model",
             "the code says that it made data up because it did not find any"),
    Category("fabrication", "dummy data created", "model",
             "the output does not follow from the input: a constant, random, a stored answer"),
    Category("function-calling error", "function-calling error", "model",
             "a function was called with arguments that it does not take"),
    Category("incorrect branch name", "incorrect branch name", "model",
             "a branch, column or field was asked for that does not exist"),
    Category("intermediate file not found", "intermediate file not found", "model",
             "a file was opened that is not there"),
    Category("semantic error", "semantic error", "model",
             "the code runs and its result is wrong"),
    Category("units", "semantic error", "model", "MeV for GeV or the like"),
    Category("leakage", "semantic error", "model",
             "scores use what they must not: labels, the observable, the event's own training"),
    Category("blinding", "semantic error", "model",
             "blinded events are in a file that a solver may see"),
    Category("not deterministic", "semantic error", "model",
             "the same input gives another output"),
    Category("syntax", "other", "model", "the module is not Python"),
    Category("import", "other", "model", "the module imports what the sandbox does not hold"),
    Category("contract", "other", "model",
             "names, arguments, columns or types are not those of the stage's contract"),
    Category("timeout", "other", "model", "the code did not end within its time limit"),
    Category("memory", "other", "model", "the code went over its memory limit"),
    Category("sandbox violation", "other", "model",
             "the code reached for the network, a process or a path outside of its sandbox"),
    Category("no progress", "other", "model", "round after round ended in the same error"),
    Category("length", "other", "model", "the reply was cut at its maximal length"),
    Category("refusal", "other", "model", "the model declined, or replied without code"),
    Category("endpoint error", "other", "endpoint", "the model's server failed or did not answer"),
    Category("infrastructure error", "other", "infrastructure",
             "a disk, a network, a scheduler or a worker failed"),
    Category("bad input", "other", "data", "a data file is corrupt, truncated, empty or missing"),
    Category("other", "other", "model", "none of the above"),
)  # fmt: skip
CATEGORIES: dict[str, Category] = {category.name: category for category in _ALL}

MAX_EVIDENCE = 600
"""Characters of evidence that a verdict keeps."""


@dataclass(frozen=True)
class Evidence:
    """What is known of a failed execution: the exception's class, its message, and the stage."""

    exception: str = ""
    message: str = ""
    stage: str = ""

    @property
    def text(self) -> str:
        return f"{self.exception}: {self.message}" if self.exception else self.message


_RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    # What the system says comes first: its messages may quote anything else.
    ("length", (r"finish_reason\W+length", r"reply (was )?cut", r"max_tokens")),
    ("syntax", (r"\b(Syntax|Indentation|Tab)Error", r"invalid syntax")),
    ("import", (r"\b(ModuleNotFound|Import)Error", r"No module named")),
    ("timeout", (r"\bTimeout(Error|Expired)", r"time ?limit", r"timed out after")),
    ("memory", (r"\bMemoryError", r"memory limit", r"out of memory", r"cannot allocate memory")),
    (
        "endpoint error",
        (r"HTTP (status )?(429|5\d\d)", r"endpoint", r"Connection (refused|reset|aborted)"),
    ),
    (
        "sandbox violation",
        (r"sandbox", r"Network is unreachable", r"Operation not permitted", r"Permission ?denied",
         r"\bPermissionError", r"Read-only file system"),
    ),
    (
        "infrastructure error",
        (r"No space left", r"Stale file handle", r"worker (died|was lost)", r"KilledWorker",
         r"BrokenProcessPool", r"Input/output error"),
    ),
    (
        "bad input",
        (r"\bDeserializationError", r"corrupt", r"truncated", r"not a ROOT file", r"wrong tree",
         r"checksum", r"quarantine"),
    ),
    ("no progress", (r"no progress", r"same error signature")),
    ("refusal", (r"declined", r"\brefus(al|ed to)", r"no (fenced )?code block", r"without code")),
    (
        "dummy data created",
        (r"(dummy|mock|fake|made-up|placeholder) (data|events?|values?|sample)",),
    ),
    (
        "all data weights = 0",
        (r"all (the )?(data )?weights (are|=|==) (0|zero)", r"weights? sums? to (0|zero)"),
    ),
    (
        "incorrect branch name",
        (r"\b(KeyInFile|FieldNotFound|Branch)Error", r"no (field|branch|column|variable)",
         r"not in index", r"unknown (branch|column|field)",
         r"branch.*(not found|does not exist|missing|unknown)",
         r"no attribute '(photon|lep|jet|met|trig|mc|xsec|kfac|filteff|Scale)"),
    ),
    ("intermediate file not found", (r"\bFileNotFoundError", r"No such file or directory")),
    (
        "function-calling error",
        (r"positional argument", r"unexpected keyword", r"required (keyword-only )?argument",
         r"is not callable", r"takes \d+ .*arguments?", r"expected \w+\(.*\), found"),
    ),
    ("contract", (r"\bContractError", r"\bSolutionLoadError", r"expected the solution")),
    ("incorrect branch name", (r"\bKeyError",)),
    (
        "semantic error",
        (r"\b(Assertion|ZeroDivision|FloatingPoint|Index)Error", r"Length of values",
         r"shape mismatch", r"could not be broadcast", r"cannot broadcast"),
    ),
)  # fmt: skip


def classify_failure(evidence: Evidence) -> Failure:
    """The category and attribution of a failed execution, from its exception alone (rules)."""
    text = evidence.text
    category = next(
        (name for name, rules in _RULES if any(re.search(r, text, re.IGNORECASE) for r in rules)),
        "other",
    )
    said = evidence.text.strip() or "nothing was recorded"
    where = f"{evidence.stage}: " if evidence.stage else ""
    return _failure(category, f"{where}{said}")


def failure_from_record(record: Mapping[str, Any], stage: str) -> Failure:
    """The failure of execute's record; one that already has a known category is kept as it is."""
    failure = record.get("failure")
    if not failure:
        status = record.get("status")
        return _failure("other", f"{stage}: status {status!r} without a recorded failure")
    if failure.get("category") in CATEGORIES:
        category = CATEGORIES[failure["category"]]
        attribution = failure.get("attribution", category.attribution)
        return Failure(category.name, attribution, str(failure.get("evidence", ""))[:MAX_EVIDENCE])
    exception = str(failure.get("kind") or failure.get("type") or failure.get("exception") or "")
    message = str(failure.get("message") or failure.get("evidence") or "")
    return classify_failure(Evidence(exception, message, stage))


_CHECK_RULES: tuple[tuple[str, str], ...] = (
    (r"answers", ""),  # a rerun that raised: its own exception decides
    (r"all weights zero", "all data weights = 0"),
    (r"\bunits\b", "units"),
    (r"belong to their rows", "fabrication"),
    (r"scrambled|sculpt", "leakage"),
    (r"are computed|more than one value", "fabrication"),
    (r"leak|label|training", "leakage"),
    (r"same input twice", "not deterministic"),
    (r"columns|schema|score range", "contract"),
)


def classify_checks(stage: str, failed: Sequence[Check | GuardCheck]) -> Failure:
    """The failure that a stage's failed requirements, guards and rungs amount to.

    The most telling of them decides: a special rule (units, leakage, ...) before a result that is
    just wrong. Where only guards broke it is fabrication: the numbers meet every requirement, and
    do not follow from the input. Blinded rows that come to light because a mass or a flag is wrong
    are a consequence; they are the cause only where nothing else failed.
    """
    said = "; ".join(_sentence(check) for check in failed[:4])
    evidence = f"{stage}: {said}"
    for rule, category in _CHECK_RULES:
        for check in failed:
            if re.search(rule, check.name, re.IGNORECASE):
                if category:
                    return _failure(category, evidence)
                return classify_failure(
                    Evidence(message=check.detail or str(check.found), stage=stage)
                )
    causes = [check for check in failed if "blinded rows" not in check.name]
    if not causes:
        return _failure("blinding", evidence)
    only_guards = all(isinstance(check, GuardCheck) for check in causes)
    return _failure("fabrication" if only_guards else "semantic error", evidence)


def _sentence(check: Check | GuardCheck) -> str:
    detail = f" ({check.detail})" if check.detail else ""
    return f"{check.name}: expected {check.expected}, found {check.found}{detail}"


def _failure(category: str, evidence: str) -> Failure:
    return Failure(category, CATEGORIES[category].attribution, evidence[:MAX_EVIDENCE])
