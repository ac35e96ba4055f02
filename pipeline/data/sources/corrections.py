"""Errors of the sources, put right only by the reviewed entries of `corrections.json`.

`corrections` replace a value and say why and by which source; `warnings` are for values that look
wrong and have no sourced right one, of a sample or of several; `datasets` put right a number of the
client's table, so that its row is found; `entries` are counts that only a record or the official
samples state. An entry is for the sample in all skims, or where its facts are from the named `row`
of the table. `checked` is what looks wrong and is right: nothing is done to it, and a test holds
the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pipeline.data.errors import ManifestError
from pipeline.data.sources.client import Dataset
from pipeline.data.sources.reviewed import check_known, named
from pipeline.data.sources.samples import QUANTITIES, Sample

CORRECTIONS = "corrections.json"
PATCHES = ("datasets", "corrections", "warnings", "entries")
"""The lists of the file that are read here."""
KEPT = ("quantity", "old", "new", "reason", "source")

Skims = dict[str, dict[str, Any]]
Patch = dict[str, Any]


def check_patches(patches: dict[str, list[Patch]], releases: Iterable[str]) -> None:
    """ManifestError for an entry of a release or a quantity that there is not.

    It would be put into no manifest, and nobody would be told.
    """
    known = list(releases)
    for name in PATCHES:
        for patch in patches[name]:
            for release in named(patch, "release"):
                check_known("release", release, known, f"{name} of {CORRECTIONS}")
    for patch in patches["corrections"]:
        check_known("quantity", patch["quantity"], QUANTITIES, CORRECTIONS)


def renumbered(
    release: str, datasets: Iterable[Dataset], patches: dict[str, list[Patch]]
) -> list[Dataset]:
    """The client's datasets with the numbers that the reviewed file puts right.

    Raises ManifestError if the row that an entry names is not there as it says.
    """
    found = list(datasets)
    for patch in _of(release, patches["datasets"]):
        number = str(patch["old"])
        rows = [d for d in found if d.short == patch["process"] and d.number == number]
        if len(rows) != 1:
            raise ManifestError(
                f"expected one row {patch['process']} with number {patch['old']} in the table of "
                f"release {release}, found {len(rows)}; the source has changed: review "
                f"{CORRECTIONS}"
            )
        found[found.index(rows[0])] = replace(rows[0], number=str(patch["new"]))
    return found


def apply(release: str, skims: Skims, patches: dict[str, list[Patch]]) -> None:
    """Put the reviewed entries into the samples; each must still fit what the sources say.

    Raises ManifestError where an entry names no sample, or a value that is no longer there.
    """
    for patch in _of(release, patches["datasets"]):
        note = {"quantity": "dsid", **{key: patch[key] for key in KEPT if key != "quantity"}}
        for sample in _matching(release, skims, {**patch, "sample": str(patch["new"])}):
            if sample["process"] == patch["process"]:
                sample["corrections"].append(note)
    for patch in _of(release, patches["corrections"]):
        for sample in _matching(release, skims, patch):
            found = sample[patch["quantity"]]
            if found != patch["old"]:
                raise ManifestError(
                    f"expected {patch['quantity']} {patch['old']!r} of sample {patch['sample']}, "
                    f"found {found!r}; the source has changed: review {CORRECTIONS}"
                )
            sample[patch["quantity"]] = patch["new"]
            sample["corrections"].append({key: patch[key] for key in KEPT})
    for patch in _of(release, patches["warnings"]):
        for name in named(patch, "sample"):
            for sample in _matching(release, skims, {**patch, "sample": name}):
                sample["warnings"].append(patch["text"])
    for patch in _of(release, patches["entries"]):
        check_known("skim", patch["skim"], skims, CORRECTIONS)
        for sample in _matching(release, {patch["skim"]: skims[patch["skim"]]}, patch):
            if len(sample["files"]) != 1:
                raise ManifestError(
                    f"expected one file of sample {patch['sample']} of release {release}, whose "
                    f"entries {CORRECTIONS} gives, found {len(sample['files'])}; entries are of "
                    "a file: leave them out"
                )
            sample["files"] = [replace(sample["files"][0], entries=patch["entries"])]


def _of(release: str, patches: list[Patch]) -> list[Patch]:
    """The entries of a release."""
    return [p for p in patches if release in named(p, "release")]


def _matching(release: str, skims: Skims, patch: Patch) -> list[Sample]:
    """The samples that an entry names, in all skims; of these, if it names one, of that row."""
    named = [
        s["samples"][patch["sample"]] for s in skims.values() if patch["sample"] in s["samples"]
    ]
    row = patch.get("row")
    found = [s for s in named if row is None or (s["facts_source"] or "").endswith(f" {row}")]
    if not found:
        of = "" if row is None else f" with the table's row {row}"
        raise ManifestError(
            f"{CORRECTIONS} names sample {patch['sample']!r}{of} of release {release}, which is in "
            f"none of its skims {', '.join(skims)}: {json.dumps(patch)[:120]}"
        )
    return found
