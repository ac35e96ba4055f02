"""What is known of a synthetic sample and must not be in its file: the truth beside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data.synthetic.samples import HIGGS, SyntheticSample
from pipeline.data_settings import DataSettings
from pipeline.files import write_json, write_table

FOLDER = "truth"


@dataclass(frozen=True)
class ComponentTruth:
    """One component of a sample."""

    expected: float
    """Mean of what the generator drew: pairs in its phase space, or produced events."""
    entries: int
    """Events in the file."""
    signal: bool


def truth_folder(path: Path) -> Path:
    """Where the truth of the file at `path` is kept."""
    return path.parent / FOLDER


def write_truth(
    path: Path,
    sample: SyntheticSample,
    data: DataSettings,
    component: np.ndarray,
    names: tuple[str, ...],
    numbers: tuple[np.ndarray, np.ndarray] | None,
    expected: dict[str, float],
) -> Path:
    """Write `truth/<sample>.json` and, with `numbers`, a table of who made each event.

    `component` is an index into `names` per event of the file, `numbers` its run and event numbers.
    The table, `truth/<sample>.parquet`, has run_number, event_number, component (text) and signal
    (bool), in the order of the file. Returns the path of the JSON file.
    """
    folder = truth_folder(path)
    signal = np.array([name in HIGGS for name in names])
    components = {
        name: asdict(ComponentTruth(expected[name], int((component == i).sum()), bool(signal[i])))
        for i, name in enumerate(names)
    }
    description = {
        "schema": 1,
        "sample": sample.name,
        "channel": sample.channel,
        "seed": data.seed,
        "mu": data.mu if sample.kind == "data" else None,
        "luminosity_fb": data.luminosity * sample.share if sample.kind == "data" else None,
        "thinning": data.thinning if sample.kind == "data" else None,
        "components": components,
    }
    write_json(folder / f"{sample.name}.json", description)
    if numbers is not None:
        run, event = numbers
        table = pd.DataFrame(
            {
                "run_number": run.astype(np.int64),
                "event_number": event.astype(np.int64),
                "component": np.array(names, dtype=object)[component],
                "signal": signal[component],
            }
        )
        write_table(folder / f"{sample.name}.parquet", table)
    return folder / f"{sample.name}.json"
