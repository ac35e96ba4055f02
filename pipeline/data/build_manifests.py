"""Builds the manifests in `data_manifests/` from the publisher's catalogue and tables.

    python -m pipeline.data.build_manifests --open-data DIR --output data_manifests

DIR holds `catalog.csv.gz`, `mc_13tev_373.csv` and `mc_2020.json`. Errors of these sources are put
right only by `corrections.json` in the output folder, each with its reason and source.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema

from pipeline.data.errors import ManifestError
from pipeline.data.identity import basename, normalise_adler32
from pipeline.data.manifest import MANIFEST_SCHEMA
from pipeline.files import read_json, replacing, sha256_file, to_json

CATALOG = "catalog.csv.gz"
TABLES = {"2020e-13tev": "mc_2020.json", "2025e-13tev-beta": "mc_13tev_373.csv"}
SKIMS = {"2020e-13tev": ("GamGam", "4lep"), "2025e-13tev-beta": ("GamGam", "exactly4lep")}
TREES = {"2020e-13tev": "mini", "2025e-13tev-beta": "analysis"}
CORRECTIONS = "corrections.json"

Facts = dict[str, Any]


def main() -> None:
    """Write one manifest per release, checked against `manifest.schema.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open-data", required=True, type=Path)
    parser.add_argument("--output", required=True, type=Path)
    given = parser.parse_args()
    for release in SKIMS:
        manifest = build(release, given.open_data, given.output / CORRECTIONS)
        jsonschema.validate(manifest, read_json(given.output / "manifest.schema.json"))
        path = given.output / f"{release}.json.gz"
        write_manifest(path, manifest)
        counts = ", ".join(f"{n} {len(s['samples'])}" for n, s in manifest["skims"].items())
        print(f"{path}: {counts} samples, {path.stat().st_size} bytes")


def build(release: str, open_data: Path, corrections: Path) -> dict[str, Any]:
    """The manifest of a release in its JSON form. Raises ManifestError if sources disagree."""
    table = _table_2020(open_data) if release == "2020e-13tev" else _table_2025(open_data)
    patches = read_json(corrections)
    with gzip.open(open_data / CATALOG, "rt", encoding="utf-8", newline="") as handle:
        rows = [r for r in csv.DictReader(handle) if r["release"] == release]
    skims = {
        skim: {
            "tree": TREES[release],
            "samples": _samples((r for r in rows if r["skim"] == skim), table),
        }
        for skim in SKIMS[release]
    }
    _apply(release, skims, patches)
    sources = {name: open_data / name for name in (CATALOG, TABLES[release])}
    sources[CORRECTIONS] = corrections
    return {
        "schema": MANIFEST_SCHEMA,
        "release": release,
        "sources": {name: sha256_file(path) for name, path in sources.items()},
        "skims": skims,
    }


def write_manifest(path: Path, manifest: dict[str, Any]) -> None:
    """Write compressed JSON; the same content gives the same bytes (no time, no file name)."""
    with replacing(path) as temporary:
        temporary.write_bytes(gzip.compress(to_json(manifest).encode(), 9, mtime=0))


def _samples(rows: Iterable[dict[str, str]], table: dict[str, Facts]) -> dict[str, Facts]:
    """Samples of a skim by name; the rows of one sample are its files."""
    samples: dict[str, Facts] = {}
    for row in rows:
        name = row["dsid_or_run"]
        if name not in samples:
            samples[name] = _data(name) if row["kind"] == "data" else _mc(row, table)
        samples[name]["files"].append(
            {
                "uri": row["uri"],
                "size": int(row["size"]),
                "adler32": normalise_adler32(row["adler32"]),
                "entries": int(row["nevents"]) if row["nevents"] else None,
            }
        )
    return samples


def _data(name: str) -> Facts:
    return {"kind": "data", "dsid": None, "process": name, **_facts()}


def _mc(row: dict[str, str], table: dict[str, Facts]) -> Facts:
    """A simulated sample with the table's facts, or with a warning that the table has none."""
    dsid = row["dsid_or_run"]
    process = basename(row["uri"]).split(".")[1]
    sample = {"kind": "mc", "dsid": int(dsid), "process": process}
    # The 2020 table has several rows per DSID (one per family of skims): the short name decides.
    facts = table.get(f"{dsid}.{process}")
    if facts is None:
        warning = f"The release's table has no row for {dsid} {process}: it cannot be normalised."
        return {**sample, **_facts(), "warnings": [warning]}
    return {**sample, **_facts(**facts)}


def _facts(**known: Any) -> Facts:
    empty = dict.fromkeys(
        ("cross_section_pb", "filter_efficiency", "k_factor", "sum_of_weights",
         "sum_of_weights_squared", "n_events")
    )  # fmt: skip
    return {"files": [], **empty, **known, "corrections": [], "warnings": []}


def _table_2020(open_data: Path) -> dict[str, Facts]:
    return {
        f"{row['DSID']}.{name}": {
            "cross_section_pb": row["xsec"],
            "filter_efficiency": row["red_eff"],
            "k_factor": 1.0,
            "sum_of_weights": row["sumw"],
            "n_events": row.get("events"),
        }
        for name, row in read_json(open_data / TABLES["2020e-13tev"]).items()
    }


def _table_2025(open_data: Path) -> dict[str, Facts]:
    with (open_data / TABLES["2025e-13tev-beta"]).open(encoding="utf-8", newline="") as handle:
        return {
            f"{row['dataset_number']}.{row['physics_short']}": {
                "cross_section_pb": float(row["crossSection_pb"]),
                "filter_efficiency": float(row["genFiltEff"]),
                "k_factor": float(row["kFactor"]),
                "sum_of_weights": float(row["sumOfWeights"]),
                "sum_of_weights_squared": float(row["sumOfWeightsSquared"]),
                "n_events": int(float(row["nEvents"])),
            }
            for row in csv.DictReader(handle)
        }


def _apply(release: str, skims: dict[str, Any], patches: dict[str, Any]) -> None:
    """Put the reviewed patches into the samples; each must still fit what the sources say."""
    for patch in _of(release, patches["corrections"]):
        for sample in _matching(skims, patch):
            found = sample[patch["quantity"]]
            if found != patch["old"]:
                raise ManifestError(
                    f"expected {patch['quantity']} {patch['old']!r} of sample {patch['sample']}, "
                    f"found {found!r}; the source has changed: review {CORRECTIONS}"
                )
            sample[patch["quantity"]] = patch["new"]
            kept = ("quantity", "old", "new", "reason", "source")
            sample["corrections"].append({key: patch[key] for key in kept})
    for patch in _of(release, patches["warnings"]):
        for sample in _matching(skims, patch):
            sample["warnings"].append(patch["text"])
    for patch in _of(release, patches["entries"]):
        for sample in _matching({patch["skim"]: skims[patch["skim"]]}, patch):
            (file,) = sample["files"]
            file["entries"] = patch["entries"]


def _of(release: str, patches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [p for p in patches if p["release"] == release]


def _matching(skims: dict[str, Any], patch: dict[str, Any]) -> list[Facts]:
    found = [
        s["samples"][patch["sample"]] for s in skims.values() if patch["sample"] in s["samples"]
    ]
    if not found:
        raise ManifestError(
            f"{CORRECTIONS} names sample {patch['sample']!r} of release {patch['release']}, "
            f"which is in none of its skims {', '.join(skims)}: {json.dumps(patch)[:120]}"
        )
    return found


if __name__ == "__main__":
    main()
