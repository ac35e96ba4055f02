"""A stage's step with a solution as a model writes it, in the strongest sandbox of this machine."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.steps import execute
from pipeline.steps.context import Place
from tests.pipeline.scripted.replies import module_of

if TYPE_CHECKING:
    from pipeline.stages.jail import Jail

REPLIES = {"preprocess": "02", "classify": "02", "categorize": "04", "measure": "02"}
"""The last module of the script `solves` for the diphoton channel."""
COLUMNS = {
    "preprocess": [
        "weight", "sum_weights", "ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated",
    ],
    "classify": ["event_number", "weight"],
}  # fmt: skip
"""What those modules use beside what they always get."""


@dataclass(frozen=True)
class WalledPlace(Place):
    """A place of the reference where solutions are not trusted."""

    def jail(self) -> Jail:
        from pipeline.stages.jail import Jail

        made = self.settings()
        site = replace(made.site, sandbox="auto")
        return Jail.of(replace(made, site=site, solver=replace(made.solver, name="agent")))


def main() -> None:
    """`python -m tests.benchmarks.walled_stage OWNER STAGE`, in a run directory."""
    owner, stage = sys.argv[1:]
    found = WalledPlace.at(owner, stage)
    code = module_of(f"hyy/{stage}/{REPLIES[stage]}-coder.md")
    if stage in COLUMNS:
        code = f"COLUMNS = {COLUMNS[stage]!r}\n\n{code}"
    (found.folder / "solution.py").write_text(code, encoding="utf-8")
    execute._clear(found.folder)
    outcome = execute._run_stage(found)
    assert not outcome, outcome


if __name__ == "__main__":
    main()
