"""What a process took is its own."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import REPOSITORY

PARENT = """
import subprocess, sys
from executors import spent
held = b"x" * 300_000_000
child = "from executors import spent; print(spent.max_rss_mb())"
print(spent.max_rss_mb(), flush=True)
subprocess.run([sys.executable, "-c", child], check=True)
"""


def test_memory_is_not_what_the_parent_had() -> None:
    """A step that Snakemake starts is not as large as Snakemake."""
    said = subprocess.run(
        [sys.executable, "-c", PARENT], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    parent, child = map(float, said.stdout.split())
    assert parent > 286
    assert 1 < child < 200
