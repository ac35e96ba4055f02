"""A model that answers from a recorded trajectory, bit for bit, and only what was asked then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.chat import Call, Message, Reply, Role, first_difference
from agents.errors import ReplayMismatch
from agents.trajectory import Entry, read_entries


class ReplayModel:
    """Gives each call of a stage the reply that the file `path` holds for it."""

    def __init__(self, path: Path | str, role: Role = "coder") -> None:
        """Read the trajectory; `role` chooses whose identity this model takes, if they differ.

        Raises TrajectoryError if the file is damaged, ReplayMismatch if it has no beginning.
        """
        self.path = Path(path)
        entries = read_entries(self.path)
        start = next((entry for entry in entries if entry.kind == "start"), None)
        if start is None:
            raise ReplayMismatch(
                f"expected a recorded trajectory in '{self.path}', found no beginning; only "
                "stages that a model solved can be replayed"
            )
        self._identity: Mapping[str, Any] = start.content["models"][role]
        self._calls = dict(_answered(entries))

    @property
    def identity(self) -> Mapping[str, Any]:
        """The identity of the model that was recorded."""
        return self._identity

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        seed: int,
        call: Call | None = None,
    ) -> Reply:
        """The recorded reply; ReplayMismatch says what differs from the recorded request."""
        recorded = self._calls.get(call.number) if call is not None else None
        if call is None or recorded is None:
            which = "a call" if call is None else f"call {call.number} ({call.role})"
            raise ReplayMismatch(
                f"expected {which} among the {len(self._calls)} recorded in '{self.path}', found "
                "none; the run that was recorded did not ask this"
            )
        request, reply = recorded
        difference = _difference(request.content, messages, schema, seed, call)
        if difference:
            raise ReplayMismatch(
                f"expected call {call.number} ({call.role}) as recorded in '{self.path}', found "
                f"another one: {difference}"
            )
        return Reply.from_record(reply.content, reply.circumstances)


def _answered(entries: Sequence[Entry]) -> list[tuple[int, tuple[Entry, Entry]]]:
    """The requests that were answered, by their numbers, each with its reply."""
    pairs = []
    request: Entry | None = None
    for entry in entries:
        if entry.kind == "request":
            request = entry
        elif entry.kind == "reply" and request is not None:
            pairs.append((int(request.content["number"]), (request, entry)))
    return pairs


def _difference(
    recorded: Mapping[str, Any],
    messages: Sequence[Message],
    schema: Mapping[str, Any] | None,
    seed: int,
    call: Call,
) -> str:
    for name, found in {**asdict(call), "seed": seed, "schema": schema}.items():
        if recorded[name] != found:
            return f"{name} was {recorded[name]!r} and is {found!r}"
    return first_difference(recorded["messages"], [asdict(message) for message in messages])
