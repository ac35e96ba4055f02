"""A finding: one thing that was looked for, how it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

State = Literal["ok", "missing", "warning"]
"""missing: not there, which matters where it is required; warning: the site runs, but not as well
or not as safely as it could."""
Group = Literal["python", "machine", "slurm", "files", "containers", "sandbox", "endpoint"]
GROUPS: tuple[Group, ...] = (
    "python", "machine", "slurm", "files", "containers", "sandbox", "endpoint",
)  # fmt: skip
"""In the order in which they are shown."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for."""

    name: str
    group: Group
    state: State
    said: str
    """What was found, or expected and found."""
    next_step: str = ""
    """What to do about it; empty where nothing is to be done."""
    required: bool = False
    """Whether the chosen site cannot run without it."""
    node: str | None = None
    """The node that it was found on; None is where `ladon doctor` was typed."""

    @property
    def fatal(self) -> bool:
        """Whether the chosen site cannot run because of this."""
        return self.required and self.state == "missing"

    def on(self, node: str) -> Finding:
        """The same, found on a node."""
        return replace(self, node=node)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        plain: dict[str, Any] = asdict(self)
        return plain


def can_run(findings: Iterable[Finding]) -> bool:
    """Whether nothing that the site needs is missing."""
    return not any(finding.fatal for finding in findings)
