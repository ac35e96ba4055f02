"""What the jobs of the chosen site are submitted with, and whether SLURM has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.doctor.finding import Finding
from pipeline.doctor.needs import Needs
from pipeline.doctor.slurm_answers import Association, Node, Partition, most_of, resources
from pipeline.profile import frozen_profile, load_profile
from pipeline.settings import Settings, nearest


@dataclass(frozen=True)
class Asked:
    """Names that jobs of the site give to SLURM; empty where they leave it to SLURM."""

    accounts: tuple[str, ...]
    partitions: tuple[str, ...]
    qos: tuple[str, ...]


def site_profile(settings: Settings) -> dict[str, Any]:
    """The profile as a run of the settings would freeze it; SettingsError where there is none."""
    run = Path(settings.run.outputs) / settings.run.name
    return frozen_profile(load_profile(settings.site.profile), settings, run)


def asked(profile: Mapping[str, Any], settings: Settings, needs: Needs) -> Asked:
    """What the steps ask for by the profile, and the server of the model where the site has one."""
    every = [profile.get("default-resources") or {}]
    every += (profile.get("set-resources") or {}).values()
    serve = settings.site.serve
    if needs.served and serve.scheduler == "slurm":
        names = {"slurm_account": serve.account, "slurm_partition": serve.partition}
        every.append({**names, "qos": serve.qos})
    return Asked(
        accounts=_given(step.get("slurm_account") for step in every),
        partitions=_given(step.get("slurm_partition") for step in every),
        qos=_given(step.get("qos") for step in every),
    )


def _given(values: Iterable[Any]) -> tuple[str, ...]:
    """Each name once; SLURM takes several partitions as one text."""
    texts = [str(value) for value in values if value]
    return tuple(dict.fromkeys(name for text in texts for name in text.split(",") if name))


def judge_partition(
    name: str,
    there: Mapping[str, Partition],
    nodes: Sequence[Node],
    accounts: Sequence[str],
    site: str,
) -> Finding:
    """Whether a partition is there, open, has nodes that serve, and takes the accounts."""

    def lacks(said: str, next_step: str) -> Finding:
        return Finding(f"partition {name}", "slurm", "missing", said, next_step, required=True)

    if name not in there:
        return lacks(
            f"expected the partition {name!r} of site={site}, found none of that name; "
            f"{nearest(name, sorted(there))}",
            "site.partition=NAME, or correct slurm_partition in the profile (a server's: "
            "site.serve.partition)",
        )
    partition = there[name]
    own = [node for node in nodes if node.partition == name]
    serving = [node for node in own if node.serves]
    if partition.state != "UP":
        return lacks(f"expected it UP, found {partition.state}", "ask the site, or take another")
    if not serving:
        states = ", ".join(f"{node.name} {node.state}" for node in own[:8]) or "no node"
        return lacks(f"expected nodes that take jobs, found {states}", f"sinfo -p {name} -R")
    refused = [account for account in accounts if not partition.takes(account)]
    if refused:
        return lacks(
            f"expected it to take account {refused[0]!r}, found that it does not",
            "site.account=NAME or site.partition=NAME",
        )
    cpus = max(node.cpus for node in serving)
    memory = max(node.memory_mb for node in serving)
    said = (
        f"up, {len(serving)} of {len(own)} nodes take jobs, up to {cpus} CPUs and "
        f"{memory} MB each, at most {partition.longest}"
    )
    return Finding(f"partition {name}", "slurm", "ok", said, required=True)


def judge_default_partition(there: Mapping[str, Partition], site: str) -> Finding:
    """Where no partition is named, SLURM has to have a default one."""
    default = [partition.name for partition in there.values() if partition.default]
    if default:
        said = f"none named: SLURM takes {default[0]}"
        return Finding("partition", "slurm", "ok", said, required=True)
    return Finding(
        "partition",
        "slurm",
        "missing",
        f"expected a partition named by site={site} or a default one of SLURM, found neither; "
        f"there are {', '.join(sorted(there))}",
        "site.partition=NAME",
        required=True,
    )


def judge_account(name: str, user: str, own: Sequence[Association], site: str) -> Finding:
    """Whether the user may submit with an account; the plugin refuses others at every job."""
    known = sorted({association.account for association in own})
    if name.lower() in (account.lower() for account in known):
        return Finding(f"account {name}", "slurm", "ok", f"{user} has it", required=True)
    return Finding(
        f"account {name}",
        "slurm",
        "missing",
        f"expected {user} to have the account {name!r} of site={site}, found "
        f"{'others; ' + nearest(name, known) if known else 'no account at all'}",
        "site.account=NAME, or correct slurm_account in the profile (a server's: "
        "site.serve.account)",
        required=True,
    )


def judge_qos(name: str, known: Sequence[str], own: Sequence[Association], site: str) -> Finding:
    """Whether a quality of service is there, and allowed where the user's are told."""
    allowed = sorted({qos for association in own for qos in association.qos})
    if name in known and (not allowed or name in allowed):
        return Finding(f"qos {name}", "slurm", "ok", "allowed", required=True)
    return Finding(
        f"qos {name}",
        "slurm",
        "missing",
        f"expected the quality of service {name!r} of site={site} to be allowed, found "
        f"others; {nearest(name, allowed or list(known))}",
        "site.qos=NAME, or correct qos in the profile (a server's: site.serve.qos)",
        required=True,
    )


def judge_gres(settings: Settings, needs: Needs, nodes: Sequence[Node]) -> Finding:
    """Whether the nodes have what a server of the model asks for; else what GPUs there are."""
    serve, model = settings.site.serve, settings.model.serve
    there = sorted({name for node in nodes for name in resources(node.gres)})
    told = f"generic resources: {', '.join(there)}" if there else "no generic resources"
    wanted = -(-model.gpus // max(1, model.nodes))
    if not (needs.served and serve.scheduler == "slurm" and serve.gres and wanted):
        return Finding("GPUs of nodes", "slurm", "ok", f"{told}; none asked for by this run")
    own = [node for node in nodes if node.serves and serve.partition in (None, node.partition)]
    most = most_of(serve.gres, own)
    where = f"partition {serve.partition}" if serve.partition else "any partition"
    if most >= wanted:
        said = f"{serve.gres}: up to {most} on a node of {where}, {wanted} asked for"
        return Finding("GPUs of nodes", "slurm", "ok", said, required=True)
    return Finding(
        "GPUs of nodes",
        "slurm",
        "missing",
        f"expected a node of {where} with {serve.gres}:{wanted} for model={settings.model.name}, "
        f"found at most {most}; {told}",
        "site.serve.partition=NAME site.serve.gres=NAME, or a model with fewer GPUs",
        required=True,
    )
