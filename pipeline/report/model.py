"""Who wrote the solutions, as the report names it: scripted replies are never called a model's."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.report.folder import PointFolder

SCRIPTED = "scripted: replies written by people"
NOTHING_MEASURED = (
    "The replies were written by people and are read from files: what this page says of rounds and "
    "outcomes shows that the pipeline works, and measures no language model."
)


@dataclass(frozen=True)
class Solvers:
    """The model that the agents of a point used."""

    name: str
    provider: str
    repository: str
    revision: str
    licence: str
    max_rounds: int | None

    @property
    def scripted(self) -> bool:
        return self.provider == "scripted"

    @property
    def short(self) -> str:
        """For a cell of a table: the name, and whether it is none of a model."""
        return f"{self.name} (scripted)" if self.scripted else self.name

    @property
    def text(self) -> str:
        """Name, repository and revision; or that there is no model at all."""
        if self.scripted:
            return f"{self.name} ({SCRIPTED})"
        parts = [self.name]
        if self.repository and self.repository != self.name:
            parts.append(self.repository)
        if self.revision:
            parts.append(f"revision {self.revision}")
        if self.licence:
            parts.append(self.licence)
        return ", ".join(parts) + (" (recorded replies)" if self.provider == "replay" else "")


def solvers(point: PointFolder) -> Solvers | None:
    """Who wrote the solutions of a point; None if they are our own.

    Results from before `model` and `solver` were part of them are read from the settings.
    """
    settings = point.settings
    solver = point.results.get("solver") or {"name": settings.solver.name}
    if solver["name"] == "reference":
        return None
    model = point.results.get("model") or {}
    return Solvers(
        name=str(model.get("name") or settings.model.name),
        provider=str(model.get("provider") or settings.model.provider),
        repository=str(model.get("repository") or ""),
        revision=str(model.get("revision") or ""),
        licence=str(model.get("licence") or ""),
        max_rounds=solver.get("max_rounds"),
    )
