"""The crate of a run: its files and what is known of them, as a Provenance Run Crate."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from pipeline.crate.actions import Script, moment, steps_of
from pipeline.crate.contents import Item, contents
from pipeline.crate.inputs import (
    SETTINGS_SAID,
    add_licence,
    add_source,
    describe,
    settings_text,
)
from pipeline.crate.places import Places
from pipeline.crate.software import add_ladon, add_model, add_snakemake, context
from pipeline.crate.workflow import Workflow, add_workflow
from pipeline.data.manifest_choice import chosen_path
from pipeline.files import read_json
from pipeline.settings import Settings, load
from pipeline.workflow.layout import Layout

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = {
    name: f"https://w3id.org/ro/terms/workflow-run#{name}"
    for name in ("sha256", "resourceUsage", "containerImage", "ContainerImage", "SIFImage")
}
"""Words of the profiles that RO-Crate's own context lacks; written into the crate, so that it is
read without a network."""


README = """`report.html` shows the run, `points/<point>/results.json` holds its numbers, and
`ro-crate-metadata.json` says which step made which file from what, with what and by whom. Frozen
solutions are in `solutions/`, named by their SHA-256; `points/<point>/<stage>/trajectory.jsonl`
holds what was said to whoever wrote them. `workflow/` is the graph; it runs with Ladon.
"""


@dataclass(frozen=True)
class Source:
    """A finished run, with what of it is read more than once."""

    path: Path
    layout: Layout
    settings: Mapping[str, Settings]
    provenance: Mapping[str, Any]
    places: Places

    @classmethod
    def of(cls, run: Path) -> Source:
        layout = Layout.load(run / "sweep.json")
        settings = {p.name: load(run / "points" / p.name / "settings.json") for p in layout.points}
        keys = sorted({p.fileset for p in layout.points})
        filesets = [read_json(run / "fileset" / f"{key}.json") for key in keys]
        places = Places.of(run, settings.values(), filesets)
        return cls(run, layout, settings, read_json(run / "provenance.json"), places)


def build_crate(
    run: Path,
    staging: Path,
    outputs: bool = True,
    author: str | None = None,
    licence: str | None = None,
) -> ROCrate:
    """The crate of a finished run; `staging` is an empty folder for files that had to be changed.

    Nothing is copied until the crate is written. Every time in it is that of a file of the run, so
    that the same run gives the same metadata.
    """
    source = Source.of(run)
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms.update(TERMS)
    describe(crate, run.name, source.settings, outputs)
    crate.license = add_licence(crate, licence)
    conforms = [context(crate, url, {"@type": "CreativeWork", "name": name,
                                     "version": url.rsplit("/", 1)[1]})
                for url, name in PROFILES.items()]  # fmt: skip
    crate.root_dataset["conformsTo"] = conforms
    crate.metadata["conformsTo"] = [
        {"@id": "https://w3id.org/ro/crate/1.1"},
        {"@id": "https://w3id.org/workflowhub/workflow-ro-crate/1.0"},
    ]
    steps = list(steps_of(run, source.layout))
    ladon = add_ladon(crate, source.provenance)
    engine = add_snakemake(crate, source.provenance)
    workflow = add_workflow(
        crate, ladon, engine["softwareVersion"], list(dict.fromkeys(s.rule for s in steps))
    )
    files = {
        item.name: _add_item(crate, source, item, staging)
        for item in contents(run, source.layout, outputs)
    }
    inputs = _add_inputs(crate, source, staging, files)
    _add_readme(crate, staging)
    _examples(source.layout, workflow, files)
    models = {
        f"points/{point}/{stage}": add_model(crate, run / "points" / point / stage, settings)
        for point, settings in source.settings.items()
        for stage in settings.stages
    }
    agent = _agent(crate, author)
    if agent is not None:
        crate.root_dataset["author"] = agent
    script = Script(crate, run, workflow, files, models, agent)
    made = [n for n in files if n not in inputs and n not in ("sweep.json", "provenance.json")]
    whole = script.whole(f"Run {run.name}", inputs, made)
    _say_who(whole, source, models, crate)
    ended = moment(run, source.layout.results())
    crate.root_dataset["datePublished"] = ended
    pairs = [script.step(number, step) for number, step in enumerate(steps, start=1)]
    organize = context(
        crate,
        "#organize",
        {
            "@type": "OrganizeAction",
            "name": f"Snakemake runs the graph of {run.name}",
            "instrument": engine,
            "object": [control for _, control in pairs],
            "result": whole,
            "agent": agent,
        },
    )
    crate.root_dataset["mentions"] = [whole, organize, *(action for action, _ in pairs)]
    return crate


def _add_item(crate: ROCrate, source: Source, item: Item, staging: Path) -> Entity:
    """A file of the run, without the paths of this machine."""
    path = source.path / item.name
    cleaned = source.places.clean(path)
    if cleaned is not None:
        path = staging / item.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cleaned)
    said = item.description + (" Paths were replaced by words." if cleaned is not None else "")
    return _add_file(crate, path, item.name, said.strip(), item.format)


def _add_file(crate: ROCrate, path: Path, name: str, said: str, kind: str) -> Entity:
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    properties: dict[str, Any] = {
        "name": name,
        "encodingFormat": kind,
        "contentSize": str(path.stat().st_size),
        "sha256": digest,
    }
    if said:
        properties["description"] = said
    found: Entity = crate.add_file(path, name, properties=properties)
    return found


def _add_inputs(
    crate: ROCrate, source: Source, staging: Path, files: dict[str, Entity]
) -> list[str]:
    """Settings, filesets and manifests; their names. Filesets are told what they are made of."""
    names = []
    for plan in source.layout.points:
        settings = source.settings[plan.name]
        name = f"points/{plan.name}/settings.json"
        path = staging / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source.places.without(settings_text(settings)), encoding="utf-8")
        files[name] = _add_file(crate, path, name, SETTINGS_SAID, "application/json")
        names.append(name)
        fileset = f"fileset/{plan.fileset}.json"
        if fileset in names:
            continue
        names.append(fileset)
        origin = add_source(crate, settings)
        files[fileset]["isBasedOn"] = origin
        if settings.data.synthetic:
            files[fileset]["description"] += f" {origin['description']}"
            continue
        listed = chosen_path(settings.data)
        manifest = f"data_manifests/{listed.name}"
        if manifest not in names:
            names.append(manifest)
            files[manifest] = _add_file(
                crate, listed, manifest,
                "The verified list of the release's samples and files, as installed here.",
                "application/gzip",
            )  # fmt: skip
        files[fileset]["isBasedOn"] = [origin, files[manifest]]
    return names


def _add_readme(crate: ROCrate, staging: Path) -> None:
    """The crate in words, for whoever opens it."""
    path = staging / "README.md"
    path.write_text(f"# {crate.name}\n\n{crate.description}\n\n{README}", encoding="utf-8")
    found = _add_file(crate, path, "README.md", "This crate in words.", "text/markdown")
    found["about"] = crate.root_dataset


def _examples(layout: Layout, workflow: Workflow, files: Mapping[str, Entity]) -> None:
    """Which file was what parameter."""
    for key in sorted({plan.fileset for plan in layout.points}):
        workflow.example("fileset", files[f"fileset/{key}.json"])
    for plan in layout.points:
        workflow.example("settings", files[f"points/{plan.name}/settings.json"])
        workflow.example("results", files[f"points/{plan.name}/results.json"])
    workflow.example("report", files["report.html"])
    workflow.example("summary", files["summary.csv"])


def _agent(crate: ROCrate, author: str | None) -> ContextEntity | None:
    """The person that was named, by name or by ORCID; nobody else's name goes in."""
    if author is None:
        return None
    known = author.startswith("https://orcid.org/")
    identifier = author if known else "#author"
    return context(crate, identifier, {"@type": "Person", "name": author})


def _say_who(
    whole: ContextEntity,
    source: Source,
    models: Mapping[str, ContextEntity | None],
    crate: ROCrate,
) -> None:
    """The image that steps ran in, and what wrote the solutions."""
    writers = {m.id: m for m in models.values() if m is not None}
    if writers:
        whole["instrument"] = [whole["instrument"], *writers.values()]
    image = source.provenance.get("container")
    if image:
        whole["containerImage"] = context(
            crate,
            f"#image-{image['sha256'][:12]}",
            {
                "@type": "ContainerImage",
                "additionalType": {"@id": TERMS["SIFImage"]},
                "name": Path(image["image"]).name,
                "sha256": image["sha256"],
            },
        )
