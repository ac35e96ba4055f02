"""Ways over the same events: a plain read, the official notebook's way, convert, and a skim.

Each is a function of a file that a fresh process calls; it returns the number of rows it made.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import uproot
import vector

from executors import make_executor, reading, spent
from executors.base import Chunk, ChunkExecutor, Ok
from pipeline.configure import configure
from pipeline.data.schema import door
from pipeline.files import sha256_file
from pipeline.settings import Settings
from pipeline.skim import keep_skim, read_skim, take_parts
from pipeline.stages.convert.contract import CONTRACT, reference_path
from pipeline.stages.convert.runner import convert_all
from pipeline.stages.convert.store import ChunkStore
from pipeline.stages.convert.task import ConvertTask
from pipeline.stages.jail import TRUSTED, Jail
from pipeline.stages.solution import load_solution

INFLATER = "zlib"
"""What uproot inflates with as it comes; our reader has it take isal (executors/reading.py)."""
SAME_INFLATER = "isal "
"""Before the name of a way: it inflates with isal, as our reader does."""
AT_ONCE = "not ahead "
"""Before the name of a way: chunks are read when they are worked on, and not before."""
REPEATS = 3
"""Times that a process repeats its work, after once to warm up; the fastest counts."""


def settings() -> Settings:
    """Those of `ladon run` with our own solutions: H→γγ on synthetic data of release 2025."""
    return configure(["solver=reference"])


def branches() -> list[str]:
    """The branches of the file that the reference solution of convert reads."""
    solution = load_solution(reference_path(settings()), CONTRACT.defines)
    return door(settings().data.release).physical(solution.BRANCHES)


def plain(path: Path) -> Callable[[], int]:
    """Read the branches, chunk by chunk, and do nothing with them."""
    names, step = branches(), settings().data.chunk_size

    def read() -> int:
        source = {str(path): settings().channel.tree}
        return sum(len(events) for events in uproot.iterate(source, names, step_size=step))

    return read


def notebook(path: Path) -> Callable[[], int]:
    """The columns of convert, made as the official notebook makes its mass spectrum.

    uproot.iterate, one mask after the other on all branches, vector for the four-momenta, and
    awkward's padding for the objects that an event may not have.
    """
    names, step = branches(), settings().data.chunk_size

    def convert() -> int:
        rows = 0
        source = {str(path): settings().channel.tree}
        for events in uproot.iterate(source, names, step_size=step):
            columns = _notebook_columns(events)
            rows += len(columns["m_yy"])
            with tempfile.TemporaryFile() as file:
                pq.write_table(pa.table(columns), file)
        return rows

    return convert


def _notebook_columns(data: ak.Array) -> dict[str, np.ndarray]:
    data = data[ak.num(data["photon_pt"]) >= 2]
    data = data[(data["photon_pt"][:, 0] > 50) & (data["photon_pt"][:, 1] > 30)]
    for i in (0, 1):
        eta = np.abs(data["photon_eta"][:, i])
        data = data[(eta < 2.37) & ((eta < 1.37) | (eta > 1.52))]
    photons = vector.zip({q: data[f"photon_{q}"] for q in ("pt", "eta", "phi", "e")})
    pair = photons[:, 0] + photons[:, 1]
    data["m_yy"], data["pt_yy"] = pair.M, pair.pt
    data = data[data["m_yy"] > 0]
    data = data[data["photon_pt"][:, 0] / data["m_yy"] > 0.35]
    data = data[data["photon_pt"][:, 1] / data["m_yy"] > 0.35]
    jets = data["jet_pt"] > 25
    leptons = data["lep_pt"] > 10
    columns = {name: data[name] for name in data.fields if data[name].ndim == 1}
    for i in (0, 1):
        for q in ("pt", "eta", "phi", "e", "isTightID"):
            columns[f"ph{i + 1}_{q}"] = data[f"photon_{q}"][:, i]
        columns[f"ph{i + 1}_isolation"] = (data["photon_ptcone20"] / data["photon_pt"])[:, i]
    for prefix, mask, number in (("lep", leptons, 2), ("jet", jets, 6)):
        order = ak.argsort(data[f"{prefix}_pt"][mask], axis=1, ascending=False)
        for q in ("pt", "eta", "phi"):
            values = data[f"{prefix}_{q}"][mask][order]
            slots = ak.fill_none(ak.pad_none(values, number, clip=True), np.nan)
            columns |= {f"{prefix}{i + 1}_{q}": slots[:, i] for i in range(number)}
    columns["n_leptons"], columns["n_jets"] = ak.sum(leptons, axis=1), ak.sum(jets, axis=1)
    columns["n_jets_central"] = ak.sum(jets & (np.abs(data["jet_eta"]) < 2.5), axis=1)
    columns["n_bjets"] = ak.sum(jets & (data["jet_btag_quantile"] >= 4), axis=1)
    columns["ht_jets"] = ak.sum(data["jet_pt"][jets], axis=1)
    return {name: ak.to_numpy(values) for name, values in columns.items()}


def fileset(path: Path, where: str | None = None) -> dict[str, Any]:
    """One file of data, in chunks of the default size, to be read there or from an address."""
    tree, step = settings().channel.tree, settings().data.chunk_size
    with uproot.open(path) as file:
        entries = file[tree].num_entries
    chunks = [
        {"id": f"{start:016x}", "sample": "data", "path": where or str(path), "start": start,
         "stop": min(start + step, entries)}
        for start in range(0, entries, step)
    ]  # fmt: skip
    files = [{"path": str(path), "entries": entries, "verified": "checksum"}]
    samples = {"data": {"kind": "data", "complete": True, "files": files}}
    return {"tree": tree, "samples": samples, "chunks": chunks}


def converted(
    path: Path,
    executor: ChunkExecutor,
    folder: Path,
    jail: Jail = TRUSTED,
    where: str | None = None,
) -> Callable[[], int]:
    """Everything that `ladon run` does for a chunk, each time into an empty store in `folder`."""
    files, chosen, number = fileset(path, where), settings(), count()

    def convert() -> int:
        store = folder / str(next(number))
        product = convert_all(reference_path(chosen), files, chosen, store, executor, jail=jail)
        return sum(o.record.rows for o in product.outcomes if o.record is not None)

    return convert


def from_skim(path: Path, executor: ChunkExecutor, folder: Path) -> Callable[[], int]:
    """The same chunks from a skim of them, which is verified each time; no ROOT file is read."""
    files, chosen, number = fileset(path), settings(), count()
    solution = reference_path(chosen)
    made = convert_all(solution, files, chosen, folder / "chunks", executor)
    kept = keep_skim(made, chosen, folder / "skims")
    assert kept is not None

    def take() -> int:
        root = folder / str(next(number))
        store = ChunkStore.of(root, sha256_file(solution), chosen)
        take_parts(kept, read_skim(kept), files, store)
        product = convert_all(solution, files, chosen, root, executor)
        return sum(o.record.rows for o in product.outcomes if o.record is not None)

    return take


@dataclass(frozen=True)
class PeakMemory:
    """Convert, and tell the most memory that the worker has had."""

    task: ConvertTask

    @property
    def branches(self) -> Any:
        return self.task.branches

    def __call__(self, events: Any, chunk: Chunk) -> dict[str, Any]:
        self.task(events, chunk)
        return {"peak_gb": spent.max_rss_mb() * 1024**2 / 1e9}


def peak_memory_gb(path: Path) -> float:
    """The most memory that a worker process has had, in GB."""
    chosen = settings()
    solution = reference_path(chosen)
    digest = sha256_file(solution)
    with tempfile.TemporaryDirectory() as store:
        kept = ChunkStore.of(Path(store), digest, chosen)
        task = ConvertTask(
            str(solution), digest, chosen.channel, chosen.data.release, frozenset({"data"}), kept
        )
        chunks = [
            Chunk(c["id"], c["sample"], c["path"], chosen.channel.tree, c["start"], c["stop"])
            for c in fileset(path)["chunks"]
        ]
        with make_executor("processes", 2, 2.0) as executor:
            results = executor.map(chunks, PeakMemory(task))
    return max(r.value["peak_gb"] for r in results if isinstance(r, Ok))


def main() -> None:
    """`python -m tests.benchmarks.ways WAY FILE [ADDRESS]`: seconds of the fastest repetition, and
    rows; the file is read from the address if there is one."""
    way, path = sys.argv[1], Path(sys.argv[2])
    where = sys.argv[3] if len(sys.argv) > 3 else None
    if way.startswith(AT_ONCE):
        way, reading.read_ahead = way.removeprefix(AT_ONCE), lambda chunk, branches: None
    if way == "memory":
        print(json.dumps({"peak_gb": peak_memory_gb(path)}))
        return
    with ExitStack() as stack:
        if way.removeprefix(SAME_INFLATER) in ("plain", "notebook"):
            if not way.startswith(SAME_INFLATER):
                uproot.compression._decompress_ZLIB.library = INFLATER
            way = way.removeprefix(SAME_INFLATER)
            work = {"plain": plain, "notebook": notebook}[way](path)
        else:
            kind, _, workers = way.removeprefix("sandboxed ").partition(":")
            place = "inline" if kind == "skim" else kind
            executor = stack.enter_context(make_executor(place, int(workers or 1), 2.0))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            walled = Jail.of(configure([])) if way.startswith("sandboxed ") else TRUSTED
            if kind == "skim":
                work = from_skim(path, executor, folder)
            else:
                work = converted(path, executor, folder, walled, where)
        rows = work()
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
    print(json.dumps({"seconds": min(times), "rows": rows}))


if __name__ == "__main__":
    main()
