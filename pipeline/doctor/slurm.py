"""SLURM where the command was typed: it answers, is watched in the right way, takes our jobs."""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Mapping
from typing import Any

from executors.slurm.client import SlurmError, ask
from pipeline.doctor import slurm_answers as answers
from pipeline.doctor import submission
from pipeline.doctor.finding import Finding
from pipeline.doctor.needs import Needs
from pipeline.settings import Settings

TOOLS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo")
ASK_S = 20.0
PLUGIN_INTERVAL_S = 40
"""The plugin's first interval between status checks, where the profile says none."""
CHECKS = 3
"""A job that ended has to be told by squeue for so many first intervals (plugin, 2.7)."""


def look(settings: Settings, needs: Needs) -> list[Finding]:
    """Everything about SLURM that can be known without a job."""
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        return [_no_slurm(settings, needs, lacking)]
    try:
        shown = ask(["scontrol", "show", "config"], timeout_s=ASK_S)
        if shown.code:
            return [_silent(shown.said, needs)]
        config = answers.configuration(shown.out)
        found = [_version(config, needs)]
        if not needs.slurm:
            return found
        return found + _of_site(settings, needs, config)
    except SlurmError as error:
        return [_silent(str(error), needs)]


def _no_slurm(settings: Settings, needs: Needs, lacking: list[str]) -> Finding:
    step = "run on a machine of the cluster (a login node), or take site=laptop"
    return Finding(
        "SLURM",
        "slurm",
        "missing",
        f"expected SLURM's commands, found no {', '.join(lacking)} on PATH",
        step if needs.slurm else f"nothing: site={settings.site.name} has no scheduler",
        required=needs.slurm,
    )


def _silent(said: str, needs: Needs) -> Finding:
    return Finding(
        "SLURM",
        "slurm",
        "missing" if needs.slurm else "warning",
        f"expected an answer to scontrol show config, found: {said}",
        "scontrol ping; ask the site" if needs.slurm else "nothing: the chosen site has no SLURM",
        required=needs.slurm,
    )


def _version(config: Mapping[str, str], needs: Needs) -> Finding:
    said = f"{config.get('SLURM_VERSION', 'of an unknown version')}, cluster " + config.get(
        "ClusterName", "without a name"
    )
    if not needs.slurm:
        said += "; the chosen site does not use it"
    return Finding("SLURM", "slurm", "ok", said, required=needs.slurm)


def _of_site(settings: Settings, needs: Needs, config: Mapping[str, str]) -> list[Finding]:
    """What the profile and the settings ask of SLURM, one finding each."""
    site = settings.site
    profile = submission.site_profile(settings)
    wanted = submission.asked(profile, settings, needs)
    shown = _answer(["scontrol", "show", "partition"])
    there = answers.partitions(shown)
    listed = _answer(["sinfo", "--noheader", "--Node", f"--format={answers.NODES_FORMAT}"])
    nodes = answers.nodes(listed)
    found = [
        *watching(profile, config),
        accounting(config, wanted),
        *(
            submission.judge_partition(name, there, nodes, wanted.accounts, site.name)
            for name in wanted.partitions
        ),
    ]
    if not (profile.get("default-resources") or {}).get("slurm_partition"):
        found.append(submission.judge_default_partition(there, site.name))
    found += _who(wanted, config, site.name)
    return [*found, submission.judge_gres(settings, needs, nodes)]


def _answer(command: list[str]) -> str:
    """Output of a command that has to succeed; SlurmError with what it said."""
    answer = ask(command, timeout_s=ASK_S)
    if answer.code:
        raise SlurmError(f"{command[0]} said: {answer.said}")
    return answer.out


def watching(profile: Mapping[str, Any], config: Mapping[str, str]) -> list[Finding]:
    """How Snakemake's plugin will look after its jobs: by which command, and for how long."""
    if profile.get("executor") != "slurm":
        return [
            Finding(
                "profile",
                "slurm",
                "missing",
                f"expected executor: slurm in the profile, found {profile.get('executor')!r}",
                "site.profile=NAME of a profile of a cluster, or site.scheduler=none",
                required=True,
            )
        ]
    return [_status_command(profile), _min_job_age(profile, config)]


def _status_command(profile: Mapping[str, Any]) -> Finding:
    named = profile.get("slurm-status-command")
    if named == "squeue":
        return Finding("status command", "slurm", "ok", "squeue", required=True)
    found = "none, which means sacct" if named is None else repr(named)
    return Finding(
        "status command",
        "slurm",
        "missing",
        f"expected squeue, found {found}: the plugin does not know sacct's 'CANCELLED by ...' and "
        "waits for ever for a job that somebody cancelled",
        "slurm-status-command: squeue in the profile",
        required=True,
    )


def _min_job_age(profile: Mapping[str, Any], config: Mapping[str, str]) -> Finding:
    interval = int(profile.get("slurm-init-seconds-before-status-checks", PLUGIN_INTERVAL_S))
    written = config.get("MinJobAge", "nothing")
    age = answers.seconds(written)
    if age is not None and age >= CHECKS * interval:
        said = f"{age} s, at least {CHECKS} first intervals of {interval} s"
        return Finding("MinJobAge", "slurm", "ok", said, required=True)
    return Finding(
        "MinJobAge",
        "slurm",
        "missing",
        f"expected at least {CHECKS * interval} s ({CHECKS} times the first interval between "
        f"status checks), found {written}: the plugin would fall back to sacct",
        f"slurm-init-seconds-before-status-checks: {max(1, (age or 0) // CHECKS)} in the profile, "
        "or ask the site to raise MinJobAge",
        required=True,
    )


def accounting(config: Mapping[str, str], wanted: submission.Asked) -> Finding:
    """Whether the cluster keeps accounts: with none of them an account cannot be given."""
    kind = config.get("AccountingStorageType", "(null)")
    enforced = config.get("AccountingStorageEnforce", "none")
    if kind.endswith("slurmdbd"):
        return Finding("accounting", "slurm", "ok", f"{kind}, enforced: {enforced}")
    if wanted.accounts:
        return Finding(
            "accounting",
            "slurm",
            "missing",
            f"expected accounting for account {wanted.accounts[0]!r}, found {kind}: the plugin "
            "checks the account at every submission and fails",
            "site.account=null and no slurm_account in the profile",
            required=True,
        )
    return Finding(
        "accounting",
        "slurm",
        "warning",
        f"expected accounting_storage/slurmdbd, found {kind}",
        "nothing; the cause of a job's death is told less precisely",
    )


def _who(wanted: submission.Asked, config: Mapping[str, str], site: str) -> list[Finding]:
    """Accounts and qualities of service; asked only where the cluster keeps accounts."""
    if not config.get("AccountingStorageType", "").endswith("slurmdbd"):
        return []
    user = getpass.getuser()
    show = ["sacctmgr", "--noheader", "--parsable2", "show"]
    told = ask(
        [*show, "assoc", f"user={user}", f"format={answers.ASSOCIATIONS_FORMAT}"], timeout_s=ASK_S
    )
    if told.code:
        return [
            Finding(
                "accounts",
                "slurm",
                "warning",
                f"expected sacctmgr to list the accounts of {user}, found: {told.said}",
                "try again when slurmdbd is well; account and qos were not looked at",
            )
        ]
    own = answers.associations(told.out)
    found = [submission.judge_account(name, user, own, site) for name in wanted.accounts]
    if not wanted.accounts:
        known = ", ".join(sorted({a.account for a in own})) or "none"
        said = f"none named: SLURM takes the default account of {user} (accounts: {known})"
        found.append(Finding("account", "slurm", "ok", said))
    if wanted.qos:
        known_qos = _answer([*show, "qos", "format=name"]).split()
        found += [submission.judge_qos(name, known_qos, own, site) for name in wanted.qos]
    return found
