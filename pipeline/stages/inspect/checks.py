"""How inspect is judged: trees, entries, branches and types against what uproot reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import uproot

from pipeline.data.schema import door
from pipeline.judge.guard import difference, same_twice
from pipeline.judge.judging import conclude
from pipeline.judge.request import JudgeRequest
from pipeline.judge.rerun import FrozenSolution, Solution
from pipeline.judge.verdict import Check, GuardCheck, Verdict
from pipeline.stages.inspect.contract import CONTRACT

Summary = Mapping[str, Any]
_SCALARS = {
    "bool": "bool", "bool_t": "bool", "boolean": "bool", "char": "int8", "char_t": "int8",
    "unsigned char": "uint8", "uchar_t": "uint8", "short": "int16", "short_t": "int16",
    "unsigned short": "uint16", "ushort_t": "uint16", "int": "int32", "int_t": "int32",
    "unsigned": "uint32", "unsigned int": "uint32", "uint_t": "uint32", "long": "int64",
    "long long": "int64", "long64_t": "int64", "unsigned long": "uint64",
    "unsigned long long": "uint64", "ulong64_t": "uint64", "float": "float32",
    "float_t": "float32", "double": "float64", "double_t": "float64", "string": "string",
    "str": "string", "char*": "string", "tstring": "string",
}  # fmt: skip
_LIST = re.compile(r"(?:std::|root::vecops::|ak::)*(?:vector|rvec|list)<(.*)>")
PROBE = "ladon_probe"
PROBE_TREES = 2


def judge(request: JudgeRequest) -> Verdict:
    """The verdict on inspect: what it said of each sample's file, held against the file."""
    paths = CONTRACT.arguments(request.context())["paths"]
    found = CONTRACT.read(request.output / "output")
    needed = _needed(request)
    checks: list[Check] = []
    for sample, path in paths.items():
        checks += against(sample, found.get(sample, {"trees": {}}), truth(path), needed)
    guard: list[GuardCheck] = []
    if request.solution_path is not None and paths:
        solution = FrozenSolution.of(request, CONTRACT)
        guard = fabrication(solution, min(paths.items()), request.output)
    if request.is_reference:
        checks = [_requirement(check) for check in checks if check.rung == "exact"]
    return conclude(request, checks, guard)


def truth(path: Path | str) -> Summary:
    """What uproot reads: trees by path, with their entries and the types of their branches."""
    trees = {}
    with uproot.open(path) as file:
        for name in file.keys(recursive=True, cycle=False, filter_classname="TTree"):
            tree = file[name]
            branches = {branch.name: str(branch.typename) for branch in tree.branches}
            trees[name] = {"entries": int(tree.num_entries), "branches": branches}
    return {"trees": trees}


def against(
    sample: str, found: Summary, right: Summary, needed: Mapping[str, set[str]]
) -> list[Check]:
    """The rungs for one file: everything equal, with normalised types; or what the channel needs.

    A type is compared in one spelling, so that `std::vector<float>`, `RVec<float>` and `float[]`
    are the same.
    """
    problems = list(_problems(found["trees"], right["trees"]))
    vital = list(_lacking(found["trees"], _only(right["trees"], needed)))
    said = "trees, entries, branches and types of the file"
    return [
        Check(f"{sample}: summary", not problems, said, _listed(problems) or said, "", "exact"),
        Check(f"{sample}: what the channel reads", not vital, "its entries and branches",
              _listed(vital) or "its entries and branches", "", "physics"),
    ]  # fmt: skip


def _problems(found: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[str]:
    """Every difference, as a phrase."""
    yield from _lacking(found, right)
    for name, tree in found.items():
        if name not in right:
            yield f"tree {name} is not in the file"
            continue
        known = right[name]["branches"]
        yield from (f"{name} has no branch {b}" for b in tree["branches"] if b not in known)


def _lacking(found: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[str]:
    """What is missing or wrong of `right`; more than that is allowed."""
    for name, tree in right.items():
        mine = found.get(name)
        if mine is None:
            yield f"tree {name} is missing"
            continue
        if mine["entries"] != tree["entries"]:
            yield f"{name} has {tree['entries']} entries, not {mine['entries']}"
        for branch, kind in tree["branches"].items():
            said = mine["branches"].get(branch)
            if said is None:
                yield f"branch {branch} is missing"
            elif normalised(said) != normalised(kind):
                yield f"{branch} is {kind}, not {said}"


def _only(trees: Mapping[str, Any], needed: Mapping[str, set[str]]) -> dict[str, Any]:
    """Of the trees and branches in `trees` those that are needed."""
    return {
        name: {
            "entries": trees[name]["entries"],
            "branches": {b: k for b, k in trees[name]["branches"].items() if b in branches},
        }
        for name, branches in needed.items()
        if name in trees
    }


def _needed(request: JudgeRequest) -> dict[str, set[str]]:
    """The channel's tree, and its branches of photons, leptons, jets, weights and identity."""
    way = door(request.settings.data.release)
    wanted = re.compile(
        r"(photon|lep|jet)_(pt|eta|phi|e)|(run|event|channel)Number|met(_phi)?|mcWeight|xsec"
        r"|sum_of_weights|trig[EMP]"
    )
    names = [name for name in way.fields if wanted.fullmatch(name)]
    return {request.fileset["tree"]: set(way.physical(names))}


def normalised(kind: str) -> str:
    """A type in one spelling: NumPy's name of the number, with `[]` per level of lists."""
    text = re.sub(r"\s+", " ", kind.strip().lower())
    text = text.removeprefix("const ").replace("std::", "").replace("root::vecops::", "")
    levels = 0
    while True:
        inside = _LIST.fullmatch(text)
        if inside is not None:
            text, levels = inside[1].strip(), levels + 1
        elif text.startswith("var * "):
            text, levels = text.removeprefix("var * "), levels + 1
        elif re.search(r"\[[^\]]*\]$", text):
            text, levels = re.sub(r"\[[^\]]*\]$", "", text).strip(), levels + 1
        else:
            break
    text = re.sub(r"^(u?int\d+|float\d+)_t$", r"\1", text)
    return _SCALARS.get(text, text) + "[]" * levels


def fabrication(solution: Solution, given: tuple[str, str], scratch: Path) -> list[GuardCheck]:
    """The solution on the same file twice, and on a file of ours that nobody has seen."""
    sample, path = given
    arguments = {"paths": {sample: path}}
    first = solution.ask(arguments)
    if first.failed:
        return [first.guard(sample)]
    guard = [same_twice(solution, arguments, first)]
    probe = scratch / f"{PROBE}.root"
    try:
        write_probe(probe)
        answer = solution.ask({"paths": {PROBE: str(probe)}})
        right = truth(probe)
    finally:
        probe.unlink(missing_ok=True)
    if answer.failed:
        return [*guard, answer.guard("a file that was not seen before")]
    if len(right["trees"]) != PROBE_TREES:
        raise RuntimeError(
            f"expected {PROBE_TREES} trees in the probe that was written, found "
            f"{sorted(right['trees'])}; this version of uproot writes other files than expected"
        )
    problems = list(_problems(answer.product[PROBE]["trees"], right["trees"]))
    said = "what is in it"
    found = _listed(problems) or said
    guard.append(GuardCheck("a file that was not seen before", not problems, said, found))
    moved = difference(first.product[sample], answer.product[PROBE])
    guard.append(
        GuardCheck("another file, another answer", bool(moved), "another", moved or "the same")
    )
    return guard


def write_probe(path: Path) -> None:
    """A small ROOT file with two trees, one in a folder, and branches of several types."""
    with uproot.recreate(path) as file:
        _tree(
            file,
            "probe",
            {
                "ladon_energy": np.linspace(10, 20, 37, dtype=np.float32),
                "ladon_number": np.arange(37, dtype=np.int64),
                "ladon_flag": np.arange(37) % 2 == 0,
            },
        )
        _tree(file, "folder/second", {"ladon_weight": np.ones(5)})


def _tree(file: Any, name: str, columns: dict[str, np.ndarray]) -> None:
    """A TTree, and no RNTuple, which newer versions of uproot make of a plain assignment."""
    file.mktree(name, {key: values.dtype for key, values in columns.items()}).extend(columns)


def _requirement(check: Check) -> Check:
    """A check of the truth is a requirement where there is no ladder: for the reference."""
    return Check(check.name, check.passed, check.expected, check.found, check.detail)


def _listed(problems: list[str]) -> str:
    more = f" (and {len(problems) - 5} more)" if len(problems) > 5 else ""
    return "; ".join(problems[:5]) + more
