"""A run in bad weather: damaged files, a portal with 502s, dying workers, and a disk that is full.

Everything that may go away does, everything that may not is in quarantine with a reason, and every
chunk is counted once. `python -m pytest -m slow -s tests/chaos` prints what happened.
"""

from __future__ import annotations

import collections
import json
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.data.identity import basename
from pipeline.files import read_json
from tests.chaos.mirror import Mirror, luminosity, make_mirror, spoil
from tests.command import Ladon
from tests.mirror.upstream import Upstream, upstream

CHUNK = 13
"""Events: the mirror of 21 pieces per sample gives more than 5,000 chunks of it."""
DAMAGED, ILL = 0.01, 0.02
"""Shares of the files and of the answers of the portal."""
KILL_EVERY_S = 20.0


@dataclass
class Killer:
    """Sends SIGKILL to a worker of a process every `every_s` seconds."""

    family: psutil.Process
    every_s: float
    killed: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until `stop` is called or the family is gone."""
        chance = random.Random(7)
        while not self._stop.wait(self.every_s):
            workers = list(self._workers())
            if workers:
                chance.choice(workers).kill()
                self.killed += 1

    def stop(self) -> None:
        self._stop.set()

    def _workers(self) -> Iterator[psutil.Process]:
        """Processes of the pool: children of multiprocessing's server, which opened ROOT files."""
        try:
            everyone = self.family.children(recursive=True)
        except psutil.NoSuchProcess:
            return
        for process in everyone:
            try:
                parent = process.parent()
                line = " ".join(parent.cmdline()) if parent else ""
            except psutil.NoSuchProcess:
                continue
            if "forkserver" in line:
                yield process


@contextmanager
def small_disk(size: str) -> Iterator[Path]:
    """A file system of its own."""
    with tempfile.TemporaryDirectory(prefix="ladon-chaos-") as name:
        folder = Path(name) / "disk"
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("a file system that can be filled needs root (mount -t tmpfs)")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


@dataclass
class Weather:
    """A finished run, and what was done to it."""

    mirror: Mirror
    spoilt: dict[Path, str]
    portal: Upstream
    folder: Path
    killed: int
    said_when_full: str
    kept_when_full: int

    @property
    def ledger(self) -> dict[str, Any]:
        content: dict[str, Any] = read_json(
            self.folder / "points" / "main" / "convert" / "output" / "ledger.json"
        )
        return content


def _wait_for_chunks(folder: Path, child: subprocess.Popen[str], number: int) -> None:
    while child.poll() is None and len(list(folder.glob("chunks/*/*.json"))) < number:
        time.sleep(0.2)


@pytest.fixture(scope="module")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weather]:
    """The run: its disk full when a tenth is done, workers killed, to its end."""
    mirror = make_mirror(tmp_path_factory.mktemp("mirror"), 21)
    spoilt = spoil(mirror, DAMAGED, seed=3)
    with small_disk("700m") as disk, upstream(mirror.folder, ILL) as portal:
        ladon = Ladon(disk)
        command = [
            "run", "run.name=chaos", "channel=hyy", "data=opendata_2025", "solver=reference",
            "stages=[inspect,convert,preprocess]", f"data.manifest={mirror.manifest}",
            f"data.location={portal.url}/ok", "data.access=stream", f"data.cache={disk}/cache",
            f"data.luminosity={luminosity()}", f"data.chunk_size={CHUNK}", "site.retries=6",
        ]  # fmt: skip
        run = disk / "outputs" / "chaos"
        child = ladon.start(*command)
        _wait_for_chunks(run, child, 500)
        subprocess.run(
            ["dd", "if=/dev/zero", f"of={disk}/full", "bs=64k"], capture_output=True, check=False
        )
        said, _ = child.communicate(timeout=600)
        assert child.returncode == 1, said
        (disk / "full").unlink()
        kept = len(list(run.glob("chunks/*/*.json")))
        child = ladon.start(*command)
        killer = Killer(psutil.Process(child.pid), KILL_EVERY_S)
        thread = threading.Thread(target=killer.run, daemon=True)
        thread.start()
        text, _ = child.communicate(timeout=1800)
        killer.stop()
        thread.join()
        assert child.returncode == 0, text
        yield Weather(mirror, spoilt, portal, run, killer.killed, said, kept)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_every_chunk_is_counted_once(weather: Weather, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = weather.ledger
    chunks = ledger["chunks"]
    reasons = collections.Counter(
        c["reason"]["kind"] for c in chunks if c["status"] == "quarantined"
    )
    with capsys.disabled():
        print(
            f"\n{len(chunks):,} chunks of {len(weather.mirror.files)} files, of which "
            f"{len(weather.spoilt)} were damaged; {weather.portal.refused} of "
            f"{weather.portal.asked.total()} requests got a 502; {weather.killed} workers were "
            f"killed; the disk was full after {weather.kept_when_full} chunks; "
            f"quarantine: {dict(reasons)}"
        )
    assert len(chunks) >= 5_000
    assert len({c["id"] for c in chunks}) == len(chunks)
    assert weather.portal.refused > 0.01 * weather.portal.asked.total()
    assert weather.killed > 0
    assert 500 <= weather.kept_when_full < len(chunks)
    by_sample: dict[str, int] = collections.defaultdict(int)
    for c in chunks:
        by_sample[c["sample"]] += c["stop"] - c["start"]
    assert by_sample == dict(weather.mirror.entries)
    for name, counts in ledger["samples"].items():
        assert counts["entries_expected"] == weather.mirror.entries[name]
        done = [c for c in chunks if c["sample"] == name and c["status"] == "ok"]
        assert counts["entries_done"] == sum(c["stop"] - c["start"] for c in done)


@pytest.mark.slow
def test_quarantine_is_the_damaged_files_alone(weather: Weather) -> None:
    bad = [c for c in weather.ledger["chunks"] if c["status"] == "quarantined"]
    assert {c["reason"]["kind"] for c in bad} == {"file"}
    assert {c["file"] for c in bad} == {path.name for path in weather.spoilt}
    assert all("fetch" in c["reason"]["message"] for c in bad)


@pytest.mark.slow
def test_normalisation_is_refused_for_samples_that_lost_files_alone(weather: Weather) -> None:
    lost = {weather.mirror.sample_of(path) for path in weather.spoilt}
    samples = read_json(
        weather.folder / "points" / "main" / "preprocess" / "output" / "samples.json"
    )
    for name, facts in samples.items():
        assert facts["complete"] is (name not in lost), name
        if name in lost:
            assert not facts["normalisable"]
            assert "quarantined" in facts["reason"]
    results = json.loads((weather.folder / "points" / "main" / "results.json").read_text())
    assert results["samples"].keys() == weather.mirror.entries.keys()
    assert results["measurement"] is None


@pytest.mark.slow
def test_a_full_disk_is_a_sentence(weather: Weather) -> None:
    assert "No space left on device" in weather.said_when_full
    assert "Traceback" not in weather.said_when_full


@pytest.mark.slow
def test_the_other_samples_have_the_rows_of_fair_weather(
    weather: Weather, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same pieces from a folder, with no damage, no 502 and nobody killed: the same tables."""
    calm = Ladon(tmp_path_factory.mktemp("calm"))
    fresh = make_mirror(calm.folder / "mirror", 21)
    calm(
        "run", "run.name=calm", "channel=hyy", "data=opendata_2025", "solver=reference",
        "stages=[inspect,convert]", f"data.manifest={fresh.manifest}",
        f"data.location={fresh.folder}", f"data.luminosity={luminosity()}",
    )  # fmt: skip
    lost = {weather.mirror.sample_of(path) for path in weather.spoilt}
    where = Path("points", "main", "convert", "output")
    for name in weather.mirror.entries.keys() - lost:
        ours = (weather.folder / where / f"{name}.parquet").read_bytes()
        theirs = (calm.folder / "outputs" / "calm" / where / f"{name}.parquet").read_bytes()
        assert ours == theirs, name
    assert lost, "nothing was lost: the test shows nothing"


def test_the_mirror_is_what_its_manifest_says(tmp_path: Path) -> None:
    """Two pieces per sample: names, sums and entries; a spoilt file keeps its length."""
    mirror = make_mirror(tmp_path, 2)
    assert len(mirror.files) == 2 * len(mirror.entries)
    sizes = {p: p.stat().st_size for p in mirror.files}
    spoilt = spoil(mirror, 0.1, seed=1)
    assert len(spoilt) == round(0.1 * len(mirror.files))
    assert set(spoilt.values()) == {"no header", "no directory", "zeros within"}
    assert {p: p.stat().st_size for p in mirror.files} == sizes
    assert basename(str(mirror.files[0])).endswith("_0000.root")
