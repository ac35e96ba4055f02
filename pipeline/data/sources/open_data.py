"""What the client's service and the portal would answer, made from a folder of published tables.

The folder holds `catalog.csv.gz` (release, record, kind, skim, DSID or run, URI, size, adler32 and
entries of each file) and the tables of simulated processes. The answers have the form of the real
services, so that the code that builds manifests is the same with and without a network.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from pipeline.data.identity import basename
from pipeline.data.sources.client import UNSKIMMED
from pipeline.data.sources.names import campaign_of
from pipeline.data.sources.samples import CLIENT_SKIMS
from pipeline.files import read_json

CATALOG = "catalog.csv.gz"
TABLES = {
    "2016e-8tev": "mc_8tev.json",
    "2020e-13tev": "mc_2020.json",
    "2024r-pp": "mc_13tev_373.csv",
    "2025e-13tev-beta": "mc_13tev_373.csv",
}
"""Release -> table of its simulated processes; the heavy-ion release has none."""

Row = dict[str, str]


class OpenData:
    """The folder, read when first asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sources(self, release: str) -> dict[str, Path]:
        """The files of the folder that a release's manifest is made from."""
        names = [CATALOG, *([TABLES[release]] if release in TABLES else ())]
        return {name: self.folder / name for name in names}

    def record(self, recid: int) -> dict[str, Any] | None:
        """The record as the portal answers it; None if the catalogue has none of that number."""
        rows = self._by_record.get(str(recid))
        if rows is None:
            return None
        direct: list[dict[str, Any]] = []
        indexes: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            entry = _entry(row)
            if row["kind"] == "data-index":
                direct.append({**entry, "type": "index.json"})
            elif (campaign := campaign_of(row["uri"])) is not None:
                indexes[self._index_name(row, campaign)].append(entry)
            else:
                direct.append(entry)
        listed = [
            {"key": key, "number_files": len(files), "files": files, "description": key}
            for key, files in indexes.items()
        ]
        return {
            "id": recid,
            "metadata": {"recid": str(recid), "files": direct, "_file_indices": listed},
        }

    def datasets(self, release: str) -> list[dict[str, Any]]:
        """The datasets of a release as the client's service answers them."""
        found = [dict(row) for row in self._table(release)]
        by_short = {d["physics_short"]: d for d in found}
        by_number = {d["dataset_number"]: d for d in found}
        for row in self._by_release.get(release, ()):
            if row["kind"] == "data-index":
                continue
            short = _process(row)
            number = "data" if row["kind"] == "data" else row["dsid_or_run"]
            dataset = by_number.get(number) if short is None else by_short.get(short)
            if dataset is None:
                dataset = {"dataset_number": number, "physics_short": short}
                found.append(dataset)
                by_short[short] = by_number[number] = dataset
            _list(dataset, row)
        return found

    @cached_property
    def rows(self) -> list[Row]:
        """All rows of the catalogue."""
        with gzip.open(self.folder / CATALOG, "rt", encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))

    @cached_property
    def _by_record(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            found[row["recid"]].append(row)
        return dict(found)

    @cached_property
    def _by_release(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            found[row["release"]].append(row)
        return dict(found)

    def _index_name(self, row: Row, campaign: str) -> str:
        """The name of the index that lists a file, as the publisher composes it."""
        if row["kind"] == "data":
            return f"{campaign}_Run_{row['dsid_or_run'].zfill(8)}_file_index.json"
        number = row["dsid_or_run"]
        return f"{campaign}_MC_{self._shorts(row['release']).get(number, number)}_file_index.json"

    @cache  # noqa: B019 (lives as long as the build)
    def _shorts(self, release: str) -> dict[str, str]:
        return {d["dataset_number"]: d["physics_short"] for d in self._table(release)}

    @cache  # noqa: B019 (lives as long as the build)
    def _table(self, release: str) -> list[dict[str, Any]]:
        if release not in TABLES:
            return []
        path = self.folder / TABLES[release]
        if path.suffix == ".csv":
            with path.open(encoding="utf-8", newline="") as handle:
                return [
                    {**row, "cross_section_pb": row["crossSection_pb"]}
                    for row in csv.DictReader(handle)
                ]
        return [
            {
                "dataset_number": str(row["DSID"]),
                "physics_short": name,
                "cross_section_pb": row["xsec"],
                # The share of the generated events that the files were cut down to: the official
                # code divides by it. It is no efficiency of a filter, which would multiply.
                "genFiltEff": 1.0,
                "kFactor": 1.0,
                "nEvents": row.get("events"),
                "sumOfWeights": row["sumw"] * row["red_eff"],
            }
            for name, row in read_json(path).items()
        ]


def _entry(row: Row) -> dict[str, Any]:
    entry = {"uri": row["uri"], "size": int(row["size"]), "checksum": row["adler32"]}
    return {**entry, "events": int(row["nevents"])} if row["nevents"] else entry


def _process(row: Row) -> str | None:
    """The short name in the name of a simulated file; None where names do not tell."""
    if row["kind"] != "mc" or campaign_of(row["uri"]) is not None:
        return None
    return basename(row["uri"]).split(".")[1]


def _list(dataset: dict[str, Any], row: Row) -> None:
    skim = CLIENT_SKIMS.get(row["skim"], row["skim"])
    if skim == UNSKIMMED:
        dataset.setdefault("file_list", []).append(row["uri"])
        return
    skims = dataset.setdefault("skims", [])
    for listed in skims:
        if listed["skim_type"] == skim:
            listed["file_list"].append(row["uri"])
            return
    skims.append({"skim_type": skim, "file_list": [row["uri"]]})
