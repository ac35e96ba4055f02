"""Building the manifests: the committed bytes come out again, and stale patches are refused."""

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipeline.data.build_manifests import SKIMS, build, write_manifest
from pipeline.data.errors import ManifestError
from pipeline.data.manifest import manifest_folder, manifest_path
from pipeline.files import read_json, write_json


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = read_json(manifest_folder() / "manifest.schema.json")
    return loaded


def content(release: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(gzip.decompress(manifest_path(release).read_bytes()))
    return loaded


@pytest.mark.realdata
@pytest.mark.parametrize("release", SKIMS)
def test_the_committed_manifest_is_what_the_sources_give(
    open_data: Path, tmp_path: Path, release: str
) -> None:
    manifest = build(release, open_data, manifest_folder() / "corrections.json")
    assert manifest == content(release)
    write_manifest(tmp_path / "a.json.gz", manifest)
    write_manifest(tmp_path / "b.json.gz", manifest)
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()


@pytest.mark.parametrize("release", SKIMS)
def test_the_committed_manifest_meets_its_schema_and_is_small(
    schema: dict[str, Any], release: str
) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content(release), schema)
    assert manifest_path(release).stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("key", "value"),
    [("adler32", "adler32:29634ba7"), ("adler32", "37f48e7"), ("size", "81250713"), ("uri", "x")],
)
def test_the_schema_refuses_what_is_not_normalised(
    schema: dict[str, Any], key: str, value: str
) -> None:
    manifest = copy.deepcopy(content("2020e-13tev"))
    manifest["skims"]["GamGam"]["samples"]["data_A"]["files"][0][key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest, schema)


@pytest.mark.realdata
def test_a_correction_that_no_longer_fits_is_refused(open_data: Path, tmp_path: Path) -> None:
    patches = read_json(manifest_folder() / "corrections.json")
    patches["corrections"][0]["old"] = 1.0
    write_json(tmp_path / "corrections.json", patches)
    with pytest.raises(ManifestError, match=r"expected cross_section_pb 1.0 of sample 341081"):
        build("2020e-13tev", open_data, tmp_path / "corrections.json")
    patches["corrections"][0].update(old=2.6433864e-06, sample="999999")
    write_json(tmp_path / "corrections.json", patches)
    with pytest.raises(ManifestError, match="names sample '999999'"):
        build("2020e-13tev", open_data, tmp_path / "corrections.json")
