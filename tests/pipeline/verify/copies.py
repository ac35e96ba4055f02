"""Copies of a run whose files can be changed without changing the run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.files import to_json
from pipeline.report import make_report
from pipeline.results import collect
from pipeline.settings import load
from pipeline.sweep.point import Point
from pipeline.verify.findings import Failure, Group


@dataclass(frozen=True)
class Copy:
    """A copy by hard links: a file is replaced, never written into."""

    path: Path

    @classmethod
    def of(cls, run: Path, path: Path) -> Copy:
        shutil.copytree(
            run, path, copy_function=os.link, ignore=shutil.ignore_patterns(".snakemake")
        )
        return cls(path)

    def write(self, name: str, content: bytes) -> None:
        """Put other bytes in the place of a file."""
        file = self.path / name
        mode = file.stat().st_mode if file.exists() else 0o644
        file.unlink(missing_ok=True)
        file.write_bytes(content)
        file.chmod(mode)

    def replace(self, name: str, old: str, new: str) -> None:
        """Change the first place of a text."""
        text = (self.path / name).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {name}"
        self.write(name, text.replace(old, new, 1).encode())

    def flip(self, name: str) -> None:
        """Change one bit in the middle of a file."""
        content = bytearray((self.path / name).read_bytes())
        content[len(content) // 2] ^= 1
        self.write(name, bytes(content))

    def json(self, name: str) -> Any:
        return json.loads((self.path / name).read_text(encoding="utf-8"))

    def edit(self, name: str, change: Callable[[Any], None]) -> None:
        """Change the content of a JSON file."""
        content = self.json(name)
        change(content)
        self.write(name, to_json(content).encode())

    def remove(self, name: str) -> None:
        (self.path / name).unlink()

    def redraw(self) -> None:
        """Draw the report again, as whoever hides an edit would."""
        for name in ("report.html", "summary.json", "summary.csv"):
            (self.path / name).unlink()
        for folder in ("figures", "tables"):
            shutil.rmtree(self.path / folder, ignore_errors=True)
        make_report(self.path)


def as_sweep(run: Copy) -> None:
    """Make the copy of a run a sweep of two points that are equal but for their name.

    The second took over what the first made.
    """
    for folder in ("points", "dialogues/points"):
        shutil.copytree(run.path / folder / "main", run.path / folder / "second")
    for timing in sorted(run.path.glob("points/second/*/timing.json")):
        name = timing.relative_to(run.path).as_posix()
        run.edit(name, lambda content: content.update(taken_over=True))
    settings = load(run.path / "points" / "main" / "settings.json")

    def add(sweep: Any) -> None:
        sweep["points"].append("second")
        sweep["asked"] = list(sweep["points"])
        for member in ("plan", "settings_sha256"):
            sweep[member]["second"] = sweep[member]["main"]
        sweep["choices"] = {p: {"model": "scripted", "trial": "0"} for p in sweep["points"]}
        sweep["identity"] = {p: Point(p, settings).identity for p in sweep["points"]}

    run.edit("sweep.json", add)
    shutil.rmtree(run.path / "figures")
    for name in ("report.html", "summary.json", "summary.csv"):
        run.remove(name)
    told = run.json("points/main/results.json")["provenance"]
    results = collect(run.path, "second")
    results["provenance"] = {**results["provenance"], "git": told["git"]}
    run.write("points/second/results.json", to_json(results).encode())
    make_report(run.path)


def sentences(group: Group) -> list[str]:
    return [failure.sentence for failure in group.failures]


def of_file(group: Group, name: str) -> list[Failure]:
    """The failures of one file."""
    return [failure for failure in group.failures if failure.file == name]
