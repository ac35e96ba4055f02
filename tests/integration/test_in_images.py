"""The same analysis in the analysis image, and models' code in the sandbox image: same bits."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from executors.container import StepContainer, step_prefix
from pipeline.artefacts import artefacts
from pipeline.files import read_json
from pipeline.replay import compare_runs
from tests.command import SMALL_DATA, Ladon
from tests.images import image
from tests.integration.test_real_data import SELECTED_2020

pytestmark = pytest.mark.apptainer
STEPS = 28
"""Of a whole run: every rule but those that only join files."""


class Started:
    """What was started with Apptainer: it stands first on PATH and writes each start down."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.list = folder / "started"
        program = folder / "bin" / "apptainer"
        program.parent.mkdir()
        program.write_text(
            f'#!/bin/sh\necho "$*" >>"{self.list}"\nexec {shutil.which("apptainer")} "$@"\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=":")

    def steps(self) -> list[str]:
        """Names of the steps, in their order."""
        lines = self.list.read_text().splitlines()
        return [line.partition(" -m pipeline.steps.")[2].split()[0] for line in lines]


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Started:
    folder = tmp_path / "started by"
    folder.mkdir()
    return Started(folder, monkeypatch)


@pytest.fixture(scope="session")
def analysis() -> Path:
    """The analysis image with the code that lies here."""
    return image("analysis", todays=True)


def test_stages_in_the_image_give_the_same_bits(
    scripted_run: Ladon, analysis: Path, started: Started
) -> None:
    scripted_run(
        "run", "run.name=in_image", "stages=[inspect,convert]", *SMALL_DATA,
        f"site.container={analysis}",
    )  # fmt: skip
    outputs = scripted_run.folder / "outputs"
    inside, outside = artefacts(outputs / "in_image"), artefacts(outputs / "small")
    made = [name for name in inside if "/convert/output/" in name or name.endswith("solution.py")]
    assert len(made) >= 5
    assert {name: inside[name] for name in made} == {name: outside[name] for name in made}
    assert {"solve", "execute", "judge", "fileset"} <= set(started.steps())
    provenance = read_json(outputs / "in_image" / "provenance.json")
    record = read_json(analysis.with_name(f"{analysis.name}.json"))
    assert provenance["container"]["sha256"] == record["sha256"]
    assert provenance["sandbox"]["name"] == "bubblewrap"


@pytest.mark.slow
@pytest.mark.realdata
def test_2020_four_leptons_in_the_image(
    ladon: Ladon, samples: Path, analysis: Path, started: Started
) -> None:
    ladon(
        "run", "channel=hzz4l", "data=opendata_2020", f"data.location='{samples / '2020e-13tev'}'",
        "data.verify=none", "data.partial=true", "solver=reference", "run.name=real2020",
        f"site.container={analysis}",
    )  # fmt: skip
    results = ladon.results("real2020")
    found = {n: (s["entries"], s["selected"]) for n, s in results["samples"].items()}
    assert found == SELECTED_2020
    assert "execute" in started.steps()


@pytest.mark.slow
def test_a_whole_run_in_the_image_gives_the_same_bits(
    scripted_run: Ladon, analysis: Path, started: Started
) -> None:
    scripted_run("run", "run.name=whole", *SMALL_DATA, f"site.container={analysis}")
    outputs = scripted_run.folder / "outputs"
    compared = compare_runs(outputs / "small", outputs / "whole")
    assert compared.differences == ()
    assert compared.counts["outputs"] > 100
    assert len(started.steps()) >= STEPS - 2


@pytest.mark.slow
def test_the_command_itself_in_the_image_gives_the_same_bits(
    scripted_run: Ladon, analysis: Path
) -> None:
    inside = StepContainer(analysis, scripted_run.folder, user_namespace=os.geteuid() == 0)
    done = subprocess.run(
        [*step_prefix(inside), "ladon", "run", "run.name=inside", *SMALL_DATA],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = scripted_run.folder / "outputs"
    assert read_json(outputs / "inside/provenance.json")["git"] == "unknown"
    compared = compare_runs(outputs / "small", outputs / "inside")
    assert compared.differences == ()
    assert compared.counts["outputs"] > 100


@pytest.mark.slow
@pytest.mark.sandbox
def test_models_code_in_the_sandbox_image_gives_the_same_bits(scripted_run: Ladon) -> None:
    scripted_run(
        "run", "run.name=sandboxed", *SMALL_DATA, "site.sandbox=apptainer",
        f"site.sandbox_image={image('sandbox')}",
    )  # fmt: skip
    outputs = scripted_run.folder / "outputs"
    assert read_json(outputs / "sandboxed/provenance.json")["sandbox"]["name"] == "apptainer"
    compared = compare_runs(outputs / "small", outputs / "sandboxed")
    assert compared.differences == ()
    assert compared.counts["outputs"] > 100
