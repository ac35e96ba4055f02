"""The chosen site against SLURM's answers: which findings stop a run, and what they say."""

from __future__ import annotations

import getpass
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pipeline.configure import configure
from pipeline.doctor import slurm
from pipeline.doctor.finding import Finding
from pipeline.doctor.needs import Needs
from pipeline.doctor.slurm_answers import nodes
from pipeline.doctor.submission import judge_gres
from pipeline.settings import Settings
from tests.pipeline.doctor.conftest import SlurmOf, golden

pytestmark = pytest.mark.usefixtures("in_tmp")


def looked(*overrides: str) -> dict[str, Finding]:
    settings = configure(["site=testbed", *overrides])
    return {finding.name: finding for finding in slurm.look(settings, Needs.of(settings))}


def profile_with(folder: Path, **keys: object) -> str:
    """Override that names a copy of the testbed's profile with other keys; None removes one."""
    from pipeline.profile import load_profile

    content = {**load_profile("testbed"), **{k.replace("_", "-"): v for k, v in keys.items()}}
    (folder / "profile").mkdir()
    kept = {key: value for key, value in content.items() if value is not None}
    (folder / "profile" / "config.yaml").write_text(yaml.safe_dump(kept))
    return f"site.profile={folder}/profile"


def only_fatal(found: dict[str, Finding]) -> Finding:
    (fatal,) = (finding for finding in found.values() if finding.fatal)
    return fatal


def test_testbed_is_well(slurm_of: SlurmOf) -> None:
    slurm_of()
    found = looked()
    assert [f.name for f in found.values() if f.state != "ok"] == []
    assert found["SLURM"].said == "22.05.8, cluster ladon"
    assert found["partition cpu"].said.startswith("up, 2 of 2 nodes take jobs, up to 4 CPUs")
    assert found["account ladon"].required
    assert found["GPUs of nodes"].said.startswith("generic resources: gpu, gpu:fake")


def test_no_slurm(slurm_of: SlurmOf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = slurm_of()
    (folder / "sbatch").unlink()
    missing = only_fatal(looked())
    assert "found no sbatch on PATH" in missing.said
    assert "login node" in missing.next_step
    laptop = configure(["site=laptop"])
    (told,) = slurm.look(laptop, Needs.of(laptop))
    assert (told.state, told.fatal) == ("missing", False)


def test_controller_is_silent(slurm_of: SlurmOf) -> None:
    slurm_of(scontrol="echo 'Unable to contact slurm controller' >&2; exit 1")
    assert "Unable to contact slurm controller" in only_fatal(looked()).said


def test_partition_that_does_not_exist(slurm_of: SlurmOf) -> None:
    slurm_of()
    missing = only_fatal(looked("site.partition=nope"))
    assert missing.name == "partition nope"
    assert "known: cpu, gpu" in missing.said
    assert "site.partition=NAME" in missing.next_step


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"partition": golden("partition").replace("State=UP", "State=INACTIVE")}, "INACTIVE"),
        ({"nodes": golden("nodes").replace("idle", "down*")}, "cpu1 down*, cpu2 down*"),
        (
            {"partition": golden("partition").replace("AllowAccounts=ALL", "AllowAccounts=x")},
            "account 'ladon'",
        ),
    ],
)
def test_partition_that_takes_no_job(
    change: dict[str, str], message: str, slurm_of: SlurmOf
) -> None:
    slurm_of(**change)
    missing = only_fatal(looked())
    assert missing.name == "partition cpu"
    assert message in missing.said


def test_account_of_somebody_else(slurm_of: SlurmOf) -> None:
    slurm_of()
    missing = only_fatal(looked("site.account=wrong"))
    assert missing.name == "account wrong"
    assert f"expected {getpass.getuser()} to have the account 'wrong'" in missing.said
    assert "known: ladon" in missing.said


def test_accounts_are_compared_as_the_plugin_does(slurm_of: SlurmOf) -> None:
    slurm_of()
    assert looked("site.account=LADON")["account LADON"].state == "ok"


def test_account_on_a_cluster_without_accounting(slurm_of: SlurmOf) -> None:
    none = golden("config").replace("accounting_storage/slurmdbd", "accounting_storage/none")
    slurm_of(config=none)
    missing = only_fatal(looked())
    assert missing.name == "accounting"
    assert "account 'ladon'" in missing.said


def test_slurmdbd_is_down(slurm_of: SlurmOf) -> None:
    slurm_of(sacctmgr="echo 'slurm_persist_conn_open' >&2; exit 1")
    accounts = looked()["accounts"]
    assert (accounts.state, accounts.fatal) == ("warning", False)


def test_qos(slurm_of: SlurmOf) -> None:
    slurm_of(qos="normal\ndebug\n")
    assert looked("site.qos=normal")["qos normal"].state == "ok"
    missing = only_fatal(looked("site.qos=debug"))  # there, and not this user's
    assert "known: normal" in missing.said


@pytest.mark.parametrize("command", ["sacct", None])
def test_status_command_that_hangs(command: str | None, slurm_of: SlurmOf, in_tmp: Path) -> None:
    slurm_of()
    missing = only_fatal(looked(profile_with(in_tmp, slurm_status_command=command)))
    assert missing.name == "status command"
    assert "waits for ever" in missing.said
    assert missing.next_step == "slurm-status-command: squeue in the profile"


@pytest.mark.parametrize(("interval", "state"), [(100, "ok"), (101, "missing")])
def test_min_job_age(interval: int, state: str, slurm_of: SlurmOf, in_tmp: Path) -> None:
    slurm_of()
    found = looked(profile_with(in_tmp, slurm_init_seconds_before_status_checks=interval))
    assert (found["MinJobAge"].state, found["MinJobAge"].fatal) == (state, state == "missing")
    if state == "missing":
        assert "expected at least 303 s" in found["MinJobAge"].said
        assert "checks: 100 in the profile" in found["MinJobAge"].next_step


def test_min_job_age_against_the_interval_of_the_plugin(slurm_of: SlurmOf, in_tmp: Path) -> None:
    slurm_of(config=golden("config").replace("300 sec", "60 sec"))
    override = profile_with(in_tmp, slurm_init_seconds_before_status_checks=None)
    assert "expected at least 120 s" in looked(override)["MinJobAge"].said


def test_profile_of_a_laptop_on_a_cluster(slurm_of: SlurmOf) -> None:
    slurm_of()
    missing = only_fatal(looked("site.profile=laptop", "site.account=ladon"))
    assert "expected executor: slurm in the profile" in missing.said


def test_no_partition_named_and_no_default(slurm_of: SlurmOf, in_tmp: Path) -> None:
    slurm_of(partition=golden("partition").replace("Default=YES", "Default=NO"))
    missing = only_fatal(looked(profile_with(in_tmp, default_resources={"mem_mb": 1000})))
    assert missing.name == "partition"
    assert "there are cpu, gpu" in missing.said


def served(gpus: int, **site: object) -> Settings:
    """Settings whose model is served by the testbed, with so many GPUs."""
    settings = configure(
        ["site=testbed", "model=qwen2_5_coder_7b", "model.base_url=http://127.0.0.1:9/v1"]
    )
    model = replace(
        settings.model, base_url=None, serve=replace(settings.model.serve, gpus=gpus, nodes=1)
    )
    serve = replace(settings.site.serve, **site)
    return replace(settings, model=model, site=replace(settings.site, serve=serve))


def test_gpus_that_a_server_asks_for() -> None:
    there = nodes(golden("nodes"))

    def judged(settings: Settings) -> Finding:
        return judge_gres(settings, Needs.of(settings), there)

    assert judged(served(2)).state == "ok"
    assert judged(served(4)).fatal
    assert "expected a node of partition gpu with gpu:4" in judged(served(4)).said
    assert judged(served(1, partition="cpu")).fatal
    assert judged(served(1, gres="gpu:a100")).fatal
    assert judged(served(0)).state == "ok"
