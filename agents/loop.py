"""The rounds of one stage: the supervisor instructs, the coder writes, the bench tries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agents.chat import ChatModel, Role
from agents.coder import Coder
from agents.errors import AgentError
from agents.limits import LimitReached, Limits
from agents.outcome import BY_EVIDENCE, Failure, Outcome, Stop
from agents.replies import Fault
from agents.rounds import Advice, History, Round, evidence_of
from agents.session import Session
from agents.supervisor import Supervisor
from agents.task import Task, Workbench
from agents.trajectory import Trajectory

GIVE_UP_AFTER = 3
"""Rounds that may end in the same error; the supervisor is told at the second."""


def solve(
    task: Task,
    bench: Workbench,
    model: ChatModel,
    trajectory: Path | str,
    *,
    limits: Limits | None = None,
    seed: int = 0,
    supervisor_model: ChatModel | None = None,
) -> Outcome:
    """Have the stage solved, or say why it was not.

    `model` codes, and supervises unless there is a `supervisor_model`. Each step is kept in the
    file `trajectory`; called again after a kill, this goes on from there. What a model cannot do
    is an outcome; what the endpoint or the bench cannot do is raised (EndpointError,
    WrongModelError, AuthenticationError, WorkbenchError): call again once it is mended.
    """
    with Trajectory(trajectory) as record:
        models: dict[Role, ChatModel] = {"supervisor": supervisor_model or model, "coder": model}
        session = Session(task, models, bench, record, limits or Limits(), seed)
        session.begin()
        supervisor, history = Supervisor(session), History()
        reached: LimitReached | None = None
        try:
            stop = _rounds(session, supervisor, Coder(session), history)
        except LimitReached as error:
            stop, reached = "limit", error
        outcome = _outcome(session, supervisor, history, stop, reached)
        session.end(outcome)
    return outcome


def _rounds(session: Session, supervisor: Supervisor, coder: Coder, history: History) -> Stop:
    """Round after round, until one is accepted or there is no point in another."""
    session.begin_round()
    advice = supervisor.instruct()
    while True:
        this = _round(session, coder, advice, history)
        history.add(this)
        if len(history.same_error()) + 1 >= GIVE_UP_AFTER:
            return "no_progress"
        is_last = this.number == session.limits.max_rounds
        if is_last and not this.evidence.ok:
            return "max_rounds"
        review = supervisor.review(history)
        if review.accepts and this.evidence.ok:
            return "accepted"
        if is_last:
            return "max_rounds"
        session.begin_round()
        advice = review.advice


def _round(session: Session, coder: Coder, advice: Advice, history: History) -> Round:
    number = session.spent.rounds
    candidate = coder.write(advice, history)
    if isinstance(candidate, Fault):
        return Round(number, None, evidence_of(candidate), advice)
    return Round(number, candidate, session.try_solution(candidate), advice)


def _outcome(
    session: Session,
    supervisor: Supervisor,
    history: History,
    stop: Stop,
    reached: AgentError | None,
) -> Outcome:
    """The outcome: what was accepted, else the last module whose evidence is ok, else a failure."""
    best = history.best
    notes = (BY_EVIDENCE,) if best is not None and stop != "accepted" else ()
    return Outcome(
        stage=session.task.stage,
        status="failed" if best is None else "accepted",
        stopped=stop,
        code=None if best is None else best.code,
        rounds=session.spent.rounds,
        api_calls=session.spent.calls,
        tokens=session.spent.tokens,
        wall_s=round(session.spent.wall_s, 3),
        cost=session.spent.cost(session.limits.prices),
        failure=_failure(history, stop, reached) if best is None else None,
        hint_violations=history.hint_violations,
        supervisor_errors=tuple(supervisor.errors),
        notes=notes,
    )


def _failure(history: History, stop: Stop, reached: AgentError | None) -> Failure:
    """Why no module was accepted.

    A reply without a solution keeps its own category however often it comes; for a solution that
    fails in the same way again and again that is `no progress`, with the error as its cause.
    """
    if reached is not None and not history.rounds:
        return Failure.of_error(reached)
    last = Failure.of_evidence(history.last.evidence)
    if reached is not None:
        failure = Failure.of_error(reached)
        said = f"{failure.evidence}; before that: {last.evidence}"
        return replace(failure, evidence=said, cause=last.category)
    if stop == "no_progress" and history.last.evidence.tried:
        rounds = [*history.same_error(), history.last.number]
        said = f"no progress: the same error in rounds {', '.join(map(str, rounds))}: "
        return Failure("no progress", "model", said + last.evidence, cause=last.category)
    return last
