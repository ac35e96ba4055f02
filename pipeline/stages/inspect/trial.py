"""Trying a solution of inspect: a file of data and one of simulation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agents.evidence import Finding
from pipeline.data.probe import Problem, count_entries
from pipeline.data.schema import door
from pipeline.settings import Settings
from pipeline.stages.contract import StageContext
from pipeline.stages.inspect.contract import CONTRACT
from pipeline.stages.inspect.hints import hints
from pipeline.stages.trial import Slice, StageHint, at_least_one, equal, holds

IDENTITY = ("runNumber", "eventNumber", "channelNumber")
"""Variables that the events of every release have."""
CONTAINERS = ("vector", "rvec", "[", "list", "jagged", "*")
"""Parts of a type's name that say: several values per event."""


class InspectTrial:
    """Slices, findings and hints of inspect."""

    def slices(self, context: StageContext) -> Iterator[Slice]:
        """The first readable file of data, and that of simulation."""
        return at_least_one(_slices(context), "inspect", "a readable file")

    def findings(self, given: Slice, product: Any, context: StageContext) -> list[Finding]:
        """The tree of the events is there, not empty, with branches that have types."""
        (sample,) = given.arguments["paths"]
        trees = product[sample]["trees"]
        name = context.fileset["tree"]
        if name not in trees:
            said = ", ".join(trees) or "no tree"
            return [Finding("the tree of the events is found", False, name, said)]
        entries, branches = trees[name]["entries"], trees[name]["branches"]
        said = "as many as the fileset says" if entries == _known(given, context) else str(entries)
        way = door(context.settings.data.release)
        identity = [b for b in way.physical(IDENTITY) if b not in way.optional]
        lacking = [f"no {branch}" for branch in identity if branch not in branches]
        strange = [f"{b!r} is {k!r}" for b, k in branches.items() if not _is_type(k)]
        lists = any(part in kind.lower() for kind in branches.values() for part in CONTAINERS)
        cycles = [f"{tree!r}" for tree in trees if ";" in tree]
        return [
            equal("the tree of the events is found", name, name),
            equal("entries", "as many as the fileset says", said),
            holds("branches that every event has", lacking, ", ".join(identity)),
            holds("every branch has the name of a type", strange, "names of types"),
            Finding("some branches hold lists", lists, "a type of several values per event",
                    "one" if lists else "none of them does"),
            holds("trees are named without their cycle", cycles, "no `;`"),
        ]  # fmt: skip

    def hints(self, settings: Settings) -> tuple[StageHint, ...]:
        """Read the header alone, and close what was opened."""
        return hints(settings)


TRIAL = InspectTrial()


def _slices(context: StageContext) -> Iterator[Slice]:
    paths = CONTRACT.arguments(context)["paths"]
    samples: Mapping[str, Any] = context.fileset["samples"]
    for kind in ("data", "mc"):
        names = [name for name in sorted(paths) if samples[name]["kind"] == kind]
        if names:
            title = f"{names[0]}, first file"
            yield Slice(title, {"paths": {names[0]: paths[names[0]]}})


def _known(given: Slice, context: StageContext) -> int | None:
    """Entries of the slice's file, as the fileset counted them; counted here where it did not."""
    ((sample, path),) = given.arguments["paths"].items()
    if context.fileset.get("counted", True):
        files = context.fileset["samples"][sample]["files"]
        return next(int(f["entries"]) for f in files if f["entries"] is not None)
    counted = count_entries(path, context.fileset["tree"])
    return None if isinstance(counted, Problem) else counted


def _is_type(kind: str) -> bool:
    """Whether a text may be the name of a type: it begins with a letter and is no `None`."""
    text = kind.strip()
    return bool(text) and (text[0].isalpha() or text[0] == "_") and text not in ("None", "unknown")
