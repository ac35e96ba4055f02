"""The workflow: the Snakefile, its rules as tools and steps, and what goes in and comes out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rocrate.model.computationalworkflow import ComputationalWorkflow
from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from pipeline.crate.software import MIT, context, single
from pipeline.graph import SNAKEFILE

RULES: dict[str, tuple[str, str]] = {
    "synthesize": ("data.smk", "Make the synthetic samples."),
    "fileset": ("data.smk", "Find and verify the files of every sample, and cut them into chunks."),
    "fileset_parts": (
        "data.smk",
        "Find the files of every sample, and deal them out to the jobs of convert.",
    ),
    "adopt": ("stage.smk", "Take Ladon's own solution of a stage."),
    "solve": ("stage.smk", "Have a solution written by supervisor and coder, and freeze it."),
    "convert": ("stage.smk", "Run the frozen solution of convert over every chunk."),
    "convert_part": ("stage.smk", "Run the frozen solution of convert over a part of the files."),
    "gather": ("stage.smk", "Put together what the jobs of convert made."),
    "execute": ("stage.smk", "Run the frozen solution of a stage."),
    "judge": ("stage.smk", "Judge a stage's output against the reference."),
    "collect": ("report.smk", "Put the results of a point together."),
    "report": ("report.smk", "Draw the report."),
}
"""Rule -> its file, and what it does; in the order in which they run."""

PARAMETERS = {
    "settings": ("input", "The settings that decide the result."),
    "fileset": ("input", "The samples, their files and chunks."),
    "results": ("output", "The results of a point."),
    "report": ("output", "The report of the run."),
    "summary": ("output", "The outcome of every stage."),
}


class SteppedWorkflow(ComputationalWorkflow):  # type: ignore[misc]  # rocrate has no types
    """A workflow that names its steps, which makes it a HowTo for the profile."""

    TYPES = (*ComputationalWorkflow.TYPES, "HowTo")


@dataclass(frozen=True)
class Workflow:
    """The workflow as entities: itself, its parameters, and a tool and a step for each rule."""

    main: Entity
    parameters: dict[str, ContextEntity]
    tools: dict[str, ContextEntity]
    steps: dict[str, ContextEntity]

    def example(self, name: str, entity: Entity) -> None:
        """Say that a file of the crate is what a parameter was in this run."""
        entity["exampleOfWork"] = self.parameters[name]
        parameter = self.parameters[name]
        before = parameter.get("workExample")
        known = before if isinstance(before, list) else [before] if before else []
        parameter["workExample"] = single([*known, entity])


def add_workflow(
    crate: ROCrate, ladon: ContextEntity, engine_version: str, ran: list[str]
) -> Workflow:
    """Add the Snakefile, and of its rules those that `ran`."""
    main = crate.add_workflow(
        SNAKEFILE, "workflow/Snakefile", main=True, lang="snakemake", lang_version=engine_version,
        cls=SteppedWorkflow,
    )  # fmt: skip
    main["name"] = "The graph of an analysis whose stages are written by a language model"
    main["description"] = (
        "A fixed graph: solve, execute and judge each stage, collect the results, draw the report. "
        "Models write the inside of stages, never rules."
    )
    main["version"] = ladon["softwareVersion"]
    main["license"] = {"@id": MIT}
    main["conformsTo"] = {
        "@id": "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
    }
    main["encodingFormat"] = "text/plain"
    main["softwareRequirements"] = ladon
    files = {
        name: _rule_file(crate, name, ladon) for name in sorted({f for f, _ in RULES.values()})
    }
    parameters = {name: _parameter(crate, name) for name in PARAMETERS}
    tools, steps = {}, {}
    for position, rule in enumerate((r for r in RULES if r in ran), start=1):
        tools[rule] = _tool(crate, rule, ladon, files)
        steps[rule] = context(
            crate,
            f"#step-{rule}",
            {"@type": "HowToStep", "name": rule, "position": str(position),
             "workExample": tools[rule]},
        )  # fmt: skip
    main["hasPart"] = list(tools.values())
    main["step"] = list(steps.values())
    for side in ("input", "output"):
        main[side] = [parameters[n] for n, (where, _) in PARAMETERS.items() if where == side]
    return Workflow(main, parameters, tools, steps)


def _rule_file(crate: ROCrate, name: str, ladon: ContextEntity) -> Entity:
    path: Path = SNAKEFILE.parent / "rules" / name
    found: Entity = crate.add_file(
        path,
        f"workflow/rules/{name}",
        properties={
            "@type": ["File", "SoftwareSourceCode"],
            "name": f"rules of the graph: {path.stem}",
            "programmingLanguage": {
                "@id": "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
            },
            "encodingFormat": "text/plain",
            "version": ladon["softwareVersion"],
            "license": {"@id": MIT},
        },
    )
    return found


def _parameter(crate: ROCrate, name: str) -> ContextEntity:
    return context(
        crate,
        f"#parameter-{name}",
        {
            "@type": "FormalParameter",
            "name": name,
            "description": PARAMETERS[name][1],
            "additionalType": "File",
            "conformsTo": {"@id": "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"},
        },
    )


def _tool(
    crate: ROCrate, rule: str, ladon: ContextEntity, files: dict[str, Entity]
) -> ContextEntity:
    file, said = RULES[rule]
    properties: dict[str, Any] = {
        "@type": "SoftwareApplication",
        "name": f"rule {rule}",
        "description": said,
        "softwareVersion": ladon["softwareVersion"],
        "softwareRequirements": ladon,
        "isPartOf": files[file],
    }
    return context(crate, f"#rule-{rule}", properties)
