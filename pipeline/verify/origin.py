"""Provenance: the run says one thing of what made it, and whether that is installed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.data.errors import ManifestError
from pipeline.data.manifest_choice import chosen_sha256
from pipeline.provenance import code_sha256, versions
from pipeline.verify.findings import Group, differences
from pipeline.verify.folder import RunFolder

REMEDY = "restore provenance.json or results.json from a copy of the run"
FILE = "provenance.json"


def check_provenance(run: RunFolder) -> Group:
    """provenance.json against every results.json; what is installed here is only noted."""
    group = Group("provenance", REMEDY)
    made = run.json(FILE, group)
    if made is None:
        return group
    known = {"code_sha256", "git", "versions", "hardware"}
    group.same(FILE, "the members", sorted(known), sorted(known & set(made)))
    if known <= set(made):
        _note_what_is_here(made, group)
        for point in run.points:
            results = run.json(f"points/{point}/results.json", group)
            if isinstance(results, dict) and isinstance(results.get("provenance"), dict):
                _check_results(run, point, made, results["provenance"], group)
    return group


def _note_what_is_here(made: Mapping[str, Any], group: Group) -> None:
    here = code_sha256()
    if made["code_sha256"] != here:
        group.note(f"made by Ladon's code {made['code_sha256'][:12]}, installed is {here[:12]}")
    installed = versions()
    for name, version in sorted(made["versions"].items()):
        if installed.get(name) != version:
            group.note(f"made with {name} {version}, installed is {installed.get(name, 'none')}")


def _check_results(
    run: RunFolder, point: str, made: Mapping[str, Any], told: Mapping[str, Any], group: Group
) -> None:
    name = f"points/{point}/results.json"
    codes = {made["code_sha256"], made.get("begun_by_code", made["code_sha256"])}
    group.holds(
        told.get("code_sha256") in codes, name,
        f"the code {made['code_sha256']} of {FILE}", str(told.get("code_sha256")),
    )  # fmt: skip
    _same_members(name, "hardware", made, told, group)
    if made.get("container") is None and "begun_by_code" not in made:
        _same_members(name, "versions", made, told, group)
    elif made["versions"] != told.get("versions"):
        group.note(f"results and {FILE} name other versions: the steps ran in an image, or go on "
                   "from another version")  # fmt: skip
    if made["git"] != told.get("git"):
        group.note(
            f"begun at git {made['git']} as {FILE} has it, results were collected at "
            f"{told.get('git')}; the hash of the code says whether that matters"
        )
    _check_manifest(run, point, told, group)


def _same_members(
    name: str, what: str, made: Mapping[str, Any], told: Mapping[str, Any], group: Group
) -> None:
    """One failure for each member that differs, so that it can be seen which."""
    group.checked += 1
    for place, expected, found in differences(made[what], told.get(what)):
        group.same(name, f"the {what} of {FILE}: {place}", expected, found)


def _check_manifest(run: RunFolder, point: str, told: Mapping[str, Any], group: Group) -> None:
    settings = run.settings(f"points/{point}/settings.json", group)
    if settings is None:
        return
    name = f"points/{point}/results.json"
    found = told.get("manifest_sha256")
    if settings.data.synthetic:
        group.same(name, "of synthetic data the manifest", None, found)
        return
    try:
        here = chosen_sha256(settings.data)
    except ManifestError as error:
        group.note(str(error))
        return
    if run.same_code:
        group.same(name, f"the manifest of {settings.data.release} that is installed,", here, found)
    elif here != found:
        group.note(f"made with the manifest {str(found)[:12]} of {settings.data.release}, "
                   f"installed is {here[:12]}")  # fmt: skip
