"""The replies of the scripts, as tests need them: modules, and the stages that they are for."""

from __future__ import annotations

from pathlib import Path

from agents.replies import python_block
from agents.scripted import read_script
from pipeline.scripted.scripts import HERE, SOLVES, known_scripts
from pipeline.settings import Settings
from tests.pipeline.stages.tables import settings

FAILING = [
    name
    for name in known_scripts()
    if "- category: " in (HERE / name / "README.md").read_text(encoding="utf-8")
]
"""Scripts that show one failure, stated in their README, in every round of one stage."""
NO_TRUTH = ("eats_memory", "sleeps")
"""Scripts whose results are not stated as data: they take long on purpose, and no skill draws
them."""
FINAL = sorted(
    max(folder.glob("*-coder.md")).relative_to(HERE / SOLVES).as_posix()
    for folder in (HERE / SOLVES).glob("*/*/")
)
"""The last module of every stage that `solves` has, `<scope>/<stage>/<nn>-coder.md`."""


def module_of(reply: Path | str) -> str:
    """The code in a reply (of `solves`, where it is a text)."""
    path = HERE / SOLVES / reply if isinstance(reply, str) else reply
    found = python_block(read_script(path))
    assert isinstance(found, str), f"{path.parent}: {found}"
    return found


def settings_of(scope: str) -> Settings:
    """Settings of a channel and release that a scope is for; its first release where it has two."""
    channel, _, year = scope.partition("-")
    chosen = f"data=opendata_{year or '2025'}"
    return settings(chosen, channel="hyy" if channel == "any" else channel)
