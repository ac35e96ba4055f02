"""The door to synthetic samples: make one, make all, or find what was made before.

Generation itself is imported when it is needed: names of samples are asked for by every command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.data.manifest import manifest_sha256
from pipeline.data.synthetic.samples import RELEASE, SKIMS, sample_of, samples
from pipeline.data.verify import adler32_file
from pipeline.data_settings import DataSettings
from pipeline.files import read_json, sha256_file, sha256_json, write_json
from pipeline.settings import Settings

Record = dict[str, Any]
_GENERATED_BY = ("luminosity", "mu", "seed", "thinning")
"""Settings that decide what a data period holds; of these simulation knows the seed alone."""


def generate_file(channel: str, sample: str, data: DataSettings, path: Path) -> Record:
    """Make one sample's file at `path`; see `generation.make_file` for the record."""
    from pipeline.data.synthetic.generation import make_file

    return make_file(channel, sample, data, path)


def generate(
    channel: str,
    data: DataSettings,
    folder: Path,
    progress: Callable[[int, int, int], None] | None = None,
) -> list[Record]:
    """Make all samples of a channel below `folder`; their records, in the order of the samples.

    `progress` is told (samples done, of how many, events so far).
    """
    records: list[Record] = []
    todo = samples(channel)
    for one in todo:
        records.append(generate_file(channel, one.name, data, folder / one.uri))
        if progress is not None:
            progress(len(records), len(todo), sum(r["entries"] for r in records))
    return records


def synthesize(settings: Settings, sample: str, folder: Path) -> Record:
    """The record of a sample's file below `folder`: made now, or found intact from before.

    Files are kept by what they depend on, so that runs share them: a data period by luminosity,
    signal strength, seed and thinning, a simulated sample by the seed, both by the generator's
    code. A file that was damaged is made anew.
    """
    channel = settings.channel.name
    made = sample_of(channel, sample)
    home = folder / storage_key(settings, sample)
    path = home / SKIMS[channel] / made.file_name
    kept = home / "records" / f"{sample}.json"
    if kept.is_file() and path.is_file():
        record: Record = read_json(kept)
        if adler32_file(path) == record["adler32"]:
            return {**record, "path": str(path.resolve())}
    record = generate_file(channel, sample, settings.data, path)
    write_json(kept, record)
    return record


def storage_key(settings: Settings, sample: str) -> str:
    """Sixteen hex digits of everything that the bytes of a sample's file depend on."""
    made = sample_of(settings.channel.name, sample)
    data = asdict(settings.data)
    names = _GENERATED_BY if made.kind == "data" else ("seed",)
    return sha256_json(
        {
            "channel": made.channel,
            "kind": made.kind,
            "settings": {name: data[name] for name in names},
            "generator": generator_version(),
        }
    )[:16]


@lru_cache
def generator_version() -> str:
    """Hash of the generator's code and of the manifest that it takes cross-sections from."""
    code = {p.name: sha256_file(p) for p in sorted(Path(__file__).parent.glob("*.py"))}
    return sha256_json({"code": code, "manifest": manifest_sha256(RELEASE)})
