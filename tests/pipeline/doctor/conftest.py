"""A SLURM that only answers: its commands are scripts that print what a real one printed."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
TOOLS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo", "sacctmgr")


def golden(name: str, version: str = "22.05") -> str:
    """What SLURM of that version printed."""
    return (GOLDEN / f"slurm-{version}" / f"{name}.txt").read_text(encoding="utf-8")


SlurmOf = Callable[..., Path]


@pytest.fixture
def slurm_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SlurmOf:
    """Puts on PATH, alone, a SLURM whose answers are the golden ones or those given instead."""

    def make(**instead: str) -> Path:
        folder = tmp_path / "slurm-bin"
        folder.mkdir()
        for name in ("config", "partition", "nodes", "associations"):
            (folder / f"{name}.txt").write_text(instead.get(name, golden(name)))
        (folder / "qos.txt").write_text(instead.get("qos", "normal\n"))

        def shown(name: str) -> str:
            return f"exec /bin/cat {shlex.quote(str(folder / name))}.txt"

        scripts = {
            "scontrol": f"case $2 in config) {shown('config')};; *) {shown('partition')};; esac",
            "sinfo": shown("nodes"),
            "sacctmgr": f"case $4 in qos) {shown('qos')};; *) {shown('associations')};; esac",
        }
        for tool in TOOLS:
            program = folder / tool
            program.write_text(f"#!/bin/sh\n{instead.get(tool, scripts.get(tool, 'exit 1'))}\n")
            program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        return folder

    return make
