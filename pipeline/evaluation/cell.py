"""A cell: one stage of one point of a sweep, with everything that is measured on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["passed", "failed", "not_reached", "reference", "missing"]
"""missing: not computed yet (a partial sweep), or ended in an error that is nobody's result."""


@dataclass(frozen=True)
class CellFailure:
    """Why a cell failed, in the words of the taxonomy (pipeline.judge.taxonomy)."""

    category: str
    cause: str
    """Category of the last error itself where `category` says how the loop ended; else the same."""
    attribution: str
    evidence: str

    @property
    def counts(self) -> bool:
        """Whether it counts against the model; what harness, endpoint or data did does not."""
        return self.attribution == "model"


@dataclass(frozen=True)
class Cell:
    """One stage of one point; None where something is not known or does not exist."""

    point: str
    stage: str
    model: str
    """What was asked: the name of the model's configuration; `reference` for our own solutions."""
    setting: str
    """What varies in the sweep beside model, stages and trial, e.g. `chain=isolated`; may be ''."""
    trial: int
    scripted: bool
    """Its replies were written by people: no language model."""
    outcome: Outcome
    rung: str | None
    failure: CellFailure | None
    rounds: int
    api_calls: int
    calls_lost: int
    """Calls of rounds that were not accepted: work that went into failures."""
    prompt_tokens: int
    completion_tokens: int
    agent_s: float
    """Wall time of the dialogue, trial executions included."""
    execute_s: float
    """Wall time of running the frozen solution over the data."""
    cost: float | None
    """As recorded with the prices of the model's configuration; None where it has no prices."""
    gpu_s: float | None
    energy_j: float | None
    hint_violations: int
    code_sha256: str | None
    """Of the frozen solution; None where none was accepted."""
    output_sha256: str | None
    """Of all output files of the execution; None where there is none."""
    shared: bool
    """The output was taken over from an execution of the same code on the same inputs."""
    quantities: dict[str, float]
    """Physics of the output: some of auc, significance, mu, selected."""
    reference: dict[str, float]
    """The same of the reference."""

    @property
    def config(self) -> str:
        """What is compared: the model, with what else varies."""
        return f"{self.model} · {self.setting}" if self.setting else self.model

    @property
    def rated(self) -> bool:
        """Whether it enters the model's rates: it came to an end that is the model's own doing."""
        if self.outcome == "passed":
            return True
        return self.outcome == "failed" and self.failure is not None and self.failure.counts
