"""What a solver is told of a stage: its rendered task, its contract, its hints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from agents.task import Hint, Task
from pipeline.settings import Settings
from pipeline.stages.registry import contract_module, trial_of

PACKAGES = (
    "numpy", "awkward", "vector", "scipy", "pandas", "pyarrow", "scikit-learn", "xgboost", "hist",
    "iminuit", "threadpoolctl",
)  # fmt: skip
"""What a solution may import beside Python's own modules; `inspect` may also import uproot."""


def task_of(stage: str, settings: Settings, summaries: Mapping[str, Any] | None = None) -> Task:
    """The task of a stage: the same bytes for the same settings and summaries.

    `summaries` is what inspect's solution said of the files, sample -> summary; convert's task
    quotes it, and no other.
    """
    module = contract_module(stage)
    template = Path(str(module.__file__)).with_name("task.md").read_text(encoding="utf-8")
    purpose = _environment().from_string(template).render(module.task_variables(settings))
    if summaries and stage == "convert":
        purpose = f"{purpose.strip()}\n\n{_quoted(summaries, settings)}"
    hints = trial_of(stage).hints(settings) if settings.solver.hints else ()
    return Task(
        stage=stage,
        purpose=purpose,
        contract=_contract(stage, module.CONTRACT.defines),
        hints=tuple(Hint(hint.id, hint.text) for hint in hints),
    )


def _environment() -> jinja2.Environment:
    return jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)


def _contract(stage: str, defines: Mapping[str, tuple[str, ...] | None]) -> str:
    names = [
        f"- `{name}`, a plain value" if taken is None else f"- `{name}({', '.join(taken)})`"
        for name, taken in defines.items()
    ]
    packages = [*PACKAGES, "uproot"] if stage == "inspect" else [*PACKAGES]
    return "\n".join(
        [
            "The module defines, under these names and with these arguments:",
            "",
            *names,
            "",
            f"It may import Python's own modules and {', '.join(packages)}; nothing else is there.",
        ]
    )


def _quoted(summaries: Mapping[str, Any], settings: Settings) -> str:
    """What inspect found in one file of data and one of simulation, as the files spell it."""
    tree = settings.channel.tree
    parts = [
        "## What inspect found in the files",
        "",
        "Names and types as the files spell them, for you to know what there is; the names that",
        "you use are those of the table above.",
    ]
    seen: dict[str, str] = {}
    for sample, summary in sorted(summaries.items()):
        found = summary["trees"].get(tree)
        if found is None:
            continue
        text = "; ".join(f"{name}: {kind}" for name, kind in sorted(found["branches"].items()))
        if text not in seen:
            seen[text] = f"Sample {sample}, tree `{tree}` with {found['entries']} entries: {text}."
    return "\n".join([*parts, *(f"\n{said}" for said in list(seen.values())[:2])])
