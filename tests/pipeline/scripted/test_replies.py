"""Every reply can be read: JSON of the supervisor's schemas, modules of the stage's contract."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from agents.replies import Fault, json_object, python_block
from agents.supervisor import INSTRUCTIONS_SCHEMA, REVIEW_SCHEMA
from executors.sandbox import Limits, named
from pipeline.scripted.scripts import HERE, SOLVES
from pipeline.stages.hints import PACKAGES, strange_imports
from pipeline.stages.registry import contract_module
from pipeline.stages.source import check_definitions
from tests.pipeline.scripted.replies import FINAL, module_of

SUPERVISOR = sorted(p.relative_to(HERE).as_posix() for p in HERE.rglob("*supervisor.md"))
BROKEN = ("syntax_error", "refuses", "cut_reply", "wrong_call")
WRONG_ARGUMENTS = ("flounders/hyy/preprocess/04-coder.md",)
CODER = sorted(
    p.relative_to(HERE).as_posix()
    for p in HERE.rglob("*coder.md")
    if p.relative_to(HERE).parts[0] not in BROKEN
    and p.relative_to(HERE).as_posix() not in WRONG_ARGUMENTS
)


@pytest.mark.parametrize("reply", SUPERVISOR)
def test_the_supervisor_speaks_the_schema(reply: str) -> None:
    path = HERE / reply
    schema = INSTRUCTIONS_SCHEMA if path.name == "01-supervisor.md" else REVIEW_SCHEMA
    found = json_object(path.read_text(encoding="utf-8"), schema)
    assert not isinstance(found, Fault), found
    if schema is REVIEW_SCHEMA:
        # A review with a number of its own is followed by another try, or accepts.
        last = path.name != "supervisor.md" and not any(
            later.name > path.name for later in path.parent.glob("*-coder.md")
        )
        assert found["decision"] == ("accept" if last else "revise")
        assert found["reasons"]


@pytest.mark.parametrize("reply", CODER)
def test_the_coder_writes_what_the_contract_asks_for(reply: str) -> None:
    path = HERE / reply
    stage = path.parent.name
    tree = ast.parse(module_of(path))
    check_definitions(tree, contract_module(stage).CONTRACT.defines)
    packages = [*PACKAGES, "uproot"] if stage == "inspect" else PACKAGES
    assert strange_imports(tree, packages) == ""


@pytest.mark.parametrize(
    ("script", "kind"), [("refuses", "no_block"), ("cut_reply", "unclosed_block")]
)
def test_replies_without_a_module(script: str, kind: str) -> None:
    [path] = (HERE / script).rglob("coder.md")
    found = python_block(path.read_text(encoding="utf-8"))
    assert isinstance(found, Fault)
    assert found.kind == kind


def test_five_calls_where_a_second_round_is_needed() -> None:
    def numbered(stage: str, scope: str) -> int:
        return len(list((HERE / SOLVES / scope / stage).glob("[0-9][0-9]-*.md")))

    for scope in ("hyy-2025", "hyy-2020", "hzz4l-2025", "hzz4l-2020"):
        assert numbered("convert", scope) == 5
    assert numbered("inspect", "any") == 3
    expected = {"preprocess": (3, 5), "measure": (3, 3), "classify": (3, 0), "categorize": (5, 0)}
    for stage, numbers in expected.items():
        assert (numbered(stage, "hyy"), numbered(stage, "hzz4l")) == numbers


@pytest.mark.parametrize("reply", FINAL)
def test_it_loads_in_the_real_sandbox(reply: str) -> None:
    sandbox = named("auto", Limits(wall_s=60))
    with sandbox.open(module_of(reply)) as worker:
        assert worker.loaded.ok, worker.loaded.message


def test_sizes_stay_small_enough_to_be_learned_by_heart() -> None:
    limits = {"inspect": 1_000, "convert": 5_000, "measure": 21_000}
    for reply in FINAL:
        assert len(module_of(reply)) < limits.get(Path(reply).parent.name, 4_000), reply
