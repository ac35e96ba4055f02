"""Which failure is of which category: rules over exceptions, failed checks and findings.

What a solution raises is its own text: it may say that the disk is full or that an endpoint broke.
Such text is read by `classify_solution` alone, whose every category counts against the model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.judge.taxonomy import CATEGORIES, OF_SOLUTIONS
from pipeline.judge.verdict import Check, Failure, GuardCheck

MAX_EVIDENCE = 600
"""Characters of evidence that a verdict keeps."""
DEFAULT = "other"
_IMPORTING = re.compile(r"the solution cannot be imported: (?:(\w+): )?(.*)", re.DOTALL)
_RAISED = re.compile(r"([A-Za-z_]\w*): (.*)", re.DOTALL)
_TABLE_STAGES = ("", "inspect", "convert", "preprocess", "classify")
"""Stages that read branches or columns; a key that is missing there is one of these."""


@dataclass(frozen=True)
class Evidence:
    """What is known of a failed execution: the exception's class, its message, and the stage."""

    exception: str = ""
    message: str = ""
    stage: str = ""

    @property
    def text(self) -> str:
        said = self.message.removeprefix(f"{self.exception}: ")
        return f"{self.exception}: {said}" if self.exception else said


class FindingLike(Protocol):
    """A validator's finding: its name, what it expected and what it found."""

    @property
    def name(self) -> str: ...
    @property
    def expected(self) -> str: ...
    @property
    def found(self) -> str: ...


_CLASSES: Mapping[str, str] = {
    # The names that our sandbox gives to the ways a call can end.
    "TimeLimitError": "timeout",
    "CpuLimitError": "timeout",
    "MemoryLimitError": "memory",
    "SandboxViolationError": "sandbox violation",
    "OutputLimitError": "sandbox violation",
    "ProtocolError": "sandbox violation",
    "ProcessDiedError": "other",
    "ReturnTypeError": "contract",
}
"""Exceptions whose class says all; what their message quotes does not matter."""

_RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    # What the system says comes first: its messages may quote anything else.
    ("length", (r"finish_reason\W+length", r"reply (was )?cut", r"max_tokens")),
    ("limit", (r"\bLimitReached", r"solved within max_\w+=")),
    ("syntax", (r"\b(Syntax|Indentation|Tab)Error", r"invalid syntax")),
    ("import", (r"\b(ModuleNotFound|Import)Error", r"No module named")),
    ("timeout", (r"\bTimeout(Error|Expired)", r"time ?limit", r"timed out after")),
    ("memory", (r"MemoryError\b", r"memory limit", r"out of memory", r"cannot allocate memory")),
    (
        "endpoint error",
        (r"HTTP (status )?(429|5\d\d)", r"endpoint", r"Connection (refused|reset|aborted)",
         r"\bConnection\w*Error"),
    ),
    (
        "sandbox violation",
        (r"sandbox", r"Network is unreachable", r"Operation not permitted", r"Permission ?denied",
         r"\bPermissionError", r"Read-only file system", r"\bgaierror", r"name resolution",
         r"Name or service not known", r"\bConnection\w*Error"),
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
        (r"\b(KeyInFile|FieldNotFound|Branch)Error", r"no (field|branch|variable)",
         r"not in index", r"are in the \[(columns|index)\]", r"unknown (branch|field)",
         r"branch.*(not found|does not exist|missing|unknown)",
         r"no attribute '(photon|lep|jet|met|trig|mc|xsec|kfac|filteff|Scale)"),
    ),
    ("intermediate file not found", (r"\bFileNotFoundError", r"No such file or directory")),
    (
        "function-calling error",
        (r"positional argument", r"unexpected keyword", r"required (keyword-only )?argument",
         r"is not callable", r"takes \d+ .*arguments?", r"expected \w+\(.*\), found",
         r"module '[\w.]+' has no attribute"),
    ),
    ("contract", (r"\bContractError", r"\b\w*LoadError", r"expected the solution")),
    (
        "semantic error",
        (r"\b(Assertion|ZeroDivision|FloatingPoint|Index)Error", r"Length of values",
         r"shape mismatch", r"could not be broadcast", r"cannot broadcast", r"KeyError: [-(\d]"),
    ),
)  # fmt: skip


def classify_failure(evidence: Evidence) -> Failure:
    """The category and attribution of what our own code or a server said (rules over its text).

    Not for what a solution raised: see `classify_solution`.
    """
    return _failure(_category(evidence, frozenset(CATEGORIES)), _said(evidence))


def classify_solution(evidence: Evidence) -> Failure:
    """The category of what a solution raised; it always counts against the model.

    A solution chooses the class and the words of its exceptions, so that neither can move the
    blame to endpoint, infrastructure, harness or data.
    """
    return _failure(_category(evidence, OF_SOLUTIONS), _said(evidence))


def failure_from_record(record: Mapping[str, Any], stage: str) -> Failure:
    """The failure of execute's record; one that already has a known category is kept as it is.

    Anything else in a record comes from a solution: a fault of ours ends the step instead.
    """
    failure = record.get("failure")
    if not failure:
        status = record.get("status")
        return _failure(DEFAULT, f"{stage}: status {status!r} without a recorded failure")
    if failure.get("category") in CATEGORIES:
        category = CATEGORIES[failure["category"]]
        attribution = failure.get("attribution", category.attribution)
        return Failure(category.name, attribution, str(failure.get("evidence", ""))[:MAX_EVIDENCE])
    exception = str(failure.get("kind") or failure.get("type") or failure.get("exception") or "")
    message = str(failure.get("message") or failure.get("evidence") or "")
    return classify_solution(Evidence(exception, message, stage))


_NAME_RULES: tuple[tuple[str, str], ...] = (
    (r"answers", ""),  # a rerun that raised: its own exception decides
    (r"all (data )?weights (are )?zero", "all data weights = 0"),
    (r"\bunits?\b", "units"),
    (r"belong to their rows", "fabrication"),
    (r"scrambled|sculpt", "leakage"),
    (r"are computed|more than one value", "fabrication"),
    (r"same input twice", "not deterministic"),  # other guards compare two answers
    (r"leak|label|training", "leakage"),
    (r"branches that every event has", "incorrect branch name"),
    (r"row is a row of the input|no events, no rows", "fabrication"),
    (r"columns|schema|score range|contract", "contract"),
    (r"cut flow: names|trees are named|name of a type", "contract"),
)


def classify_checks(stage: str, failed: Sequence[Check | GuardCheck]) -> Failure:
    """The failure that a stage's failed requirements, guards and rungs amount to.

    The most telling of them decides: a special rule (units, leakage, ...) before a result that is
    just wrong. Where only guards broke it is fabrication: the numbers meet every requirement, and
    do not follow from the input. Blinded rows that come to light because a mass or a flag is wrong
    are a consequence; they are the cause only where nothing else failed.
    """
    telling = _telling(failed)
    if telling is not None and not telling[1]:
        said = str(telling[0].detail or telling[0].found)
        exception, message = _split(said)
        return classify_solution(Evidence(exception, message, stage))
    evidence = f"{stage}: {'; '.join(_sentence(check) for check in failed[:4])}"
    if telling is not None:
        return _failure(telling[1], evidence)
    causes = [check for check in failed if "blinded rows" not in check.name]
    if not causes:
        return _failure("blinding", evidence)
    only_guards = all(isinstance(check, GuardCheck) for check in causes)
    return _failure("fabrication" if only_guards else "semantic error", evidence)


def classify_findings(stage: str, findings: Sequence[FindingLike]) -> Failure:
    """The failure that failed findings of a validator amount to; names decide as for checks.

    A validator sees one run on a slice and nothing that was changed, so that what no name tells is
    a wrong result, not a made-up one.
    """
    said = "; ".join(f"{f.name}: expected {f.expected}, found {f.found}" for f in findings[:4])
    evidence = f"{stage}: {said}" if said else f"{stage}: no finding was recorded"
    telling = _telling(findings)
    if telling is not None and telling[1]:
        return _failure(telling[1], evidence)
    only_blinded = bool(findings) and all("blinded rows" in f.name for f in findings)
    return _failure("blinding" if only_blinded else "semantic error", evidence)


def _category(evidence: Evidence, allowed: frozenset[str]) -> str:
    """The first rule of an allowed category that the evidence meets."""
    exception, text = evidence.exception, evidence.text
    if exception in _CLASSES:
        return _CLASSES[exception]
    if inner := _IMPORTING.search(text):
        cause = _category(Evidence(inner[1] or "", inner[2], "import"), allowed)
        return "contract" if cause == DEFAULT else cause
    for name, rules in _RULES:
        if name in allowed and any(re.search(rule, text, re.IGNORECASE) for rule in rules):
            return name
    if re.search(r"\bKeyError\b", text):
        return "incorrect branch name" if evidence.stage in _TABLE_STAGES else "contract"
    return DEFAULT


def _telling(failed: Sequence[Any]) -> tuple[Any, str] | None:
    """The first (check, category) that a rule over names finds, most telling rule first."""
    return next(
        (
            (check, category)
            for rule, category in _NAME_RULES
            for check in failed
            if re.search(rule, check.name, re.IGNORECASE)
        ),
        None,
    )


def _split(said: str) -> tuple[str, str]:
    """`Class: message` as its two parts; no class where there is none."""
    match = _RAISED.match(said)
    return (match[1], match[2]) if match else ("", said)


def _said(evidence: Evidence) -> str:
    said = evidence.text.strip() or "nothing was recorded"
    return f"{evidence.stage}: {said}" if evidence.stage else said


def _sentence(check: Check | GuardCheck) -> str:
    detail = f" ({check.detail})" if check.detail else ""
    return f"{check.name}: expected {check.expected}, found {check.found}{detail}"


def _failure(category: str, evidence: str) -> Failure:
    return Failure(category, CATEGORIES[category].attribution, evidence[:MAX_EVIDENCE])
