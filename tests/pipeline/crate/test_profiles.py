"""Crates meet the profiles that they name, by the validator of the RO-Crate community."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.crate import export_run
from tests.pipeline.crate.conftest import Issues

pytestmark = pytest.mark.timeout(1800)  # the first one waits for the run of all

PROFILES = (
    "ro-crate-1.1", "process-run-crate-0.5", "workflow-ro-crate-1.0", "workflow-run-crate-0.5",
    "provenance-run-crate-0.5",
)  # fmt: skip
NOT_KNOWN = {
    "ro-crate-1.1_22.2": "nobody is named as author unless --author is given",
    "ro-crate-1.1_22.3": "no organisation publishes the crate of a user's run",
    "process-run-crate-0.5_3.2": "Ladon has no public address, and rules and models have none",
    "process-run-crate-0.5_5.1": "for the same reason their names are no addresses",
    "process-run-crate-0.5_8.6": "the agent of an action is named by --author, and by nothing else",
}
"""Recommendations that are not followed, and why; a requirement is never here."""


@pytest.mark.parametrize("profile", PROFILES)
def test_crate_meets_the_profile(
    crate: Path, validator: Callable[..., Issues], profile: str
) -> None:
    found = validator(crate, profile)[profile]
    assert [issue for issue in found if issue[0] == "REQUIRED"] == []
    assert {issue[1] for issue in found} <= set(NOT_KNOWN), found


def test_zip_without_outputs_meets_the_profile(
    finished: Path, tmp_path: Path, validator: Callable[..., Issues]
) -> None:
    made = export_run(
        finished, tmp_path / "small.zip", outputs=False, author="https://orcid.org/0000-0002-1825-0097",
        licence="CC-BY-4.0",
    )  # fmt: skip
    found = validator(made.path, "provenance-run-crate-0.5")["provenance-run-crate-0.5"]
    assert [issue for issue in found if issue[0] == "REQUIRED"] == []
    assert not {issue[1] for issue in found} & {"ro-crate-1.1_22.2", "process-run-crate-0.5_8.6"}


def test_crate_of_a_sweep_meets_the_profile(
    sweep: Path, tmp_path: Path, validator: Callable[..., Issues]
) -> None:
    """Its tables are in it, and are made by the step that draws the report."""
    made = export_run(sweep, tmp_path / "crate", outputs=False)
    found = validator(made.path, "provenance-run-crate-0.5")["provenance-run-crate-0.5"]
    assert [issue for issue in found if issue[0] == "REQUIRED"] == []
    assert {issue[1] for issue in found} <= set(NOT_KNOWN), found
    content = json.loads((made.path / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    graph = {entity["@id"]: entity for entity in content["@graph"]}
    tables = {p.relative_to(sweep).as_posix() for p in (sweep / "tables").iterdir()}
    assert len(tables) == 10
    drawn = next(e for e in graph.values() if e.get("name") == "report: the run")
    assert tables | {"report.html"} <= {one["@id"] for one in drawn["result"]}
    assert graph["tables/pairs.parquet"]["description"].startswith("A row per two configurations")


@pytest.mark.parametrize(
    ("entity", "member", "broken"),
    [
        ("./", "license", "workflow-ro-crate-1.0"),
        ("#action-1-synthesize", "instrument", "process-run-crate-0.5"),
        ("#parameter-settings", "additionalType", "workflow-run-crate-0.5"),
        ("#step-solve", "workExample", "provenance-run-crate-0.5"),
    ],
)
def test_validator_sees_what_is_missing(
    crate: Path, tmp_path: Path, validator: Callable[..., Issues], entity: str, member: str,
    broken: str,
) -> None:  # fmt: skip
    """The validation can fail: the words of the profiles are read as they should be."""
    shutil.copytree(crate, tmp_path / "broken")
    file = tmp_path / "broken" / "ro-crate-metadata.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    for one in content["@graph"]:
        if one["@id"] == entity:
            del one[member]
    file.write_text(json.dumps(content), encoding="utf-8")
    found = validator(tmp_path / "broken", broken)[broken]
    assert any(issue[0] == "REQUIRED" for issue in found)
