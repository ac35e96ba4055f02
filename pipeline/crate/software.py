"""Software: Ladon, the engine, the packages of the run, and whoever wrote its solutions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from agents.trajectory import read_entries
from pipeline.settings import Settings

SCRIPTED = (
    "Scripted replies: no language model. They were written by people and are read from files, so "
    "that nothing here measures a model."
)
MIT = "https://spdx.org/licenses/MIT"


def context(crate: ROCrate, identifier: str, properties: Mapping[str, Any]) -> ContextEntity:
    """Add an entity that is no file, without the members that are not known.

    A list of one is written as its one member, as RO-Crate recommends.
    """
    known = {k: single(v) for k, v in properties.items() if v is not None}
    found: ContextEntity = crate.add(ContextEntity(crate, identifier, properties=known))
    return found


def single(value: Any) -> Any:
    """The one member of a list of one; anything else as it is."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def add_ladon(crate: ROCrate, provenance: Mapping[str, Any]) -> ContextEntity:
    """Ladon itself, by version and hash of its code, with the packages it ran on."""
    versions = dict(provenance["versions"])
    version = versions.pop("ladon-hep", "unknown")
    packages = [
        context(
            crate,
            f"https://pypi.org/project/{name}/" if name != "python" else "https://www.python.org/",
            {"@type": "SoftwareApplication", "name": name, "softwareVersion": found},
        )
        for name, found in sorted(versions.items())
        if found != "not installed" and name != "snakemake"
    ]
    return context(
        crate,
        "#ladon",
        {
            "@type": "SoftwareApplication",
            "name": "Ladon",
            "softwareVersion": version,
            "description": "Language models write the stages of a high energy physics analysis; a "
            "fixed graph runs them and a judge says how good they are.",
            "identifier": [
                f"sha256 of its code: {provenance['code_sha256']}",
                f"git: {provenance['git']}",
            ],
            "license": {"@id": MIT},
            "softwareRequirements": packages,
        },
    )


def add_snakemake(crate: ROCrate, provenance: Mapping[str, Any]) -> ContextEntity:
    """The engine of the workflow."""
    return context(
        crate,
        "https://pypi.org/project/snakemake/",
        {
            "@type": "SoftwareApplication",
            "name": "Snakemake",
            "softwareVersion": provenance["versions"].get("snakemake", "unknown"),
            "url": {"@id": "https://snakemake.readthedocs.io"},
        },
    )


def add_model(crate: ROCrate, stage: Path, settings: Settings) -> ContextEntity | None:
    """Who wrote the solution in the folder of a stage; None if it is Ladon's own, or nobody's.

    What a recording says of its model goes before the settings: a replay's model is the recorded
    one, and a scripted model with a skill is another one in each stage.
    """
    trajectory = stage / "trajectory.jsonl"
    unasked = trajectory.is_file() and not trajectory.stat().st_size
    if settings.solver.name == "reference" or unasked:
        return None
    model, said = settings.model, _identity(trajectory)
    name = str(said.get("name") or model.repository or model.name)
    if said.get("scripted") or model.provider == "scripted":
        return context(
            crate,
            f"#model-{_slug(name)}",
            {"@type": "SoftwareApplication", "name": name, "description": SCRIPTED,
             "softwareVersion": "none: replies are files"},
        )  # fmt: skip
    revision = model.revision or said.get("revision")
    return context(
        crate,
        f"#model-{_slug(name)}-{_slug(str(revision or 'unknown'))}",
        {
            "@type": "SoftwareApplication",
            "name": name,
            "applicationCategory": "language model",
            "identifier": model.repository,
            "softwareVersion": str(revision or "not known"),
            "license": model.licence,
            "description": "A language model that wrote solutions"
            + (", whose recorded replies were given again." if model.provider == "replay" else "."),
        },
    )


def _identity(trajectory: Path) -> Mapping[str, Any]:
    """What a trajectory says of its coder; empty if it says nothing."""
    for entry in read_entries(trajectory) if trajectory.is_file() else ():
        if entry.kind == "start":
            found: Mapping[str, Any] = entry.content["models"]["coder"]
            return found
    return {}


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() or c in ".-_" else "-" for c in text)
