"""What is told of a run that is not green: stages, faults of steps, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pipeline.judge.taxonomy import CATEGORIES, Category
from pipeline.judge.verdict import Failure

State = Literal["failed", "not_reached", "unfinished"]


@dataclass(frozen=True)
class StepFault:
    """A step that could not do its part: the fault of endpoint, infrastructure, data or harness."""

    step: str
    sentence: str
    kind: str
    """Class of the exception."""
    category: str
    attribution: str
    log: str
    file: str
    """Where this was read, relative to the run."""


@dataclass(frozen=True)
class CodeLine:
    """A line of a solution; `here` is the one that the error came from."""

    number: int
    text: str
    here: bool


@dataclass(frozen=True)
class Miss:
    """A check, guard or finding that failed."""

    name: str
    expected: str
    found: str


@dataclass(frozen=True)
class Spending:
    """What it took to write the solution."""

    rounds: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    wall_s: float


@dataclass(frozen=True)
class StageStory:
    """One stage that failed, was not reached, or is not finished; empty parts are not known."""

    point: str
    stage: str
    state: State
    happened: str
    """One sentence."""
    round: int | None = None
    """The round that the evidence is of."""
    exception: str = ""
    message: str = ""
    line: int | None = None
    code: tuple[CodeLine, ...] = ()
    misses: tuple[Miss, ...] = ()
    output: tuple[str, ...] = ()
    """The last lines that the solution printed, or of its traceback."""
    failure: Failure | None = None
    cause: str | None = None
    """Category of the last error, where the failure says how the loop ended."""
    hint_violations: tuple[str, ...] = ()
    supervisor_errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    spent: Spending | None = None
    where: tuple[str, ...] = ()
    """Files to look at, relative to the run."""
    remarks: tuple[str, ...] = ()
    """What could not be told, and why."""

    @property
    def category(self) -> Category | None:
        """The failure's category with its meaning and the study's kind, if it is a known one."""
        return CATEGORIES.get(self.failure.category) if self.failure is not None else None


@dataclass(frozen=True)
class Explanation:
    """Everything that is to be told of one run."""

    run: str
    stories: tuple[StageStory, ...] = ()
    faults: tuple[StepFault, ...] = ()
    missing: tuple[str, ...] = ()
    """Files that the graph has still to make."""
    expected: int = 0
    """Files that the graph makes altogether."""
    stages: int = 0
    solvers: tuple[str, ...] = field(default=())

    @property
    def finished(self) -> bool:
        return not self.missing

    @property
    def green(self) -> bool:
        """Whether there is nothing to explain."""
        return self.finished and not self.stories and not self.faults
