"""The profile of a run follows from the site's own and from the settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from executors.slurm.jobs import prefix_of
from pipeline.configure import configure
from pipeline.paths import resource
from pipeline.profile import frozen_profile, load_profile, task_memory_mb, write_profile
from pipeline.settings import SettingsError

PROFILES = sorted(p.parent.name for p in resource("slurm/profiles").glob("*/config.yaml"))
SITES = ["testbed", "generic", "perlmutter"]
RULES = {"synthesize", "fileset", "fileset_parts", "adopt", "solve", "convert", "convert_part",
         "gather", "execute", "judge", "collect",
         "report"}  # fmt: skip


def test_a_site_has_its_profile() -> None:
    assert PROFILES == ["generic", "laptop", "perlmutter", "testbed"]


@pytest.mark.parametrize("name", PROFILES)
def test_every_key_is_explained(name: str) -> None:
    """By a comment behind it, by one above, or by the name that rules and SLURM give it."""
    text = (resource("slurm/profiles") / name / "config.yaml").read_text()
    lines = text.splitlines()
    told = {"mem_mb", "runtime", "cpus_per_task", "qos"}  # of a rule: SLURM's own words
    for number, line in enumerate(lines):
        key = re.match(r" *([a-z_-]+):", line)
        if key and "#" not in line and not lines[number - 1].lstrip().startswith("#"):
            assert key[1] in told, f"{name}: {line!r} is not explained"


@pytest.mark.parametrize("site", SITES)
def test_a_profile_names_rules_that_there_are(site: str) -> None:
    rules = set(load_profile(site)["set-resources"])
    text = "".join(p.read_text() for p in resource("pipeline/workflow/rules").glob("*.smk"))
    assert set(re.findall(r"^rule (\w+):", text, re.M)) == RULES
    assert rules <= RULES


@pytest.mark.parametrize("site", SITES)
def test_the_status_is_asked_by_squeue(site: str) -> None:
    """sacct's "CANCELLED by 0" hangs the plugin for ever."""
    profile = load_profile(site)
    assert profile["slurm-status-command"] == "squeue"
    assert profile["slurm-no-requeue"] is True


def test_convert_asks_for_an_allocation(tmp_path: Path) -> None:
    settings = configure(["site=testbed", "site.workers=6", "site.memory_gb=1.6"])
    convert = frozen_profile(load_profile("testbed"), settings, tmp_path)["set-resources"][
        "convert"
    ]
    assert (convert["mpi"], convert["tasks"], convert["cpus_per_task"]) == ("srun", 8, 1)
    assert convert["mem_mb_per_cpu"] == 2000 + 768  # a quarter more than Dask's; the sandbox
    assert "mem_mb" not in convert  # the plugin takes one of them
    assert convert["runtime"] == 30


def test_convert_on_one_node_asks_for_all_of_its_workers(tmp_path: Path) -> None:
    settings = configure(["site=testbed", "site.executor=processes", "solver=reference"])
    convert = frozen_profile(load_profile("testbed"), settings, tmp_path)["set-resources"][
        "convert"
    ]
    assert convert == {"runtime": 30, "mem_mb": 3000, "cpus_per_task": 2}
    assert task_memory_mb(settings) == 1000  # our own code runs in no sandbox


def test_a_model_s_code_meets_its_sandbox_before_slurm(tmp_path: Path) -> None:
    """A job has what the profile says and what the sandbox may take on top."""
    profile = load_profile("testbed")
    agent = frozen_profile(profile, configure(["site=testbed"]), tmp_path)["set-resources"]
    ours = frozen_profile(profile, configure(["site=testbed", "solver=reference"]), tmp_path)
    for rule in ("solve", "execute", "judge"):
        assert agent[rule]["mem_mb"] == ours["set-resources"][rule]["mem_mb"] + 768


def test_account_and_partition_of_the_user_win(tmp_path: Path) -> None:
    given = ["site=perlmutter", "site.account=m1234", "site.partition=p", "site.qos=debug"]
    frozen = frozen_profile(load_profile("perlmutter"), configure(given), tmp_path)
    default = frozen["default-resources"]
    assert (default["slurm_account"], default["slurm_partition"]) == ("m1234", "p")
    assert default["qos"] == frozen["set-resources"]["convert"]["qos"] == "debug"
    assert "qos" not in frozen["set-resources"]["solve"]


def test_jobs_are_named_by_the_run(tmp_path: Path) -> None:
    folder = write_profile(configure(["site=testbed"]), tmp_path)
    frozen = yaml.safe_load((folder / "config.yaml").read_text())
    assert frozen["slurm-jobname-prefix"] == prefix_of(tmp_path)
    assert frozen["slurm-logdir"] == str(tmp_path / "logs" / "slurm")
    assert frozen["jobs"] == 12


def test_a_laptop_has_cores_and_no_slurm(tmp_path: Path) -> None:
    frozen = frozen_profile(load_profile("laptop"), configure(["site.cores=3"]), tmp_path)
    assert frozen["cores"] == 3
    assert not [key for key in frozen if "slurm" in key or key in ("executor", "jobs")]


def test_a_profile_of_one_s_own(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("executor: slurm\n")
    assert load_profile(str(tmp_path)) == {"executor": "slurm"}
    (tmp_path / "config.yaml").write_text("a: b: c\n")
    with pytest.raises(SettingsError, match="expected YAML in"):
        load_profile(str(tmp_path))
    with pytest.raises(SettingsError, match="did you mean 'testbed'"):
        configure(["site=testbed", "site.profile=tesbed"])


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["site.executor=allocation"], "needs site.scheduler=slurm, found 'none'"),
        (["site=testbed", "site.executor=elastic", "site.container=x.sif"], "no sbatch in the"),
        (["site.container=x.sif", "site.sandbox=apptainer"], "site.sandbox=apptainer needs"),
        (["site=testbed", "site.elastic.minimum=4"], "site.elastic.minimum <= site.elastic.max"),
    ],
)
def test_what_does_not_go_together_is_said(overrides: list[str], says: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(says)):
        configure(overrides)


def test_parts_of_convert_ask_for_what_convert_asks_for(tmp_path: Path) -> None:
    settings = configure(["site=testbed"])
    rules = frozen_profile(load_profile("testbed"), settings, tmp_path)["set-resources"]
    assert rules["convert_part"] == rules["convert"]
    assert rules["gather"] == rules["execute"]  # tables in memory, on one node
