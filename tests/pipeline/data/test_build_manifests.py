"""Building the manifests: the committed bytes come out again, and stale patches are refused."""

import copy
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipeline.data.build_manifests import Services, build, services
from pipeline.data.errors import ManifestError
from pipeline.data.manifest import known_manifests, manifest_folder, manifest_path
from pipeline.data.manifest_form import write_manifest
from pipeline.files import read_json, write_json


@pytest.fixture(scope="module")
def asked(open_data: Path) -> Iterator[Services]:
    """Local services that answer from the real tables."""
    with services(open_data) as running:
        yield running


@pytest.fixture
def reviewed(tmp_path: Path) -> Path:
    """A copy of the reviewed files, to change."""
    for name in ("records.json", "corrections.json", "published.json"):
        (tmp_path / name).write_bytes((manifest_folder() / name).read_bytes())
    return tmp_path


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = read_json(manifest_folder() / "manifest.schema.json")
    return loaded


def content(release: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(gzip.decompress(manifest_path(release).read_bytes()))
    return loaded


@pytest.mark.realdata
@pytest.mark.parametrize("release", known_manifests())
def test_the_committed_manifest_is_what_the_sources_give(
    asked: Services, tmp_path: Path, release: str
) -> None:
    manifest = build(release, asked, manifest_folder())
    assert manifest == content(release)
    write_manifest(tmp_path / "a.json.gz", manifest)
    write_manifest(tmp_path / "b.json.gz", manifest)
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()


@pytest.mark.parametrize("release", known_manifests())
def test_the_committed_manifest_meets_its_schema_and_is_small(
    schema: dict[str, Any], release: str
) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content(release), schema)
    assert manifest_path(release).stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("adler32", "adler32:29634ba7"), ("adler32", "37f48e7"), ("sizes", "81250713"),
        ("names", "data_A.zip"), ("names", "FilesToProcess.txt~"),
    ],
)  # fmt: skip
def test_the_schema_refuses_what_is_not_normalised(
    schema: dict[str, Any], key: str, value: str
) -> None:
    manifest = copy.deepcopy(content("2020e-13tev"))
    manifest["skims"]["GamGam"]["samples"]["data_A"]["files"][0][key] = [value]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest, schema)


@pytest.mark.realdata
def test_a_correction_that_no_longer_fits_is_refused(asked: Services, reviewed: Path) -> None:
    patches = read_json(reviewed / "corrections.json")
    patches["corrections"][0]["old"] = 1.0
    write_json(reviewed / "corrections.json", patches)
    with pytest.raises(ManifestError, match=r"expected cross_section_pb 1.0 of sample 341081"):
        build("2020e-13tev", asked, reviewed)
    patches["corrections"][0].update(old=2.6433864e-06, sample="999999")
    write_json(reviewed / "corrections.json", patches)
    with pytest.raises(ManifestError, match="names sample '999999'"):
        build("2020e-13tev", asked, reviewed)
