"""`ladon doctor`: whether the chosen site can run here, what is missing, and the next step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console

from pipeline.doctor import (
    containers,
    endpoint,
    files,
    job,
    machine,
    packages,
    report,
    sandboxes,
    slurm,
)
from pipeline.doctor.finding import Finding, can_run
from pipeline.doctor.needs import Needs
from pipeline.files import to_json
from pipeline.settings import Settings, SettingsError

__all__ = ["Finding", "doctor", "examine"]

JSON, NODES = "--json", "--nodes"
EXIT_CAN, EXIT_CANNOT = 0, 1
ROOMS: tuple[Callable[[Settings, Needs], list[Finding]], ...] = (
    packages.look,
    machine.look,
    slurm.look,
    files.look,
    containers.look,
    sandboxes.look,
    endpoint.look,
)


def doctor(arguments: Sequence[str], console: Console) -> int:
    """`ladon doctor [--json] [--nodes] [overrides]`: 0 if the chosen site can run, else 1.

    Nothing is changed. With --nodes a short job (one task, five minutes at most, cancelled if it
    does not start within a minute) looks at a node of the site as well; without it nothing is
    submitted. With --json one object is printed, whose form (findings.schema.json) is stable:

        {"schema": 1, "site": "testbed", "scheduler": "slurm", "host": "...", "can_run": true,
         "findings": [{"name": "MinJobAge", "group": "slurm", "state": "ok|missing|warning",
                       "said": "...", "next_step": "", "required": true, "node": null}, ...]}

    `can_run` is false exactly if a finding is required and missing. `node` names the node that a
    finding is from. Raises SettingsError for overrides that make no sense.
    """
    from pipeline.configure import configure

    as_json, nodes = JSON in arguments, NODES in arguments
    settings = configure([a for a in arguments if a not in (JSON, NODES)])
    if nodes and settings.site.scheduler != "slurm":
        raise SettingsError(
            f"{NODES} looks at a node of a cluster, found site={settings.site.name}, which has no "
            "scheduler; take the site of a cluster, e.g. site=testbed"
        )
    findings = _examined(settings, nodes, None if as_json else console)
    if as_json:
        print(to_json(report.document(settings, findings)), end="")
    else:
        report.print_table(console, settings, findings)
    return EXIT_CAN if can_run(findings) else EXIT_CANNOT


def _examined(settings: Settings, nodes: bool, console: Console | None) -> list[Finding]:
    """The findings, while a terminal says that it takes a moment."""
    if console is None or not console.is_terminal:
        return examine(settings, nodes)
    with console.status("looking (sandboxes are tried, which takes some seconds)"):
        return examine(settings, nodes)


def examine(settings: Settings, nodes: bool = False) -> list[Finding]:
    """Everything that was looked for, here and (with `nodes`) on a node of the site."""
    needs = Needs.of(settings, nodes=nodes)
    found = [finding for look in ROOMS for finding in look(settings, needs)]
    if needs.slurm and not needs.steps and not nodes:
        found.append(
            Finding(
                "nodes",
                "slurm",
                "warning",
                "not looked at: steps run there, and what is here may be missing there",
                "ladon doctor --nodes submits a short job",
            )
        )
    if not nodes:
        return found
    if any(finding.fatal and finding.group == "slurm" for finding in found):
        said = "no job was tried: SLURM or what jobs are submitted with is not in order"
        step = "first what is missing above"
        return [*found, Finding("nodes", "slurm", "warning", said, step)]
    return found + job.look(settings)
