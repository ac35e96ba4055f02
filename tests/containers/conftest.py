"""The built images and their records, and what is run in them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.images import REPOSITORY, image


@dataclass(frozen=True)
class Image:
    """An image that containers/build.sh made, and its record."""

    path: Path
    record: dict[str, Any]

    def run(
        self, *command: str, binds: Sequence[tuple[Path, str]] = (), writable: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` in it as a rule of the graph would: no home, no environment of ours."""
        # A user namespace, because a root that lacks a capability cannot start a container.
        line = ["apptainer", "--silent", "exec", "--userns", "--cleanenv", "--contain", "--no-home"]
        for source, destination in binds:
            line += ["--mount", f"type=bind,source={source},destination={destination},ro"]
        if writable is not None:
            line += ["--mount", f"type=bind,source={writable},destination=/run_here"]
            line += ["--cwd", "/run_here"]
        return subprocess.run(
            [*line, str(self.path), *command], capture_output=True, text=True, timeout=300
        )


def built(name: str) -> Image:
    """The image `name` of today's sources, wherever it was put."""
    path = image(name, todays=True)
    return Image(path, json.loads(path.with_name(f"{path.name}.json").read_text()))


@pytest.fixture(scope="session")
def analysis() -> Image:
    """The image that runs rules."""
    return built("analysis")


@pytest.fixture(scope="session")
def sandbox_image() -> Image:
    """The image that a model's code sees."""
    return built("sandbox")


def constraints() -> dict[str, str]:
    """Package -> version of constraints.txt."""
    lines = (REPOSITORY / "constraints.txt").read_text().split()
    return dict(line.split("==") for line in lines)
