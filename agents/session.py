"""The only way from the loop to a model or a bench: through the limits and onto the record."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from agents.chat import Call, ChatModel, Message, Reply, Role, answer_of, call_seed
from agents.errors import AgentError, ReplyError, WorkbenchError
from agents.evidence import Evidence
from agents.limits import Limits, Spent, check_limits
from agents.outcome import Outcome
from agents.prompting import repair
from agents.replies import Fault
from agents.task import Task, Workbench
from agents.trajectory import TRAJECTORY_SCHEMA, Trajectory

REPAIRS = 1
"""Times that a model is shown why its reply could not be read, per thing that it is asked for."""

Answer = TypeVar("Answer")


@dataclass
class Session:
    """The calls and tries of one stage, and what they have cost."""

    task: Task
    models: Mapping[Role, ChatModel]
    bench: Workbench
    trajectory: Trajectory
    limits: Limits
    seed: int
    spent: Spent = field(default_factory=Spent)

    def begin(self) -> None:
        """Record what this stage is: task, models, limits, seed."""
        self.trajectory.record(
            "start",
            {
                "schema": TRAJECTORY_SCHEMA,
                "stage": self.task.stage,
                "task_sha256": self.task.sha256,
                "models": {role: dict(model.identity) for role, model in self.models.items()},
                "limits": asdict(self.limits),
                "seed": self.seed,
            },
        )

    def begin_round(self) -> None:
        """Count a round."""
        self.spent = replace(self.spent, rounds=self.spent.rounds + 1)

    def ask(
        self,
        role: Role,
        messages: tuple[Message, ...],
        read: Callable[[str], Answer | Fault],
        schema: Mapping[str, Any] | None = None,
    ) -> Answer | Fault:
        """What `read` makes of the model's answer, or the fault that is left after one repair.

        A reply that cannot be read is sent back with the sentence that says why. One that is
        cut, refused or empty is not: its fault ends the question. Raises LimitReached before a
        call that a limit forbids, and EndpointError and the like where there is no reply.
        """
        repairs = 0
        while True:
            reply = self._call(role, messages, schema)
            try:
                answer = read(answer_of(reply))
            except ReplyError as error:
                return Fault(error.kind, str(error), error.category)
            if not isinstance(answer, Fault) or repairs == REPAIRS:
                return answer
            repairs += 1
            messages = repair(messages, reply.text, answer.sentence)

    def try_solution(self, code: str) -> Evidence:
        """What trying `code` showed, from the bench or from the record.

        Raises WorkbenchError if the bench failed and not the code.
        """
        self.trajectory.record(
            "candidate",
            {
                "round": self.spent.rounds,
                "code": code,
                "code_sha256": hashlib.sha256(code.encode()).hexdigest(),
            },
        )
        found = self.trajectory.recall("evidence")
        if found is not None:
            shown = found.content
            taken = float(found.circumstances["wall_s"])
        else:
            started = time.monotonic()
            shown = self._tried(code).to_dict()
            taken = round(time.monotonic() - started, 3)
            self.trajectory.record("evidence", shown, {"wall_s": taken})
        self.spent = replace(self.spent, bench_s=self.spent.bench_s + taken)
        return Evidence.from_dict(shown)  # read back in both cases: a resume sees the same

    def end(self, outcome: Outcome) -> None:
        """Record how the stage ended."""
        timing = {"wall_s": outcome.wall_s, "cost": outcome.cost}
        self.trajectory.record("outcome", outcome.content(), timing)

    def _call(
        self, role: Role, messages: tuple[Message, ...], schema: Mapping[str, Any] | None
    ) -> Reply:
        check_limits(self.limits, self.spent)
        call = Call(self.task.stage, role, self.spent.rounds, self.spent.calls + 1)
        seed = call_seed(self.seed, call)
        asked = [asdict(message) for message in messages]
        self.trajectory.record(
            "request", {**asdict(call), "seed": seed, "messages": asked, "schema": schema}
        )
        found = self.trajectory.recall("reply")
        if found is not None:
            reply = Reply.from_record(found.content, found.circumstances)
        else:
            try:
                reply = self.models[role].complete(messages, schema=schema, seed=seed, call=call)
            except AgentError as error:
                self._note(error)
                raise
            self.trajectory.record("reply", *reply.to_record())
        self.spent = replace(
            self.spent,
            calls=self.spent.calls + 1,
            tokens=self.spent.tokens + reply.usage,
            model_s=self.spent.model_s + reply.wall_s,
        )
        return reply

    def _tried(self, code: str) -> Evidence:
        try:
            evidence = self.bench.try_solution(code)
            if evidence.attribution not in (None, "model"):
                raise WorkbenchError(
                    f"expected the bench to try a solution, found {evidence.headline}",
                    evidence.attribution,
                )
        except AgentError as error:
            self._note(error)
            raise
        return evidence

    def _note(self, error: AgentError) -> None:
        self.trajectory.note(
            "fault",
            {
                "error": type(error).__name__,
                "message": str(error),
                "attribution": error.attribution,
            },
        )
