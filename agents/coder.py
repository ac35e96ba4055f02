"""The coder: writes the module of a stage, one fenced block per round."""

from __future__ import annotations

from agents.prompting import prompt
from agents.replies import Fault, python_block
from agents.rounds import Advice, History
from agents.session import Session


class Coder:
    """One stage's coder."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def write(self, advice: Advice, history: History) -> str | Fault:
        """The module of this round, or why the reply holds none."""
        rounds = history.rounds
        messages = prompt(
            "write",
            self._session.task,
            number=self._session.spent.rounds,
            max_rounds=self._session.limits.max_rounds,
            earlier=rounds[:-1],
            code=rounds[-1].code if rounds else None,
            evidence=rounds[-1].evidence if rounds else None,
            reasons=advice.reasons,
            instructions=advice.instructions,
            pitfalls=advice.pitfalls,
        )
        return self._session.ask("coder", messages, python_block)
