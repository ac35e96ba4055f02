"""What tools/setup.sh leaves behind, beyond that everything can be imported."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.mark.parametrize("module", ["snakemake.workflow", "scipy.stats", "pipeline.cli"])
def test_packages_are_compiled(module: str) -> None:
    """Else, where Python may not write, each process of each step would compile them again."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    compiled = Path(importlib.util.cache_from_source(spec.origin))
    assert compiled.exists(), f"expected {compiled}; `make setup` makes it"
