"""What happened to a stage that did not pass, and the evidence of it."""

from __future__ import annotations

import re
from typing import Any

from agents.evidence import Evidence
from pipeline.explain.files import StageFiles
from pipeline.explain.story import CodeLine, Miss, State
from pipeline.judge.verdict import Failure

AROUND = 3
"""Lines of code shown before and after the one that failed."""
LAST_LINES = 10
MAX_SENTENCE = 400
_AT = re.compile(r'File "[^"]*solution[^"]*\.py", line (\d+)')
_STOPPED = {
    "max_rounds": "no module was accepted in {rounds}; the last one: {said}",
    "no_progress": "the same error came back round after round, until the loop stopped after "
    "{rounds}: {said}",
    "limit": "a limit was reached after {rounds}: {said}",
}


def details(files: StageFiles, state: State, failure: Failure | None) -> dict[str, Any]:
    """What happened, and the evidence of it, by how far the stage came: parts of a StageStory."""
    record, attempts = files.record or {}, files.attempts or {}
    if state == "not_reached":
        reason = record.get("reason") or "a stage before it has no output"
        blocked = record.get("status") == "blocked"
        said = "it cannot run on these data" if blocked else "it was not run"
        return {"happened": f"{said}: {reason}"}
    if state == "unfinished":
        return {"happened": _unfinished(files)}
    if attempts.get("failure"):
        return _of_the_loop(files, attempts)
    if record.get("status") == "failed" and record.get("failure"):
        return _of_execution(files, record["failure"])
    verdict = files.verdict or {}
    if verdict.get("checks") or verdict.get("guard"):
        return _of_the_judge(files, verdict)
    said = failure.evidence if failure is not None else "nothing was recorded"
    return {"happened": f"it failed: {_short(said)}"}


def _unfinished(files: StageFiles) -> str:
    if files.record is not None:
        return "its solution was run over everything, and is not judged yet"
    if files.attempts is not None:
        return "its solution is frozen, and has not been run over everything yet"
    rounds = len(files.dialogue.rounds)
    return (
        f"its solution is being written: {_counted(files.dialogue.calls, 'reply')} kept, in "
        f"{_counted(rounds, 'round')}"
    )


def _of_the_loop(files: StageFiles, attempts: dict[str, Any]) -> dict[str, Any]:
    """The rounds ended without a module: the last one that was tried says why."""
    last = files.dialogue.rounds[-1] if files.dialogue.rounds else None
    tried = [r for r in files.dialogue.rounds if r.evidence is not None]
    shown = tried[-1] if tried else last
    evidence = shown.evidence if shown is not None else None
    said = evidence.headline if evidence is not None else str(attempts["failure"]["evidence"])
    if attempts.get("stopped") == "limit":
        said = str(attempts["failure"]["evidence"])
    rounds = _counted(int(attempts.get("rounds", 0)), "round")
    words = _STOPPED.get(str(attempts.get("stopped")), "no module was accepted: {said}")
    found: dict[str, Any] = {"happened": words.format(rounds=rounds, said=_short(said))}
    if shown is None or evidence is None:
        return found
    code = _around(shown.code or "", evidence.line)
    return {**found, "round": shown.number, **_of_evidence(evidence), "code": code}


def _of_evidence(evidence: Evidence) -> dict[str, Any]:
    printed = "\n".join(t for t in (evidence.stdout.strip(), evidence.stderr.strip()) if t)
    return {
        "exception": evidence.exception or evidence.signal,
        "message": evidence.message,
        "line": evidence.line,
        "misses": tuple(Miss(f.name, f.expected, f.found) for f in evidence.failed_findings),
        "output": _last(printed),
    }


def _of_execution(files: StageFiles, failure: dict[str, Any]) -> dict[str, Any]:
    """The frozen module raised, or was ended, when it ran over everything."""
    kind, message = str(failure.get("kind") or ""), str(failure.get("message") or "")
    message = message.removeprefix(f"{kind}: ")
    traceback = files.text("failure.txt") or str(failure.get("traceback") or "")
    places = _AT.findall(traceback)
    line = failure.get("line") or (int(places[-1]) if places else None)
    accepted = files.accepted
    since = f"that was accepted in round {accepted.number} " if accepted is not None else ""
    return {
        "happened": f"the module {since}failed when it ran over everything: "
        f"{_short(f'{kind}: {message}' if kind else message)}",
        "round": accepted.number if accepted is not None else None,
        "exception": kind,
        "message": message,
        "line": line,
        "code": _around(files.text("solution.py"), line),
        "output": _last(traceback),
    }


def _of_the_judge(files: StageFiles, verdict: dict[str, Any]) -> dict[str, Any]:
    """The module ran, and what it made is not accepted."""
    made = [*verdict["checks"], *verdict["guard"]]
    failed = [check for check in made if not check["passed"]]
    required = [check for check in failed if check.get("rung") is None]
    accepted = files.accepted
    since = f" that was accepted in round {accepted.number}" if accepted is not None else ""
    why = (
        f"{len(required)} of its requirements and guards failed"
        if required
        else "it agrees with the reference on no rung of the ladder"
    )
    telling = required or [check for check in failed if check.get("rung") != "exact"] or failed
    return {
        "happened": f"the module{since} ran over everything, and the judge did not accept what it "
        f"made: {why}",
        "round": accepted.number if accepted is not None else None,
        "misses": tuple(
            Miss(check["name"], str(check["expected"]), _found(check)) for check in telling
        ),
    }


def _found(check: dict[str, Any]) -> str:
    detail = f" ({check['detail']})" if check.get("detail") else ""
    return f"{check['found']}{detail}"


def _around(code: str, line: int | None) -> tuple[CodeLine, ...]:
    """The lines of `code` around number `line`; none if that is not one of them."""
    lines = code.splitlines()
    if line is None or not 1 <= line <= len(lines):
        return ()
    numbers = range(max(1, line - AROUND), min(len(lines), line + AROUND) + 1)
    return tuple(CodeLine(n, lines[n - 1], n == line) for n in numbers)


def _last(text: str) -> tuple[str, ...]:
    return tuple(text.rstrip().splitlines()[-LAST_LINES:])


def _short(text: str) -> str:
    """`text` as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_SENTENCE else f"{line[:MAX_SENTENCE]} [...]"


def _counted(number: int, noun: str) -> str:
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun}"
