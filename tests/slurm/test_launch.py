"""`sbatch launch.sh` on the testbed: the numbers of the laptop, on several nodes, nothing left."""

from __future__ import annotations

from pathlib import Path

import pytest

from executors.slurm.jobs import jobs_of, tag_of
from pipeline.files import read_json
from pipeline.replay import compare_runs
from tests.command import SMALL, SMALL_DATA, Ladon
from tests.images import image
from tests.slurm.launching import Launched, Launcher

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1800)]

GIVEN = (*SMALL_DATA, "chain=isolated", "stages=[inspect,convert,measure]")
"""Agents write three stages; fed by the reference, they run beside its six and not after them."""
TENTH = ("data.luminosity=3.61",)
"""A tenth of the luminosity, and agents write all stages."""


@pytest.fixture(scope="module")
def scripted(launcher: Launcher) -> Launched:
    """The scripted agents' run on the testbed, finished."""
    launched = launcher("scripted", *GIVEN)
    launched.succeeded()
    return launched


def test_a_scripted_run_has_the_bits_of_the_laptop(scripted: Launched, tmp_path: Path) -> None:
    """Those of the six stages of the reference too."""
    laptop = Ladon(tmp_path)
    laptop("run", "run.name=scripted", *GIVEN)
    same_bits(laptop.folder / "outputs" / "scripted", scripted)
    assert len(list(scripted.folder.glob("reference/*/*/record.json"))) == 6


@pytest.mark.slow
def test_a_tenth_of_the_luminosity_too(
    launcher: Launcher, tmp_path_factory: pytest.TempPathFactory
) -> None:
    launched = launcher("tenth", *TENTH)
    launched.succeeded()
    laptop = Ladon(tmp_path_factory.mktemp("laptop"))
    laptop("run", "run.name=tenth", *TENTH)
    same_bits(laptop.folder / "outputs" / "tenth", launched)


def same_bits(laptop: Path, launched: Launched) -> None:
    compared = compare_runs(laptop, launched.folder)
    assert compared.same, compared.differences
    assert compared.counts["results"] == 1
    assert compared.counts["outputs"] > 100


def test_it_ran_as_jobs_on_two_nodes_and_left_none(scripted: Launched) -> None:
    assert {"cpu1", "cpu2"} <= scripted.nodes()
    assert len(list(scripted.folder.glob("logs/slurm/**/*.log"))) >= 3
    assert jobs_of(tag_of(scripted.folder)) == []
    assert {s["outcome"] for s in scripted.results()["stages"].values()} == {"passed"}


def test_convert_was_an_allocation_of_four_tasks(scripted: Launched) -> None:
    profile = (scripted.folder / "profile" / "config.yaml").read_text()
    assert "tasks: 4" in profile
    ledger = read_json(scripted.folder / "points" / "main" / "convert" / "output" / "ledger.json")
    assert all(sample["complete"] for sample in ledger["samples"].values())
    assert list((scripted.folder / "logs" / "dask").iterdir()) == []  # nothing of the meeting


def test_the_same_command_again_computes_nothing(scripted: Launched, launcher: Launcher) -> None:
    before = {p: p.stat().st_mtime_ns for p in scripted.folder.glob("points/main/*/record.json")}
    again = launcher("scripted", *GIVEN)
    again.succeeded(300)
    assert {p: p.stat().st_mtime_ns for p in before} == before


@pytest.mark.slow
@pytest.mark.realdata
def test_four_leptons_of_real_files(launcher: Launcher, samples: Path) -> None:
    launched = launcher(
        "real", "channel=hzz4l", "data=opendata_2020", "data.verify=none", "data.partial=true",
        f"data.location={samples / '2020e-13tev'}", "solver=reference", "stages=[inspect,convert]",
    )  # fmt: skip
    launched.succeeded()
    found = {k: v["selected"] for k, v in launched.results()["samples"].items() if v["entries"]}
    assert found == {"data_A": 27, "data_B": 86, "data_C": 146}
    launched.left_nothing()


@pytest.mark.slow
def test_workers_that_are_jobs_of_their_own_give_the_same_bits(
    launcher: Launcher, tmp_path_factory: pytest.TempPathFactory
) -> None:
    given = (*SMALL, "stages=[inspect,convert]")
    elastic = launcher("elastic", "site.executor=elastic", *given)
    worker = elastic.until(
        lambda: [j for j in elastic.jobs if j.name.endswith("_dask") and j.node],
        "a worker job", 300,
    )  # fmt: skip
    assert worker[0].id != elastic.job
    elastic.succeeded()
    elastic.left_nothing()
    laptop = Ladon(tmp_path_factory.mktemp("laptop"))
    laptop("run", "run.name=elastic", *given)
    compared = compare_runs(laptop.folder / "outputs" / "elastic", elastic.folder)
    assert compared.same, compared.differences


@pytest.mark.slow
@pytest.mark.apptainer
def test_every_step_in_the_image_gives_the_same_bits(
    scripted: Launched, launcher: Launcher
) -> None:
    box = image("analysis", todays=True)
    launched = launcher("boxed", *GIVEN, f"site.container={box}")
    launched.succeeded()
    launched.left_nothing()
    compared = compare_runs(scripted.folder, launched.folder)
    assert compared.same, compared.differences
    assert "apptainer" in (launched.folder / "sweep.json").read_text()
    record = read_json(box.with_name(f"{box.name}.json"))
    provenance = read_json(launched.folder / "provenance.json")
    assert provenance["container"]["sha256"] == record["sha256"]
    log = launched.folder / "logs" / "execute" / "points" / "main" / "convert.log"
    assert "tls://" in log.read_text()  # Dask's tasks were in it too
