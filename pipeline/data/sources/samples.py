"""Samples of a skim: the files of its records, with what the client says of their datasets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from pipeline.data.errors import ManifestError
from pipeline.data.identity import basename, portal_path
from pipeline.data.manifest import ManifestFile, RunIndex
from pipeline.data.sources.client import UNSKIMMED, Dataset
from pipeline.data.sources.names import Datasets, Identity, campaign_of, identify, run_of
from pipeline.data.sources.records import Record

QUANTITIES = (
    "cross_section_pb",
    "filter_efficiency",
    "k_factor",
    "sum_of_weights",
    "sum_of_weights_squared",
    "n_events",
)
CLIENT_SKIMS = {"none": UNSKIMMED, "physlite": UNSKIMMED, "hion14": UNSKIMMED}
"""Skims that the client lists under another name."""

Sample = dict[str, Any]
"""A sample of the manifest's JSON form, whose `files` are still ManifestFiles."""


def samples_of(
    records: Iterable[Record], datasets: Datasets, skim: str, table: str
) -> dict[str, Sample]:
    """Samples of a skim by name, files in the order of their addresses.

    `table` names where the client's facts are from. What the client lists is compared with what
    the records list; the records' list is taken, and a difference becomes a warning.
    """
    files: dict[Identity, list[ManifestFile]] = defaultdict(list)
    indexes: dict[Identity, list[RunIndex]] = defaultdict(list)
    for record in records:
        for listed in record.files:
            files[identify(listed, datasets)].append(listed.file)
        for index in record.indexes:
            campaign = campaign_of(index.uri)
            indexes[run_of(basename(index.uri), campaign or "")].append(index)
    samples = {
        i.name: _sample(i, files[i], indexes[i], _row(i, datasets, skim), table)
        for i in {**files, **indexes}
    }
    if len(samples) != len({**files, **indexes}):
        raise ManifestError(
            f"expected one process, campaign and kind for each sample of skim {skim}, found two "
            "for one of them; teach pipeline/data/sources/names.py to tell them apart"
        )
    for sample in samples.values():
        sample["warnings"] += _client_differences(sample, datasets, CLIENT_SKIMS.get(skim, skim))
    return samples


def _sample(
    identity: Identity,
    files: Sequence[ManifestFile],
    indexes: Sequence[RunIndex],
    row: Dataset | None,
    table: str,
) -> Sample:
    sample = {
        **asdict(identity),
        **dict.fromkeys(QUANTITIES),
        "files": sorted(files, key=lambda f: f.uri),
        "indexes": [asdict(i) for i in indexes],
        "facts_source": None,
        "corrections": [],
        "warnings": [],
    }
    if identity.kind == "mc":
        _add_facts(sample, row, table)
    return sample


def _row(identity: Identity, datasets: Datasets, skim: str) -> Dataset | None:
    """The dataset of a simulated sample in a skim: its number, and the skim's or its own name.

    The 2020 table has up to three rows per number, because the skims 1lep1tau and 1largeRjet1lep
    were made from other subsets of the generated events: the row that is named `…_<skim>` has their
    sum of weights, the row of the plain name that of all other skims.
    """
    rows = datasets.by_number.get(str(identity.dsid), [])
    of_skim = [d for d in rows if (d.short or "").endswith(f"_{skim}")]
    named = [d for d in rows if d.short == identity.process]
    unnamed = [d for d in rows if d.short is None and len(rows) == 1]
    return next(iter([*of_skim, *named, *unnamed]), None)


def _add_facts(sample: Sample, row: Dataset | None, table: str) -> None:
    if row is None or row.facts["cross_section_pb"] is None:
        called = " ".join(dict.fromkeys((sample["name"], sample["process"])))
        sample["warnings"].append(
            f"The release's table has no row for {called}: it cannot be normalised."
        )
        return
    sample.update(row.facts)
    sample["facts_source"] = f"{table}, {row.number} {row.short}"
    counted = [f.entries for f in sample["files"] if f.entries is not None]
    generated = sample["n_events"]
    whole = len(counted) == len(sample["files"]) and sample["campaign"] is not None
    if whole and generated is not None and sum(counted) != generated:
        sample["warnings"].append(
            f"The table's {generated} events and sum of weights are not of the {sum(counted)} "
            f"events that its {len(counted)} files hold: take the sum of weights from the files."
        )


def _client_differences(sample: Sample, datasets: Datasets, skim: str) -> list[str]:
    """What the client lists otherwise than the records do; nothing where it lists no file."""
    theirs = {path for d in _own(sample, datasets) for path in d.paths.get(skim, ())}
    if not theirs:
        return []
    ours = {portal_path(f.uri) for f in sample["files"]}
    missing = ours - theirs
    # The client has one dataset for all periods or runs of data: it always lists more than one.
    more = theirs - ours if sample["kind"] == "mc" else set()
    said = []
    if missing:
        said.append(
            f"The official client lists {len(ours) - len(missing)} of the {len(ours)} files of "
            f"this sample that the record lists; the record's list was taken."
        )
    if more:
        said.append(
            f"The official client lists {len(more)} files of this sample that the record does not "
            f"list, such as {basename(min(more))}; the record's list was taken."
        )
    return said


def _own(sample: Sample, datasets: Datasets) -> list[Dataset]:
    if sample["kind"] == "data":
        return datasets.by_number.get("data", [])
    same = datasets.by_number.get(sample["name"], [])
    return [d for d in same if d.short in (None, sample["process"])]
