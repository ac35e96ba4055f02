"""Totals against the table of what ATLAS has opened: files, events and sizes of every release."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.data.manifest import (
    Manifest,
    ManifestFile,
    known_manifests,
    load_manifest,
    manifest_folder,
)
from pipeline.data.sources.published import GENERATOR, read_published
from pipeline.data.totals import contradiction, of_release, of_skim, size_text, together, unlisted

EVERY = {
    "2016e-8tev": (44, 59_989_301, "6.70 GB"),
    "2020e-13tev": (1_149, None, "158.50 GB"),
    "2024r-pp": (70_611, 9_058_437_931, "71.75 TB"),
    "2024r-hi": (1_921, 221_050_858, "4.39 TB"),
    "2025e-13tev-beta": (4_668, 9_837_961_169, "2.76 TB"),
}
"""Files, events and size as the publisher states them (the project's table of the releases)."""


@pytest.mark.parametrize("release", EVERY)
def test_a_release_has_what_the_publisher_states(index_home: Path, release: str) -> None:
    total = of_release(load_manifest(release))
    assert (total.files, total.events, total.size) == EVERY[release]


def test_all_releases_are_here_and_sum_to_what_is_open(index_home: Path) -> None:
    assert sorted(EVERY) == known_manifests()
    (generator,) = [
        p
        for k in read_published(manifest_folder()).values()
        for n, p in k.items()
        if n == GENERATOR
    ]
    rest = unlisted(generator.files, generator.events, generator.bytes, generator.rounded)
    total = together([*(of_release(load_manifest(r)) for r in EVERY), rest])
    assert (total.files, total.unlisted, total.unresolved) == (81_064, 2_671, 10_049 + 45_571)
    assert total.resolved == 22_773
    assert total.size == "80.3 TB"


def test_what_can_be_counted_is_counted(index_home: Path) -> None:
    """Of the 2024r-pp simulation and of all of 2016 and 2024r-hi every file has its events."""
    physlite = load_manifest("2024r-pp").published
    assert (physlite["mc"].files, physlite["mc"].events) == (14_991, 1_980_433_720)
    assert (physlite["mc"].bytes, physlite["mc"].rounded) == (22_572_923_406_883, 1)
    assert (physlite["data"].files, physlite["data"].rounded) == (55_620, 10**10)
    heavy_ion = load_manifest("2024r-hi").published
    assert (heavy_ion["data"].events, heavy_ion["mc"].events) == (220_950_858, 100_000)
    first = load_manifest("2016e-8tev").published
    assert (first["data"].files, first["mc"].files) == (2, 42)
    for release in ("2016e-8tev", "2024r-hi"):
        total = load_manifest(release).published["total"]
        assert total.source == "counted from the files that the records list"
        assert of_skim(*load_manifest(release).skims.values()).events == total.events


def test_runs_are_counted_as_unresolved(index_home: Path) -> None:
    runs = [s for s in load_manifest("2024r-pp").skim("physlite").samples.values() if s.indexes]
    assert not any(s.resolved for s in runs)
    years = [s.year for s in runs]
    assert (years.count(2015), years.count(2016), len(runs)) == (131, 186, 317)
    assert sum(i.size for s in runs for i in s.indexes) == 14_646_190


@pytest.mark.parametrize(
    ("size", "rounded", "text"),
    [
        (71_750_000_000_000, 10**10, "71.75 TB"),
        (80_281_500_000_000, 10**11, "80.3 TB"),
        (1_200_000_000_000, 10**12, "1 TB"),
        (6_695_347_118, 1, "6.70 GB"),
        (999, 1, "999 B"),
        (0, 1, "0 B"),
    ],
)
def test_sizes_have_no_more_digits_than_are_known(size: int, rounded: int, text: str) -> None:
    assert size_text(size, rounded) == text


def resolved_with(files_of_a_run: int) -> Manifest:
    """2024r-pp with the indexes of all runs, each of so many files of one byte."""
    manifest = load_manifest("2024r-pp")
    skim = manifest.skims["physlite"]
    samples = {
        name: replace(s, files=tuple(
            ManifestFile(f"root://x//{name}.{i}.root", 1, "00000001", None)
            for i in range(files_of_a_run)
        )) if s.indexes else s
        for name, s in skim.samples.items()
    }  # fmt: skip
    return replace(manifest, skims={"physlite": replace(skim, samples=samples)})


@pytest.mark.parametrize("each", [100, 300])
def test_indexes_that_contradict_what_was_published_are_said(index_home: Path, each: int) -> None:
    """Fewer or more files than were stated: none is unresolved, and no number is negative."""
    manifest = resolved_with(each)
    total = of_release(manifest)
    assert (total.files, total.unresolved) == (14_991 + 317 * each, 0)
    assert f"found {total.files:,} with those in" in (contradiction(manifest) or "")
    assert contradiction(load_manifest("2024r-pp")) is None
