"""Published totals: counted where it can be, said where it cannot, and never two numbers."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.data.errors import ManifestError
from pipeline.data.manifest import ManifestFile, Published
from pipeline.data.sources.published import totals


def sample(kind: str, *entries: int | None, indexes: tuple[str, ...] = ()) -> dict[str, Any]:
    files = [ManifestFile(f"root://x//{i}.root", 100, "00000001", n) for i, n in enumerate(entries)]
    return {"kind": kind, "files": files, "indexes": list(indexes)}


def test_files_are_counted_and_events_where_all_are_known() -> None:
    found = totals("r", [sample("data", 5, 7), sample("mc", 3, None)], {})
    assert (found["data"]["files"], found["data"]["events"], found["data"]["bytes"]) == (2, 12, 200)
    assert (found["mc"]["files"], found["mc"]["events"]) == (2, None)
    assert (found["total"]["files"], found["total"]["events"]) == (4, None)


def test_what_only_the_publisher_knows_is_added() -> None:
    said = {"total": Published(2, 99, 300, 200, "record 1")}
    total = totals("r", [sample("mc", 3, None)], said)["total"]
    assert (total["events"], total["bytes"], total["rounded"]) == (99, 200, 1)
    assert total["source"].endswith("; events: record 1")


@pytest.mark.parametrize(
    "said",
    [
        Published(3, 10, 200, 1, "record 1"),
        Published(2, 11, 200, 1, "record 1"),
        Published(2, 10, 301, 200, "record 1"),
    ],
)
def test_two_numbers_for_one_thing_are_refused(said: Published) -> None:
    with pytest.raises(ManifestError, match=r"of total in release r \(record 1\), found 2, 10 and"):
        totals("r", [sample("mc", 3, 7)], {"total": said})


def test_runs_that_are_not_resolved_are_what_the_publisher_says() -> None:
    runs = [sample("data", indexes=("a",)), sample("mc", 4)]
    said = {"data": Published(55, 1000, 7000, 1000, "record 1")}
    found = totals("r", runs, said)
    assert (found["data"]["files"], found["total"]["files"]) == (55, 56)
    assert (found["total"]["events"], found["total"]["rounded"]) == (1004, 1000)
    with pytest.raises(ManifestError, match="1 data samples of release r are known by their index"):
        totals("r", runs, {})
