"""A finished run directory, as the report reads it: which file holds what of a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from pipeline.files import read_json
from pipeline.report.errors import RunFolderError
from pipeline.report.results import validate_results
from pipeline.settings import Settings, load
from pipeline.workflow.layout import Layout, PointPlan


@dataclass(frozen=True)
class PointFolder:
    """One point of a run. Every path it gives is relative to the run directory, with slashes."""

    run: Path
    run_name: str
    plan: PointPlan
    settings: Settings
    results: dict[str, Any]
    fileset: dict[str, Any]

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def base(self) -> str:
        return f"points/{self.plan.name}"

    @property
    def results_file(self) -> str:
        return f"{self.base}/results.json"

    @property
    def settings_file(self) -> str:
        return f"{self.base}/settings.json"

    @property
    def fileset_file(self) -> str:
        return f"fileset/{self.plan.fileset}.json"

    @property
    def partial(self) -> bool:
        """Some of the release's data are not here, so that no luminosity belongs to the rest."""
        samples = self.fileset["samples"].values()
        done = self.results["samples"]
        return any(s["kind"] == "data" and not s["complete"] for s in samples) or any(
            s["kind"] == "data" and s.get("complete") is False for s in done.values()
        )

    def exists(self, relative: str) -> bool:
        return (self.run / relative).is_file()

    def own(self, stage: str, name: str) -> str | None:
        """The file `name` that this point's own `stage` made (sealed pass first), if it did."""
        return self._final(f"{self.base}/{stage}", name)

    def read_by(self, reader: str, stage: str, name: str) -> str | None:
        """The file `name` of `stage` that this point's `reader` read (sealed pass first).

        In an isolated chain that is the reference's file, in a chained one the point's own.
        """
        folder = self._upstream(reader).get(stage)
        return None if folder is None else self._final(folder, name)

    def visible(self, reader: str, stage: str, name: str) -> str | None:
        """As `read_by`, but what a solver may see: blinded rows are not in that file."""
        folder = self._upstream(reader).get(stage)
        if folder is None or not self.exists(f"{folder}/output/{name}"):
            return None
        return f"{folder}/output/{name}"

    def made_by(self, stage: str, name: str, sealed: bool = True) -> str | None:
        """The file `name` of `stage` that these results rest on.

        It is the point's own if the stage was asked for, and else the reference's.
        """
        asked = stage in self.plan.stages
        folder = f"{self.base if asked else f'reference/{self.plan.reference}'}/{stage}"
        if sealed:
            return self._final(folder, name)
        return f"{folder}/output/{name}" if self.exists(f"{folder}/output/{name}") else None

    def _upstream(self, reader: str) -> dict[str, str]:
        return Layout(self.run_name, (self.plan,)).upstream(self.base, reader)

    def _final(self, folder: str, name: str) -> str | None:
        for part in ("sealed", "output"):
            if self.exists(f"{folder}/{part}/{name}"):
                return f"{folder}/{part}/{name}"
        return None

    def json(self, relative: str) -> Any:
        return read_json(self.run / relative)

    def rows(self, relative: str) -> int:
        """Number of rows of a Parquet file, from its footer."""
        return int(pq.read_metadata(self.run / relative).num_rows)

    def table(self, relative: str, columns: Sequence[str]) -> pd.DataFrame:
        """Those of `columns` that a Parquet file has, with a plain 0..n-1 index."""
        file = pq.ParquetFile(self.run / relative)
        present = [c for c in columns if c in file.schema_arrow.names]
        table: pd.DataFrame = file.read(columns=present, use_threads=False).to_pandas()
        return table


def read_points(run: Path) -> tuple[PointFolder, ...]:
    """All points of a run directory, in the order of `sweep.json`.

    Raises RunFolderError if `sweep.json`, or a point's settings, fileset or results are missing,
    and ResultsError if a `results.json` does not meet its schema.
    """
    layout = Layout.load(_present(run / "sweep.json", "freeze the run"))
    return tuple(_read_point(run, layout.run, plan) for plan in layout.points)


def _read_point(run: Path, run_name: str, plan: PointPlan) -> PointFolder:
    base = run / "points" / plan.name
    results = read_json(_present(base / "results.json", "run the graph to its end"))
    validate_results(results)
    return PointFolder(
        run=run,
        run_name=run_name,
        plan=plan,
        settings=load(_present(base / "settings.json", "freeze the run")),
        results=results,
        fileset=read_json(_present(run / "fileset" / f"{plan.fileset}.json", "run the graph")),
    )


def _present(path: Path, remedy: str) -> Path:
    if not path.is_file():
        raise RunFolderError(
            f"expected the file {path.name!r} at {path}, found none; {remedy} with `ladon run` and "
            "the configuration of this run"
        )
    return path
