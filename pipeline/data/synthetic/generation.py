"""Makes the file of a synthetic sample, its record and its truth."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.synthetic.batch import Batch, concatenate
from pipeline.data.synthetic.columns import (
    Columns,
    data_columns,
    simulated_columns,
    sums_of_weights,
)
from pipeline.data.synthetic.continuum import COMPONENTS, continuum, expected
from pipeline.data.synthetic.periods import data_numbers
from pipeline.data.synthetic.photons import tight_and_isolated
from pipeline.data.synthetic.rootfile import write_tree
from pipeline.data.synthetic.samples import SyntheticSample, sample_of
from pipeline.data.synthetic.simulation import (
    generator_weights,
    in_data,
    process_events,
    scale_factors,
)
from pipeline.data.synthetic.streams import Random, stream
from pipeline.data.synthetic.truth import write_truth
from pipeline.data.verify import adler32_file
from pipeline.data_settings import DataSettings

Record = dict[str, Any]
"""What the fileset needs to know of a file: see `make_file`."""
Streams = Callable[[str], Random]


def make_file(channel: str, sample: str, data: DataSettings, path: Path) -> Record:
    """Make one sample's file at `path`, atomically, with its truth in `truth/` beside it.

    The record holds sample, kind, process, dsid, uri, path (absolute), size, adler32, entries,
    cross_section_pb, filter_efficiency, k_factor, n_events, sum_of_weights and
    sum_of_weights_squared (None for data), as a manifest would. The same channel, sample, settings
    and file name give the same bytes. Raises GenerationError for a sample that cannot be made.
    """
    made = sample_of(channel, sample)
    streams = partial(stream, data.seed, channel, sample)
    path.parent.mkdir(parents=True, exist_ok=True)
    if made.kind == "data":
        entries = _make_data(made, data, streams, path)
        return _record(made, path, entries, None)
    return _make_simulation(made, data, streams, path)


def _make_data(made: SyntheticSample, data: DataSettings, streams: Streams, path: Path) -> int:
    """A data period: everything that it holds, shuffled; the number of its entries."""
    parts = in_data(streams, made, data.luminosity, data.mu)
    if made.channel == "hyy":
        share = data.luminosity * made.share
        parts = _thinned(parts, data.thinning, streams("thinning"))
        for c in COMPONENTS:
            mean = sum(expected(c, share, data.thinning))
            parts[c.name] = (mean, continuum(streams(c.name), c, share, data.thinning))
    means = {name: float(mean) for name, (mean, _) in parts.items()}
    batch = concatenate([events for _, events in parts.values()])
    del parts
    order = streams("order").permutation(len(batch))
    run, event = data_numbers(streams("numbers"), made.name, len(batch))
    _write(path, batch, order, data_columns(made, run, event))
    write_truth(path, made, data, batch.component[order], batch.names, (run, event), means)
    return len(batch)


def _thinned(
    parts: dict[str, tuple[float, Batch]], thinning: float, random: Random
) -> dict[str, tuple[float, Batch]]:
    """Higgs bosons among the thinned events, thinned alike: else they would stand out there."""
    kept = {}
    for name, (mean, batch) in parts.items():
        good = tight_and_isolated(batch.objects["photon"])
        kept[name] = (mean, batch.take(good | (random.random(len(batch)) < thinning)))
    return kept


def _make_simulation(
    made: SyntheticSample, data: DataSettings, streams: Streams, path: Path
) -> Record:
    """A simulated sample, with signed weights and scale factors."""
    events = streams("events")
    batch, kept = process_events(events, made.channel, made.process, made.generated)
    weights = generator_weights(streams("weights"), made.real, made.generated)
    factors = scale_factors(streams("scale factors"), made.channel, len(batch))
    _write(path, batch, np.arange(len(batch)), simulated_columns(made, weights, kept, factors))
    means = {made.process: float(made.generated)}
    write_truth(path, made, data, batch.component, batch.names, None, means)
    return _record(made, path, len(batch), sums_of_weights(weights))


def _write(path: Path, batch: Batch, order: np.ndarray, columns: Columns) -> None:
    """Write beside `path` under the same file name, which ROOT keeps inside the file, and move."""
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        write_tree(folder / path.name, batch, order, columns)
        os.replace(folder / path.name, path)
    finally:
        shutil.rmtree(folder)


def _record(
    made: SyntheticSample, path: Path, entries: int, sums: tuple[float, float] | None
) -> Record:
    return {
        "sample": made.name,
        "kind": made.kind,
        "process": made.real.process,
        "dsid": made.real.dsid,
        "uri": made.uri,
        "path": str(path.resolve()),
        "size": path.stat().st_size,
        "adler32": adler32_file(path),
        "entries": entries,
        "cross_section_pb": made.real.cross_section_pb,
        "filter_efficiency": made.real.filter_efficiency,
        "k_factor": made.real.k_factor,
        "n_events": made.generated if sums else None,
        "sum_of_weights": sums[0] if sums else None,
        "sum_of_weights_squared": sums[1] if sums else None,
    }
