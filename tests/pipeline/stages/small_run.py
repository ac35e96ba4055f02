"""A diphoton analysis small enough for a test: converted tables, and stages that are really run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.configure import configure
from pipeline.files import write_json, write_table
from pipeline.judge.request import JudgeRequest
from pipeline.settings import Settings
from pipeline.stages.contract import StageContext
from pipeline.stages.order import READS, SEALED
from pipeline.stages.solution import load_solution

SIGNAL = {"343981": ("ggH", 0.11, 3.0e6), "346214": ("VBF", 0.0085, 8.0e5)}
"""DSID -> process, cross-section times branching ratio in pb, sum of weights."""
DATA = "data15_periodD"


def settings(solver: str = "agent") -> Settings:
    """Settings of hyy in 2025, for a solver of that name."""
    made = configure(
        ["data=opendata_2025", "data.location=nowhere", "run.name=small", "site.sandbox=none"]
    )
    return replace(made, solver=replace(made.solver, name=solver))


def converted(sample: str, rows: int, seed: int = 7) -> pd.DataFrame:
    """A converted table: continuum for data, a peak and signed weights for simulation."""
    draw = np.random.default_rng([seed, *sample.encode()])
    is_data, vbf = sample == DATA, sample == "346214"
    mass = 100 + draw.exponential(30, rows) if is_data else draw.normal(125, 1.7, rows)
    good = draw.random((4, rows)) < (0.62 if is_data else 0.95)
    jets = draw.poisson(0.5 if is_data else 1.0, rows) + 2 * vbf
    sign = np.where(draw.random(rows) < 0.06, -1.0, 1.0)
    return pd.DataFrame(
        {
            "run_number": np.full(rows, 276262 if is_data else 284500),
            "event_number": 1 + 3 * np.arange(rows),
            "channel_number": np.full(rows, 0 if is_data else int(sample)),
            "weight": np.ones(rows) if is_data else sign * draw.normal(1, 0.05, rows),
            "sum_weights": np.full(rows, np.nan if is_data else SIGNAL[sample][2]),
            "ph1_tight": good[0],
            "ph1_isolated": good[1],
            "ph2_tight": good[2],
            "ph2_isolated": good[3],
            "n_jets_central": jets,
            "n_bjets": np.minimum(draw.poisson(0.05, rows), jets),
            "ht_jets": (jets * draw.gamma(3, 20, rows)).astype(np.float32),
            "met_pt": draw.gamma(2, 9 if is_data else 13, rows).astype(np.float32),
            "pt_yy": draw.gamma(2, 16 if is_data else 28, rows),
            "m_yy": mass,
        }
    )


@dataclass(frozen=True)
class SmallRun:
    """A folder with `reference/` and `points/`, in which stages are executed as the graph would."""

    folder: Path
    settings: Settings
    fileset: Mapping[str, Any]

    @classmethod
    def make(cls, folder: Path, data_rows: int = 12_000, signal_rows: int = 3_000) -> SmallRun:
        """Converted tables, blinded and sealed, with ledger and fileset."""
        samples: dict[str, Any] = {DATA: _sample("data", "data", "data", None, None)}
        for name, (process, cross_section, total) in SIGNAL.items():
            samples[name] = _sample("mc", process, "signal", cross_section, total)
        run = cls(folder, settings(), {"samples": samples})
        convert = folder / "reference" / "convert"
        for name in samples:
            table = converted(name, data_rows if name == DATA else signal_rows)
            if name == DATA:
                write_table(convert / "sealed" / f"{name}.parquet", table)
                flags = table[["ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated"]]
                inside = table["m_yy"].between(120, 130, inclusive="neither")
                table = table[~(flags.all(axis=1) & inside)].reset_index(drop=True)
            write_table(convert / "output" / f"{name}.parquet", table)
        write_json(convert / "output" / "ledger.json", {"samples": {}})
        return run

    def upstream(self, stage: str, owner: str) -> dict[str, Path]:
        """Folders that a stage reads: those of `owner` where they are, else the reference's."""
        own = {s: self.folder / owner / s for s in READS[stage]}
        return {s: p if p.exists() else self.folder / "reference" / s for s, p in own.items()}

    def reference(self, *stages: str, code: str | None = None) -> None:
        """Execute our own solutions, or `code` in their place."""
        for stage in stages:
            self._execute(stage, code or reference_code(stage), "reference")

    def solve(self, stage: str, code: str, owner: str = "points/main") -> JudgeRequest:
        """Freeze `code` as the solution of a stage, execute it, and ask for its verdict."""
        self._execute(stage, code, owner)
        return self.request(stage, owner)

    def request(self, stage: str, owner: str = "points/main") -> JudgeRequest:
        """The question to the judge about a stage that was executed."""
        return JudgeRequest(
            stage=stage,
            settings=self.settings if owner != "reference" else settings("reference"),
            fileset=self.fileset,
            solution_path=self.folder / owner / stage / "solution.py",
            output=self.folder / owner / stage,
            reference=self.folder / "reference" / stage,
            upstream=self.upstream(stage, owner),
            reference_upstream=self.upstream(stage, "reference"),
            record={"status": "ok", "failure": None},
        )

    def _execute(self, stage: str, code: str, owner: str) -> None:
        contract = import_module(f"pipeline.stages.{stage}.contract").CONTRACT
        folder = self.folder / owner / stage
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "solution.py").write_text(code, encoding="utf-8")
        for name, sealed in (("output", False), ("sealed", True)):
            if sealed and stage not in SEALED:
                continue
            context = StageContext(self.settings, self.fileset, self.upstream(stage, owner), sealed)
            arguments = contract.arguments(context)
            module = load_solution(folder / "solution.py", contract.defines)
            product = contract.accept(contract.call(module, arguments), arguments)
            contract.write(product, folder / name)


def _sample(
    kind: str, process: str, role: str, cross_section: float | None, total: float | None
) -> dict[str, Any]:
    return {
        "kind": kind, "process": process, "role": role, "dsid": None, "xsec_pb": cross_section,
        "filter_efficiency": None if kind == "data" else 1.0,
        "k_factor": None if kind == "data" else 1.0, "sum_of_weights": total,
        "complete": True, "normalisable": kind == "mc", "reason": None, "files": ["x"],
    }  # fmt: skip


def reference_code(stage: str) -> str:
    """Our own solution of a stage, as the text of a module."""
    path = Path(str(import_module(f"pipeline.stages.{stage}.reference").__file__))
    return path.read_text(encoding="utf-8")


def spoiled(stage: str, tail: str) -> str:
    """Our own solution followed by `tail`, which may redefine its function on top of `honest`.

    It gets whole tables, so that every column can be spoiled.
    """
    name = {"preprocess": "preprocess", "classify": "scores", "categorize": "boundaries",
            "measure": "measure"}[stage]  # fmt: skip
    code = reference_code(stage).replace("from __future__ import annotations", "import numpy as np")
    return f"{code}\n\nCOLUMNS = None\nhonest = {name}\n\n\n{tail}"
