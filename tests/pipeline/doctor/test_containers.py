"""Images and programs: what the site names has to be there, and its Python has to work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.configure import configure
from pipeline.doctor import containers, machine, packages
from pipeline.doctor.finding import Finding
from pipeline.doctor.needs import Needs


def looked(*overrides: str) -> dict[str, Finding]:
    settings = configure(list(overrides))
    return {finding.name: finding for finding in containers.look(settings, Needs.of(settings))}


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def alone(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(in_tmp))
    monkeypatch.delenv("LADON_SANDBOX_IMAGE", raising=False)
    return in_tmp


def test_a_laptop_needs_none_of_them(alone: Path) -> None:
    assert not any(finding.fatal for finding in looked().values())


def test_what_the_site_names_is_needed(alone: Path) -> None:
    found = looked("site.container=image.sif")
    assert {name for name, f in found.items() if f.fatal} == {"apptainer", "container image"}
    assert f"site.container={alone}/image.sif, found none" in found["container image"].said
    found = looked("site.sandbox=apptainer")
    assert {name for name, f in found.items() if f.fatal} == {"apptainer", "sandbox image"}
    assert looked("site.sandbox=bubblewrap")["bubblewrap"].fatal


def test_an_image_that_serves_needs_apptainer(alone: Path) -> None:
    served = ["site=testbed", "model=qwen2_5_coder_7b", "site.serve.image=serve.sif"]
    found = looked(*served)
    assert {name for name, f in found.items() if f.fatal} == {"apptainer", "vLLM"}
    assert not looked("site.serve.image=serve.sif")["apptainer"].fatal


def test_an_image_whose_python_lacks_packages(alone: Path) -> None:
    (alone / "image.sif").touch()
    program(alone, "apptainer", '[ "$1" = --version ] && echo apptainer version 1.4.5 && exit 0\n'
            'printf "\\033[91mModuleNotFoundError: coffea\\033[0m\\n" >&2; exit 1')  # fmt: skip
    found = looked("site.container=image.sif")
    assert found["apptainer"].said == "apptainer version 1.4.5"
    assert found["container image"].fatal
    assert found["container image"].said.endswith("found: ModuleNotFoundError: coffea")


def test_an_image_that_works(alone: Path) -> None:
    (alone / "image.sif").touch()
    program(alone, "apptainer", "[ $1 = exec ] && [ $2 = --userns ] && echo 3.11.2")
    found = looked("site.container=image.sif", "site.container_options=[--userns]")
    assert "Python 3.11.2 has the packages" in found["container image"].said
    # Without the option root gets it all the same, as its steps do.
    assert looked("site.container=image.sif")["container image"].fatal is (os.geteuid() != 0)


def test_packages_that_slurm_needs() -> None:
    slurm, laptop = configure(["site=testbed"]), configure([])

    def states(settings: object, version: str | None) -> list[bool]:
        found = packages.look(settings, Needs.of(settings), lambda name: version)  # type: ignore[arg-type]
        return [finding.fatal for finding in found]

    # python, packages, snakemake, plugin, dask-jobqueue
    assert states(slurm, None) == [False, False, True, True, True]
    assert states(laptop, None) == [False, False, True, False, False]
    assert states(slurm, "2.6.9") == [False, False, False, True, False]
    assert states(slurm, "2.10.0") == [False, False, False, False, False]


def test_interface() -> None:
    there = {"lo": "127.0.0.1", "hsn0": "10.1.2.3"}
    assert machine.interface("hsn0", "site.interface", there, True).said == "10.1.2.3"
    missing = machine.interface("ib0", "site.interface", there, True)
    assert missing.fatal
    assert "found hsn0 (10.1.2.3), lo (127.0.0.1)" in missing.said
    assert not machine.interface("ib0", "site.interface", there, False).fatal
