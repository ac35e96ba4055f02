"""A conversion that is killed goes on where it was, to the same bits, and leaves nobody behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from executors import make_executor
from pipeline.files import sha256_file, write_json
from pipeline.settings import Settings, to_dict
from pipeline.stages.convert.contract import reference_path
from pipeline.stages.convert.product import write_product
from pipeline.stages.convert.runner import convert_all
from tests.pipeline.stages.convert.files import fileset

ROOT = Path(__file__).resolve().parents[4]
CODE = """
import sys
from pathlib import Path
from executors import make_executor
from pipeline.files import read_json
from pipeline.settings import load
from pipeline.stages.convert.product import write_product
from pipeline.stages.convert.runner import convert_all

if __name__ == "__main__":
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    with make_executor(kind, 2) as executor:
        product = convert_all(
            folder / "solution.py", read_json(folder / "fileset.json"),
            load(folder / "settings.json"), folder / "chunks", executor,
        )
    write_product(product, folder / "output", folder / "sealed")
"""


@pytest.mark.parametrize("kind", ["processes", pytest.param("dask", marks=pytest.mark.slow)])
def test_killed_and_started_again(
    kind: str, tmp_path: Path, files: dict[str, list[Path]], settings: Settings
) -> None:
    slow = reference_path(settings).read_text().replace(
        "    first, photons =", "    import time; time.sleep(0.1)\n    first, photons =", 1
    )  # fmt: skip
    (tmp_path / "solution.py").write_text(slow)
    (tmp_path / "main.py").write_text(CODE)
    content = fileset(files, 60)
    write_json(tmp_path / "fileset.json", content)
    write_json(tmp_path / "settings.json", to_dict(settings))
    command = [sys.executable, str(tmp_path / "main.py"), str(tmp_path), kind]
    surroundings = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)}

    child = psutil.Popen(command, env=surroundings, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while len(list((tmp_path / "chunks").rglob("*.json"))) < 4:
        assert time.monotonic() < end, "no chunk was finished in time"
        time.sleep(0.05)
    family = child.children(recursive=True)
    child.kill()
    child.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]
    finished = {p: p.stat().st_mtime_ns for p in (tmp_path / "chunks").rglob("*.json")}
    assert 4 <= len(finished) < len(content["chunks"])
    assert not (tmp_path / "output").exists()

    subprocess.run(command, env=surroundings, check=True, timeout=120)
    assert {p: p.stat().st_mtime_ns for p in finished} == finished
    assert len(list((tmp_path / "chunks").rglob("*.json"))) == len(content["chunks"])

    undisturbed = tmp_path / "undisturbed"
    with make_executor("inline") as executor:
        product = convert_all(
            reference_path(settings), content, settings, undisturbed / "chunks", executor
        )
    write_product(product, undisturbed / "output", undisturbed / "sealed")
    for path in [*undisturbed.glob("*/*.parquet"), undisturbed / "output" / "cutflow.json"]:
        same = tmp_path / path.relative_to(undisturbed)
        assert sha256_file(path) == sha256_file(same), path.name
