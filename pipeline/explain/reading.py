"""Reading a run directory for what did not pass: one story per stage, one entry per fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.explain.stage import story_of
from pipeline.explain.story import Explanation, StageStory, StepFault
from pipeline.files import RunFileError, read_json
from pipeline.judge.classification import Evidence, classify_failure
from pipeline.workflow.layout import Layout

ERRORS = "logs/errors"


class NoRunError(FileNotFoundError):
    """A folder holds no run."""


def explain(run: Path) -> Explanation:
    """What there is to tell of the run in the folder `run`, finished or not.

    Files that are not there, or cannot be read, become remarks. Raises NoRunError if `run` has no
    `sweep.json`, and RunFileError if that is not JSON.
    """
    if not (run / "sweep.json").is_file():
        raise NoRunError(
            f"expected a run in {run}, found no sweep.json there; name one with run.name=NAME and "
            "its place with run.outputs=PATH"
        )
    layout = Layout.load(run / "sweep.json")
    stories: list[StageStory] = []
    for plan in layout.points:
        found = (story_of(run, plan, stage) for stage in plan.stages)
        stories += [story for story in found if story is not None]
    expected = layout.expected()
    return Explanation(
        run=layout.run,
        stories=tuple(stories),
        faults=read_faults(run),
        missing=tuple(name for name in expected if not (run / name).exists()),
        expected=len(expected),
        stages=sum(len(plan.stages) for plan in layout.points),
        solvers=tuple(dict.fromkeys(plan.solver for plan in layout.points)),
    )


def read_faults(run: Path) -> tuple[StepFault, ...]:
    """The faults that steps of the last start of a run ended with."""
    found = []
    for path in sorted((run / ERRORS).glob("*.json")):
        file = path.relative_to(run).as_posix()
        try:
            told = read_json(path)
        except RunFileError as error:
            told = {"step": path.stem, "sentence": str(error), "type": "RunFileError"}
        found.append(_fault(told, file))
    return tuple(found)


def _fault(told: dict[str, Any], file: str) -> StepFault:
    """A fault with its attribution; where the step gave none, rules over its words decide.

    A step that stops is never the model's failure: what no rule knows is the harness's.
    """
    kind, sentence = str(told.get("type", "")), str(told.get("sentence", ""))
    ruled = classify_failure(Evidence(kind, sentence))
    blamed = ruled.attribution != "model"
    return StepFault(
        step=str(told.get("step", Path(file).stem)),
        sentence=sentence or "no sentence was kept",
        kind=kind,
        category=str(told.get("category") or (ruled.category if blamed else "other")),
        attribution=str(told.get("attribution") or (ruled.attribution if blamed else "harness")),
        log=str(told.get("log", "")),
        file=file,
    )
