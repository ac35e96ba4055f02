"""Builds the manifests in `data_manifests/` through the official client and the portal's records.

    python -m pipeline.data.build_manifests --output data_manifests [RELEASE …]
    python -m pipeline.data.build_manifests --open-data DIR --output data_manifests

The second form needs no network: a local server answers from the published tables in DIR. What is
reviewed by people is read from the output folder: `records.json` (which records make a release),
`corrections.json` (errors of the sources) and `published.json` (what no list of files can say).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema

from pipeline.data.errors import DataError, LocationError, ManifestError
from pipeline.data.manifest import nearest_names
from pipeline.data.manifest_form import MANIFEST_SCHEMA, columns, write_manifest
from pipeline.data.sources.client import fetch_datasets
from pipeline.data.sources.corrections import (
    CORRECTIONS,
    PATCHES,
    apply,
    check_patches,
    renumbered,
)
from pipeline.data.sources.names import Datasets
from pipeline.data.sources.open_data import CATALOG, TABLES, OpenData
from pipeline.data.sources.published import GENERATOR, PUBLISHED, read_published, totals
from pipeline.data.sources.records import fetch_record
from pipeline.data.sources.reviewed import check_known, read_reviewed
from pipeline.data.sources.samples import samples_of
from pipeline.data.sources.stand_in import stand_in
from pipeline.files import read_json, sha256_file

API = "https://atlasopenmagic-api.app.cern.ch"
PORTAL = "https://opendata.cern.ch"
RECORDS = "records.json"
SCHEMA = "manifest.schema.json"


@dataclass(frozen=True)
class Services:
    """Where the client's service and the portal are, and what stands behind them."""

    api: str
    portal: str
    files: OpenData | None = None
    """The folder, if it is a local server over one."""

    def table(self, release: str) -> str:
        """What the client's facts of a release are from."""
        return f"atlasopenmagic at {self.api}" if self.files is None else TABLES.get(release, "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write one manifest per release, checked against its schema; 2 for a user's mistake."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("releases", nargs="*", help="official keys; all of records.json if none")
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--open-data", type=Path, help="folder to answer from, with no network")
    parser.add_argument("--api", default=API, help="the client's service")
    parser.add_argument("--records", default=PORTAL, help="the portal of the records")
    given = parser.parse_args(arguments)
    try:
        with services(given.open_data, given.api, given.records) as asked:
            for release in given.releases or read_reviewed(given.output / RECORDS):
                _make(release, asked, given.output)
    except jsonschema.ValidationError as error:
        where = "/".join(str(p) for p in error.absolute_path)
        print(f"build_manifests: {where} is not as {SCHEMA} says: {error.message}", file=sys.stderr)
        return 2
    except (DataError, OSError) as error:
        print(f"build_manifests: {error}", file=sys.stderr)
        return 2
    return 0


@contextmanager
def services(folder: Path | None, api: str = API, portal: str = PORTAL) -> Iterator[Services]:
    """The real services, or local ones over a folder for as long as the block lasts."""
    if folder is None:
        yield Services(api, portal)
        return
    data = OpenData(folder)
    if not (folder / CATALOG).is_file():
        raise LocationError(
            f"expected {CATALOG} and the tables of simulated processes in {folder}, found none; "
            "give their folder with --open-data, or leave it out to ask the real services"
        )
    with stand_in(data) as address:
        yield Services(address, address, data)


def build(release: str, asked: Services, reviewed: Path) -> dict[str, Any]:
    """The manifest of a release in its JSON form.

    `reviewed` is the folder of the reviewed files. Raises ManifestError if sources disagree.
    """
    plans = read_reviewed(reviewed / RECORDS)
    plan = _plan(release, plans, reviewed)
    patches = read_reviewed(reviewed / CORRECTIONS, *PATCHES)
    check_patches(patches, plans)
    said = read_published(reviewed)
    for name in (n for n, kinds in said.items() if set(kinds) != {GENERATOR}):
        check_known("release", name, plans, PUBLISHED)
    datasets = Datasets.of(renumbered(release, fetch_datasets(release, asked.api), patches))
    skims: dict[str, dict[str, Any]] = {}
    left_out = []
    answers = sha256()
    for skim, recids in plan["skims"].items():
        records = [fetch_record(asked.portal, recid) for recid in recids]
        left_out += [asdict(x) for r in records for x in r.left_out]
        answers.update(repr(records).encode())
        samples = samples_of(records, datasets, skim, asked.table(release))
        skims[skim] = {"tree": plan["tree"], "samples": samples}
    apply(release, skims, patches)
    every = [s for skim in skims.values() for s in skim["samples"].values()]
    published = totals(release, every, said.get(release, {}))
    for sample in every:
        sample.pop("name")
        sample["files"] = columns(sample["files"])
    sources = {
        name: sha256_file(path)
        for name, path in {
            **({} if asked.files is None else asked.files.sources(release)),
            **{name: reviewed / name for name in (RECORDS, CORRECTIONS, PUBLISHED)},
        }.items()
    }
    if asked.files is None:
        sources[f"{asked.api}/datasets?release_name={release}"] = sha256(
            repr(datasets.every).encode()
        ).hexdigest()
        sources[f"{asked.portal}/api/records"] = answers.hexdigest()
    return {
        "schema": MANIFEST_SCHEMA,
        "release": release,
        "sources": sources,
        "published": published,
        "left_out": left_out,
        "skims": skims,
    }


def _plan(release: str, plans: dict[str, Any], reviewed: Path) -> dict[str, Any]:
    """Tree and records of a release; ManifestError with the nearest names if it has none."""
    if release not in plans:
        raise ManifestError(
            f"{RECORDS} has no release {release!r}; {nearest_names(release, plans)}"
        )
    found: dict[str, Any] = plans[release]
    if not {"tree", "skims"} <= set(found):
        raise ManifestError(
            f"expected tree and skims of release {release} in {reviewed / RECORDS}, found "
            f"{', '.join(found) or 'nothing'}; put right there what was changed last"
        )
    return found


def _make(release: str, asked: Services, output: Path) -> None:
    manifest = build(release, asked, output)
    jsonschema.validate(manifest, read_json(output / SCHEMA))
    path = output / f"{release}.json.gz"
    write_manifest(path, manifest)
    total = manifest["published"]["total"]
    samples = sum(len(s["samples"]) for s in manifest["skims"].values())
    print(
        f"{path}: {len(manifest['skims'])} skims, {samples} samples, {total['files']} files, "
        f"{total['bytes']} bytes of data; {path.stat().st_size} bytes, made from "
        f"{json.dumps(sorted(manifest['sources']))}"
    )
    if manifest["left_out"]:
        print(f"  left out: {len(manifest['left_out'])} entries of the records")
    for text, names in _warnings(manifest["skims"]).items():
        print(f"  {', '.join(names)}: {text}")


def _warnings(skims: dict[str, Any]) -> dict[str, list[str]]:
    """Each warning once, with the samples of all skims that it is about."""
    found: dict[str, list[str]] = {}
    for skim in skims.values():
        for name, facts in skim["samples"].items():
            for text in facts["warnings"]:
                if name not in found.setdefault(text, []):
                    found[text].append(name)
    return found


if __name__ == "__main__":
    sys.exit(main())
