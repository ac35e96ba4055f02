"""The verb: exit codes, the table and the JSON, in a process of its own as users have it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from pipeline.cli import main
from pipeline.configure import configure
from pipeline.doctor import ROOMS, report, sandboxes
from pipeline.doctor.finding import GROUPS, Finding, can_run
from tests.pipeline.doctor.conftest import SlurmOf

SCHEMA = json.loads(report.SCHEMA_PATH.read_text())
MISSING = Finding("partition x", "slurm", "missing", "expected x, found none", "take y", True)
OPTIONAL = Finding("SLURM", "slurm", "missing", "found none", "nothing")
FINE = Finding("python", "python", "ok", "3.11")


def doctor(*arguments: str) -> tuple[int, str]:
    """Exit code and output; in a process of its own, which tries sandboxes with its own PATH."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "doctor", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def document(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    jsonschema.validate(found, SCHEMA)
    return found


def test_a_laptop_without_slurm_and_without_anything_else_can_run(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(in_tmp))
    code, text = doctor("--json")
    found = document(text)
    states = {f["name"]: (f["state"], f["required"]) for f in found["findings"]}
    assert (code, found["site"], found["can_run"]) == (0, "laptop", True)
    assert states["SLURM"] == states["apptainer"] == ("missing", False)
    assert states["chosen"] == ("warning", False)  # only the plain sandbox is left
    assert states["plain network"] == ("ok", True)
    assert states["plain pid"] == ("warning", True)
    assert list(in_tmp.iterdir()) == []


@pytest.fixture
def without_sandboxes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sandboxes are not tried, in this process: what there is of them is remembered for good."""
    rooms = tuple(room for room in ROOMS if room is not sandboxes.look)
    monkeypatch.setattr("pipeline.doctor.ROOMS", rooms)


@pytest.mark.usefixtures("without_sandboxes")
def test_a_site_with_slurm_cannot_run_without_sbatch(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(in_tmp))
    assert main(["doctor", "site=testbed", "--nodes"]) == 1
    text = capsys.readouterr().out
    assert "site=testbed cannot run here; what is missing:" in text
    assert "SLURM: expected SLURM's commands, found no sbatch" in text
    assert "no job was tried" in text


@pytest.mark.usefixtures("without_sandboxes")
def test_answers_of_slurm_decide(
    slurm_of: SlurmOf, in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slurm_of()
    assert main(["doctor", "site=testbed", "--json"]) == 0
    assert document(capsys.readouterr().out)["can_run"]
    assert main(["doctor", "site=testbed", "site.partition=nope", "--json"]) == 1
    found = document(capsys.readouterr().out)
    fatal = [f["name"] for f in found["findings"] if f["required"] and f["state"] == "missing"]
    assert (found["can_run"], fatal) == (False, ["partition nope"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["doctor", "--nodes"], "found site=laptop, which has no scheduler"),
        (
            ["doctor", "--node"],
            "unknown option '--node' for doctor; known: --debug, --help, --json",
        ),
        (["doctor", "site=leptop"], "did you mean 'laptop'"),
        (["run", "--json"], "unknown option '--json' for run"),
    ],
)
def test_a_mistake_is_one_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], in_tmp: Path
) -> None:
    assert main(arguments) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_only_what_is_required_and_missing_stops_a_site() -> None:
    assert can_run([FINE, OPTIONAL])
    assert not can_run([FINE, MISSING])


def test_schema_and_groups_are_the_same() -> None:
    members = SCHEMA["$defs"]["finding"]["properties"]
    assert tuple(members["group"]["enum"]) == GROUPS
    assert set(members) == set(FINE.to_dict())
    made = report.document(configure([]), [FINE, MISSING.on("cpu1")])
    jsonschema.validate(made, SCHEMA)
    without_step = Finding("x", "files", "missing", "found none")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report.document(configure([]), [without_step]), SCHEMA)


def test_table_is_grouped_and_names_nodes() -> None:
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as captured:
        report.print_table(console, configure([]), [MISSING.on("cpu1"), OPTIONAL, FINE])
    lines = [" ".join(line.split()) for line in captured.get().splitlines()]
    assert lines == [
        "python",
        "✓ python 3.11",
        "slurm",
        "✗ SLURM found none → nothing",
        "slurm on cpu1",
        "✗ partition x expected x, found none → take y",
        "site=laptop cannot run here; what is missing:",
        "on node cpu1: partition x: expected x, found none; next: take y",
    ]
