"""The contract of inspect: one file per sample in; its trees, branches, types and entries out."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from itertools import accumulate, zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any, SupportsIndex

from executors.base import is_remote
from pipeline.data.fetch.faults import FetchError
from pipeline.data.parts import may_be_read
from pipeline.data.probe import Problem, count_entries
from pipeline.data.remote import local_copies
from pipeline.files import read_json, write_json
from pipeline.settings import Settings
from pipeline.stages.contract import ContractError, StageContext

SUMMARY_FILE = "summary.json"
MOST_COPIED = 20e9
"""Bytes of streamed files that are copied to be inspected: of 2024r-pp one file of each of 317 runs
is some hundred gigabytes."""
Files = list[Any]


class InspectContract:
    """`inspect(path) -> {"trees": {name: {"entries": n, "branches": {branch: type}}}}`."""

    stage = "inspect"
    defines: Mapping[str, tuple[str, ...] | None] = {"inspect": ("path",)}

    def arguments(self, context: StageContext) -> dict[str, Any]:
        """The first readable file of every sample that has one: `{"paths": {sample: path}}`.

        Where files are counted by the jobs of convert, those that are given are opened here.

        A solution reaches no network: a file that is streamed is copied for it, once, for as many
        samples as MOST_COPIED allows. If its bytes are not those of the manifest the next file of
        the sample is given.
        """
        readable = {
            name: [f for f in sample["files"] if may_be_read(context.fileset, f)]
            for name, sample in sorted(context.fileset["samples"].items())
        }
        readable = _affordable(readable, context.fileset["samples"])
        paths: dict[str, Any] = {}
        while waiting := {n: files[0] for n, files in readable.items() if files and n not in paths}:
            try:
                copies = local_copies(context.settings, list(waiting.values()))
            except FetchError as error:
                bad = {failure.uri for failure in error.failures if failure.content}
                if not bad:
                    raise
                readable = {
                    n: [f for f in files if f["uri"] not in bad] for n, files in readable.items()
                }
            else:
                for name, file in waiting.items():
                    path = copies[file["path"]]
                    if context.fileset.get("counted", True) or _opens(path, context.fileset):
                        paths[name] = path
                    else:
                        readable[name].remove(file)
        return {"paths": {name: paths[name] for name in readable if name in paths}}

    def call(self, solution: ModuleType, arguments: Mapping[str, Any]) -> Any:
        """Call `solution.inspect` once per sample."""
        return {name: solution.inspect(path) for name, path in arguments["paths"].items()}

    def accept(self, result: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Sample -> summary, of plain types; ContractError says which sample is not as asked."""
        return {name: _summary(name, result[name]) for name in sorted(arguments["paths"])}

    def write(self, product: Mapping[str, Any], folder: Path) -> None:
        """Keep the summaries of all samples in `summary.json`."""
        write_json(folder / SUMMARY_FILE, product)

    def read(self, folder: Path) -> dict[str, Any]:
        """What `write` kept."""
        summaries: dict[str, Any] = read_json(folder / SUMMARY_FILE)
        return summaries


def _affordable(
    readable: Mapping[str, Files], samples: Mapping[str, Mapping[str, Any]]
) -> dict[str, Files]:
    """The samples without those whose files would be copied beyond MOST_COPIED.

    Data and simulation take turns, each in the order of the names; one of each is always there.
    """
    far = {n: files[0]["size"] for n, files in readable.items() if _is_far(files)}
    kinds = [[n for n in far if samples[n]["kind"] == kind] for kind in ("data", "mc")]
    turns = [name for pair in zip_longest(*kinds) for name in pair if name is not None]
    sums = accumulate(far[name] for name in turns)
    first = {names[0] for names in kinds if names}
    within = zip(turns, sums, strict=True)
    kept = first | {name for name, so_far in within if so_far <= MOST_COPIED}
    if left := len(far) - len(kept):
        print(
            f"ladon: {left} of {len(far)} samples with streamed files are not inspected: one file "
            f"of each would be more than {MOST_COPIED / 1e9:g} GB to copy",
            flush=True,
        )
    return {n: files for n, files in readable.items() if n not in far or n in kept}


def _is_far(files: Files) -> bool:
    return bool(files) and is_remote(str(files[0]["path"]))


def _opens(path: Path | str, fileset: Mapping[str, Any]) -> bool:
    """Whether a file that nobody has opened yet can be read, whatever a manifest says of it."""
    return Path(path).is_file() and not isinstance(count_entries(path, fileset["tree"]), Problem)


def _summary(sample: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not isinstance(given.get("trees"), Mapping):
        raise ContractError(
            f"expected inspect() to return a dict with a dict 'trees', found {_shown(given)} for "
            f"sample {sample}"
        )
    return {
        "trees": {str(name): _tree(sample, name, tree) for name, tree in given["trees"].items()}
    }


def _tree(sample: str, name: object, given: Any) -> dict[str, Any]:
    where = f"tree {name!r} of sample {sample}"
    if not isinstance(given, Mapping):
        raise ContractError(f"expected a dict for {where}, found {_shown(given)}")
    entries, branches = given.get("entries"), given.get("branches")
    if isinstance(entries, bool) or not isinstance(entries, SupportsIndex):
        raise ContractError(
            f"expected a whole number of 'entries' for {where}, found {_shown(entries)}"
        )
    if not isinstance(branches, Mapping):
        raise ContractError(
            f"expected a dict 'branches' of name -> type for {where}, found {_shown(branches)}"
        )
    return {
        "entries": operator.index(entries),
        "branches": {str(branch): str(kind) for branch, kind in branches.items()},
    }


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def blocked(context: StageContext) -> str | None:
    """Why there is nothing to inspect, or None."""
    samples = context.fileset["samples"].values()
    if any(may_be_read(context.fileset, f) for sample in samples for f in sample["files"]):
        return None
    return "not one file of the samples can be read; the notes of the fileset say why"


def task_variables(settings: Settings) -> dict[str, Any]:
    """What `task.md` needs."""
    return {"release": settings.data.release, "skim": settings.channel.skim}


CONTRACT = InspectContract()
