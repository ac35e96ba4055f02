"""No worker outlives the process that started it, however that one ends."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

CODE = """
import sys
from pathlib import Path
from executors import make_executor
from tests.executors.conftest import chunks_of
from tests.executors.tasks import Failing

if __name__ == "__main__":
    kind, path, folder = sys.argv[1:]
    with make_executor(kind, 2, 2.0, 0) as executor:
        executor.map(chunks_of(Path(path), 0, 500, 1000), Failing("sleep", "c1", Path(folder)))
"""


@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_workers_die_with_a_killed_parent(kind: str, root_file: Path, tmp_path: Path) -> None:
    script, folder = tmp_path / "main.py", tmp_path / "tries"
    script.write_text(CODE)
    folder.mkdir()
    root = Path(__file__).resolve().parents[2]
    parent = psutil.Popen(
        [sys.executable, str(script), kind, str(root_file), str(folder)],
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: (folder / "c1").exists(), 60)
    family = parent.children(recursive=True)
    assert len(family) >= 2
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]


def wait_for(condition, seconds: float) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the worker did not begin in time"
        time.sleep(0.05)
