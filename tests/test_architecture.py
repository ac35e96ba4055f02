"""The house keeps its rooms: directions of imports, names of packages, size of modules."""

import ast
from pathlib import Path

import pytest

import agents
import executors
import pipeline

REPOSITORY = Path(__file__).resolve().parent.parent
FORBIDDEN = {
    "executors": ("agents", "pipeline"),
    "agents": ("pipeline",),
    "pipeline/physics": ("agents", "executors", "pipeline.data", "pipeline.stages",
                         "pipeline.judge", "pipeline.report", "pipeline.settings",
                         "pipeline.files", "pipeline.steps"),
}  # fmt: skip
MODULES = sorted(
    p.relative_to(REPOSITORY).as_posix()
    for room in ("pipeline", "agents", "executors")
    for p in (REPOSITORY / room).rglob("*.py")
)


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("room", FORBIDDEN)
def test_imports_point_one_way(room: str) -> None:
    for path in (REPOSITORY / room).rglob("*.py"):
        for name in imported(path):
            for forbidden in FORBIDDEN[room]:
                assert name != forbidden, f"{path} imports {name}"
                assert not name.startswith(forbidden + "."), f"{path} imports {name}"


def test_our_packages_are_ours() -> None:
    for package in (agents, executors, pipeline):
        assert Path(str(package.__file__)).parent.parent == REPOSITORY


@pytest.mark.parametrize("module", MODULES)
def test_modules_are_small_and_say_what_they_own(module: str) -> None:
    path = REPOSITORY / module
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 300, f"{module} has more than 300 lines: it wants to be two"
    assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{module} has no docstring"


def test_rules_hold_no_logic() -> None:
    """A rule's function may look a name up in the layout, and nothing more."""
    for path in (REPOSITORY / "pipeline" / "workflow").rglob("*.smk"):
        text = path.read_text(encoding="utf-8")
        for word in ("import ", "lambda", " if ", " for ", "open("):
            assert word not in text, f"{path.name} holds logic: {word!r}"
