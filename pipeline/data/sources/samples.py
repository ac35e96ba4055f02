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
        i.name: _sample(i, files[i], indexes[i], datasets, table) for i in {**files, **indexes}
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
    datasets: Datasets,
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
        _add_facts(sample, _row(identity, datasets), table)
    return sample


def _row(identity: Identity, datasets: Datasets) -> Dataset | None:
    """The dataset of a simulated sample: number and short name must both be its own.

    The 2020 table has up to three rows per number, one per family of skims: the name decides.
    """
    named = datasets.by_short.get(identity.process)
    if named is not None and named.number == str(identity.dsid):
        return named
    alone = datasets.by_number.get(str(identity.dsid), [])
    return alone[0] if len(alone) == 1 and alone[0].short is None else None


def _add_facts(sample: Sample, row: Dataset | None, table: str) -> None:
    if row is None or row.facts["cross_section_pb"] is None:
        sample["warnings"].append(
            f"The release's table has no row for {sample['name']} {sample['process']}: it cannot "
            "be normalised."
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
