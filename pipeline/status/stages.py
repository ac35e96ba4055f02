"""The graph of a run: for every owner and stage, which steps are done, under way, or wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.status.dialogue import Dialogues
from pipeline.status.flight import Flight
from pipeline.status.reading import Reader, mtime_of, names_in, number_in
from pipeline.status.snapshot import Owner, Spent, Stage, Step, StepState
from pipeline.workflow.layout import Layout

ERRORS = Path("logs") / "errors"
"""Where steps leave the sentence of their fault (pipeline.steps.errors)."""


@dataclass(frozen=True)
class Moment:
    """What is known of the whole run when its stages are looked at."""

    flights: dict[str, Flight]
    """What is under way; empty if nobody runs the graph."""
    pending: frozenset[str]
    """SLURM jobs that have not begun."""
    errors: frozenset[str]
    """Names of the files in logs/errors, without their ending."""


@dataclass
class Stages:
    """The owners of a run. One that is complete is not looked at again while one start lasts."""

    run: Path
    reader: Reader
    dialogues: Dialogues
    _complete: dict[str, Owner] = field(default_factory=dict)
    _start: float | None = None

    def owners(self, layout: Layout, moment: Moment, start: float | None) -> tuple[Owner, ...]:
        """References, then points; `start` tells one start of the run from the next."""
        if start != self._start:
            self._complete.clear()
            self._start = start
        keys = dict.fromkeys(point.reference for point in layout.points)
        names = [(f"reference/{key}", layout.reference_stages(key)) for key in keys]
        names += [(f"points/{point.name}", point.stages) for point in layout.points]
        return tuple(self._owner(name, stages, moment) for name, stages in names)

    def _owner(self, name: str, stages: tuple[str, ...], moment: Moment) -> Owner:
        known = self._complete.get(name)
        if known is not None:
            return known
        begun = set(names_in(self.run / name))
        found = tuple(self._stage(name, stage, stage in begun, moment) for stage in stages)
        if name.startswith("points/"):
            collected = "results.json" in begun
        else:
            collected = all(stage.execute.state in ("done", "skipped") for stage in found)
        owner = Owner(name, found, collected)
        if collected and owner.state in ("done", "failed"):
            self._complete[name] = owner
        return owner

    def _stage(self, owner: str, stage: str, begun: bool, moment: Moment) -> Stage:
        folder = self.run / owner / stage
        attempts = self.reader.json(folder / "attempts.json") if begun else None
        record = self.reader.json(folder / "record.json") if begun else None
        timing = self.reader.json(folder / "timing.json") if begun else None
        judged = owner.startswith("points/")
        verdict = self.reader.json(folder / "verdict.json") if begun and judged else None
        told = self.dialogues.of(owner, stage) if attempts is None and judged else None
        return Stage(
            stage=stage,
            solve=self._step(owner, stage, ("solve", "adopt"), _solved(attempts), moment),
            execute=self._step(owner, stage, ("execute",), _executed(record), moment),
            judge=self._step(owner, stage, ("judge",), _judged(verdict), moment)
            if judged
            else None,
            doing=told.doing if told else None,
            rounds=told.rounds if told else int(number_in(attempts or {}, "rounds") or 0),
            spent=told.spent if told else _spent(attempts or {}),
            outcome=_text(verdict, "outcome"),
            rung=_text(verdict, "rung"),
            failure=_failure(attempts, record, verdict),
            wall_s=_wall_s(attempts, timing),
            memory_mb=number_in(timing or {}, "max_rss_mb"),
        )

    def _step(
        self,
        owner: str,
        stage: str,
        steps: tuple[str, ...],
        done: StepState | None,
        moment: Moment,
    ) -> Step:
        """A step that is over is what `done` says; else it is under way, at fault, or waits."""
        if done is not None:
            return Step(done)
        flight = moment.flights.get(f"{owner}/{stage}/{_OUTPUT[steps[0]]}")
        of = owner.removeprefix("points/") if steps == ("judge",) else owner
        fault = next((n for s in steps if (n := error_name(s, of, stage)) in moment.errors), None)
        if fault is not None:
            at = mtime_of(self.run / ERRORS / f"{fault}.json")
            if flight is None or (at is not None and at > flight.since):
                return Step("error")
        if flight is None:
            return Step()
        return Step(
            "queued" if flight.job in moment.pending else "running", flight.since, flight.job
        )


_OUTPUT = {"solve": "solution.py", "execute": "record.json", "judge": "verdict.json"}


def error_name(step: str, owner: str, stage: str) -> str:
    """Name, without its ending, of the file in logs/errors where a step says what went wrong."""
    return f"{step}-{owner}-{stage}".replace("/", "-")


def _solved(attempts: dict[str, Any] | None) -> StepState | None:
    if attempts is None:
        return None
    if attempts.get("failure"):
        return "failed"
    asked = not any(str(note).startswith("not asked: ") for note in attempts.get("notes") or ())
    return "done" if asked else "skipped"


def _executed(record: dict[str, Any] | None) -> StepState | None:
    if record is None:
        return None
    states: dict[str, StepState] = {"ok": "done", "failed": "failed"}
    return states.get(str(record.get("status")), "skipped")


def _judged(verdict: dict[str, Any] | None) -> StepState | None:
    if verdict is None:
        return None
    states: dict[str, StepState] = {"failed": "failed", "not_reached": "skipped"}
    return states.get(str(verdict.get("outcome")), "done")


def _spent(attempts: dict[str, Any]) -> Spent:
    tokens = attempts.get("tokens")
    tokens = tokens if isinstance(tokens, dict) else {}
    calls = int(number_in(attempts, "api_calls") or 0)
    return Spent(calls, *(int(number_in(tokens, n) or 0) for n in ("prompt", "completion")))


def _failure(
    attempts: dict[str, Any] | None, record: dict[str, Any] | None, verdict: dict[str, Any] | None
) -> str | None:
    """The category of the failure; why nothing was done, where nothing was."""
    for told, name in ((verdict, "category"), (attempts, "category"), (record, "kind")):
        failure = (told or {}).get("failure")
        if isinstance(failure, dict) and failure.get(name):
            return str(failure[name])
    return _text(record, "reason")


def _wall_s(attempts: dict[str, Any] | None, timing: dict[str, Any] | None) -> float | None:
    if attempts is None:
        return None
    return sum(number_in(told or {}, "wall_s") or 0.0 for told in (attempts, timing))


def _text(content: dict[str, Any] | None, name: str) -> str | None:
    value = (content or {}).get(name)
    return None if value is None else str(value)
