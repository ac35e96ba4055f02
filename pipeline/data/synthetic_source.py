"""Synthetic files as the fileset sees them: samples with the facts of their records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.data.errors import GenerationError
from pipeline.data.locate import Located
from pipeline.data.manifest import ManifestFile, Sample
from pipeline.settings import Settings


def synthetic_samples(
    settings: Settings, records: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Sample], Located]:
    """Samples by name and where their files are, from the records that generation wrote.

    Raises GenerationError if there is no record at all.
    """
    if not records:
        raise GenerationError(
            f"expected records of the synthetic samples of channel {settings.channel.name}, found "
            "none; start the run again to have them made"
        )
    listed = {str(r["sample"]): _sample(r) for r in records}
    paths = {str(r["uri"]): Path(r["path"]) for r in records if Path(r["path"]).is_file()}
    return listed, Located(paths, (), ())


def _sample(record: Mapping[str, Any]) -> Sample:
    file = ManifestFile(record["uri"], record["size"], record["adler32"], record["entries"])
    return Sample(
        name=record["sample"],
        kind=record["kind"],
        dsid=record["dsid"],
        process=record["process"],
        files=(file,),
        cross_section_pb=record["cross_section_pb"],
        filter_efficiency=record["filter_efficiency"],
        k_factor=record["k_factor"],
        sum_of_weights=record["sum_of_weights"],
        sum_of_weights_squared=record["sum_of_weights_squared"],
        n_events=record["n_events"],
        corrections=(),
        warnings=(),
    )
