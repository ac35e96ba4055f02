"""How fast convert is where files are read over the network, as ratios to the same local file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import awkward as ak
import pytest
import uproot

from executors.remote import open_remote
from pipeline.data.fetch.xrootd import installed
from pipeline.data.synthetic import generate_file
from tests.benchmarks.table import Row, check, printed
from tests.benchmarks.ways import AT_ONCE, settings
from tests.mirror.nginx import nginx
from tests.mirror.upstream import upstream
from tests.mirror.xrootd import xrootd

pytestmark = [pytest.mark.benchmark, pytest.mark.nginx]
LUMINOSITY = 15.0
"""fb^-1 of a synthetic period: about 500,000 events, six chunks."""
BASKET = 10_000
"""Events in a basket. The files of a release have small ones; ours have one for a chunk."""
LATE_MS = 40
"""That a far server takes for each answer: the way to another continent and back, or half of it."""
ASKED = 0.7
HELD = {"far": 0.0, f"far{AT_ONCE}": 0.0}
"""Ways that are shown and not asserted: nobody asked for them."""
ROUNDS = 4
ROOT = Path(__file__).resolve().parents[2]
NAME = "synthetic.root"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic period of data in small baskets, alone in its folder."""
    folder = tmp_path_factory.mktemp("stream")
    whole, path = folder / "whole" / NAME, folder / "mirror" / NAME
    for place in (whole, path):
        place.parent.mkdir()
    data = replace(settings().data, thinning=1.0, luminosity=LUMINOSITY)
    generate_file("hyy", "data16_periodL", data, whole)
    with uproot.open(whole) as source, uproot.recreate(path, compression=uproot.ZLIB(1)) as made:
        tree = source[settings().channel.tree]
        for events in tree.iterate(step_size=BASKET, how=dict):
            kept = {n: v for n, v in events.items() if n not in ("photon_n", "lep_n", "jet_n")}
            if tree.name not in made:
                made.mktree(tree.name, {n: ak.type(v).content for n, v in kept.items()})
            made[tree.name].extend(kept)
    return path


@pytest.fixture(scope="module")
def places(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Name -> address of the file; XRootD where it is installed."""
    with ExitStack() as stack:
        web = stack.enter_context(nginx(file.parent, tmp_path_factory.mktemp("nginx")))
        far = stack.enter_context(upstream(file.parent))
        found = {"nginx": f"{web.url}/{NAME}", "far": f"{far.url}/late-{LATE_MS}/{NAME}"}
        if installed():
            grid = stack.enter_context(xrootd(file.parent, tmp_path_factory.mktemp("xrootd")))
            found["xrootd"] = f"{grid}//{NAME}"
        for address in found.values():
            open_remote(address).close()
        yield found


def seconds(way: str, file: Path, *address: str) -> tuple[float, int]:
    """Of the fastest repetition in a fresh process, and the rows that it made."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.ways", way, str(file), *address],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    return told["seconds"], told["rows"]


@pytest.mark.timeout(1800)
def test_from_servers(
    file: Path, places: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    ways: dict[str, tuple[str, ...]] = {"local": ("inline",)}
    for name, address in places.items():
        ways[name] = ("inline", address)
    ways[f"far{AT_ONCE}"] = (f"{AT_ONCE}inline", places["far"])
    fastest: dict[str, float] = {}
    made: set[int] = set()
    for _ in range(ROUNDS):
        for name, (way, *address) in ways.items():
            took, rows = seconds(way, file, *address)
            fastest[name] = min(took, fastest.get(name, float("inf")))
            made.add(rows)
        if all(fastest["local"] / fastest[name] >= ASKED for name in {*fastest} - {*HELD}):
            break
    assert len(made) == 1, f"the ways do not make the same rows: {made}"
    labels = {
        "nginx": "from nginx / from the disk",
        "far": f"from a server that is {LATE_MS} ms away / from the disk",
        f"far{AT_ONCE}": "the same, with nothing read ahead",
        "xrootd": "from XRootD / from the disk",
    }
    rows = [
        Row(label, ASKED, fastest["local"] / fastest[name], "x", held=HELD.get(name))
        for name, label in labels.items()
        if name in fastest
    ]
    with capsys.disabled():
        print(printed("convert, streamed", rows, "tests/benchmarks/test_stream_speed.py"))
    check(rows)
