"""A sweep that was tampered with: its plan, its tables, its page, and what is packed in that."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
import shutil
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.verify import verify
from pipeline.verify.findings import Failure, Group
from pipeline.verify.folder import RunFolder
from pipeline.verify.frozen import check_settings
from pipeline.verify.page_data import unpacked
from pipeline.verify.plan import _means
from tests.pipeline.verify.copies import Copy, sentences

pytestmark = pytest.mark.timeout(1800)  # the first one waits for the run of all


def plan(run: Copy) -> Group:
    return check_settings(RunFolder.open(run.path))


def only(run: Copy) -> Failure:
    """The one failure of the whole run."""
    found = verify(run.path).failures
    assert len(found) == 1, [failure.sentence for failure in found]
    return found[0]


# -- the plan


def test_choices_that_are_not_those_of_the_settings(sweep: Copy) -> None:
    """A model under the name of another is found although the report is drawn of it."""
    sweep.edit("sweep.json", lambda c: c["choices"]["second"].update(model="expert"))
    sweep.redraw()
    failure = only(sweep)
    assert failure.file == "sweep.json"
    assert failure.expected == (
        "choices.second.model as points/second/settings.json has it, scripted"
    )
    assert failure.found == "expert"


def test_trial_of_another_number(sweep: Copy) -> None:
    sweep.edit("sweep.json", lambda c: c["choices"]["second"].update(trial="7"))
    (failure,) = plan(sweep).failures
    assert failure.expected == "choices.second.trial as points/second/settings.json has it, 0"
    assert failure.found == "7"


def test_name_of_a_configuration_of_somebodys_own_is_noted(sweep: Copy) -> None:
    sweep.edit("sweep.json", lambda c: c["choices"]["second"].update(model="of_mine"))
    found = plan(sweep)
    assert not found.failures
    assert any("calls model=of_mine what the settings of second call" in n for n in found.notes)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda c: c["identity"].update(second="0" * 64), "identity.second as points/second"),
        (lambda c: c["stages"].pop(), "stages as the settings"),
        (lambda c: c.update(solver="reference"), "solver as points/main/settings.json"),
        (lambda c: c["asked"].append("third"), "asked: points of the plan, and beside them"),
    ],
)
def test_plan_that_the_settings_do_not_mean(
    sweep: Copy, change: Callable[[Any], None], place: str
) -> None:
    sweep.edit("sweep.json", change)
    (failure,) = plan(sweep).failures
    assert failure.file == "sweep.json"
    assert failure.expected.startswith(place)


def test_trial_that_was_left_out(sweep: Copy) -> None:
    """Whoever drops a trial from the plan, and draws the report again, leaves its files."""

    def drop(content: Any) -> None:
        for member in ("points", "asked"):
            content[member].remove("second")
        for member in ("plan", "settings_sha256", "choices", "identity"):
            del content[member]["second"]

    sweep.edit("sweep.json", drop)
    sweep.redraw()
    found = verify(sweep.path).failures
    assert [failure.expected for failure in found] == [
        "the point of points/second", "the point of dialogues/points/second",
    ]  # fmt: skip
    assert "a report without some of the trials is another result" in found[0].sentence


def test_settings_before_their_plan_are_no_point(sweep: Copy) -> None:
    """A command that was killed while it froze leaves settings that nothing was made from."""
    (sweep.path / "points" / "third").mkdir()
    shutil.copy(sweep.path / "points/main/settings.json", sweep.path / "points/third")
    assert sentences(plan(sweep)) == []


@pytest.mark.parametrize(
    ("word", "value", "same"),
    [
        ("0", 0, True), ("1e-3", 0.001, True), ("true", True, True), ("null", None, True),
        ("[a,b]", ["a", "b"], True), ("chained", "chained", True), ("1", 2, False),
        ("isolated", "chained", False), ("[a]", 1, False), (": [", 1, False),
    ],
)  # fmt: skip
def test_word_of_a_command_line_means_a_value(word: str, value: Any, same: bool) -> None:
    assert _means(word, value) is same


# -- tables


def test_number_of_a_table(sweep: Copy) -> None:
    name = "tables/measures.csv"
    rows = list(csv.reader((sweep.path / name).read_text().splitlines()))
    column = rows[0].index("success_physics_low")
    before, rows[1][column] = rows[1][column], "0.99"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    sweep.write(name, text.getvalue().encode())
    failure = only(sweep)
    assert (failure.file, failure.expected, failure.found) == (
        name, f"line 2, success_physics_low: {before}", "0.99",
    )  # fmt: skip


def forge_parquet(run: Copy) -> float:
    """Another rate in the first row of the measures; the one that was there."""
    table = pq.read_table(run.path / "tables/measures.parquet")
    column = table.column_names.index("success_physics")
    values = table.column(column).to_pylist()
    before, values[0] = float(values[0]), 0.5
    forged = table.set_column(column, table.field(column), pa.array(values, pa.float64()))
    target = pa.BufferOutputStream()
    pq.write_table(forged, target, compression="zstd")
    run.write("tables/measures.parquet", target.getvalue().to_pybytes())
    return before


def test_number_of_a_parquet_table(sweep: Copy) -> None:
    before = forge_parquet(sweep)
    failure = only(sweep)
    assert failure.file == "tables/measures.parquet"
    assert failure.expected == f"line 2, success_physics: {before!r}"
    assert failure.found == "0.5"


def test_number_of_a_parquet_table_where_other_packages_are_installed(sweep: Copy) -> None:
    """Other versions may write other bytes, which is noted; they never write other numbers."""
    names = ["provenance.json", *(f"points/{p}/results.json" for p in ("main", "second"))]
    for name in names:
        sweep.edit(name, lambda c: c.get("provenance", c)["versions"].update(pyarrow="1.0"))
    table = pq.read_table(sweep.path / "tables/pairs.parquet")
    target = pa.BufferOutputStream()
    pq.write_table(table, target, compression="none")
    sweep.write("tables/pairs.parquet", target.getvalue().to_pybytes())
    found = verify(sweep.path)
    assert [failure.sentence for failure in found.failures] == []
    assert any(n.startswith("tables/pairs.parquet is drawn") for n in found.group("report").notes)
    forge_parquet(sweep)
    assert only(sweep).expected.startswith("line 2, success_physics: ")


def test_column_of_another_kind(sweep: Copy) -> None:
    name = "tables/cells.parquet"
    table = pq.read_table(sweep.path / name)
    column = table.column_names.index("rounds")
    forged = table.set_column(column, "rounds", table.column(column).cast(pa.float64()))
    target = pa.BufferOutputStream()
    pq.write_table(forged, target)
    sweep.write(name, target.getvalue().to_pybytes())
    failure = only(sweep)
    assert (failure.expected, failure.found) == ("column rounds: int64", "double")


def test_table_that_is_none(sweep: Copy) -> None:
    sweep.write("tables/cells.parquet", b"PAR1 no more")
    assert only(sweep).expected == "a file that can be read: the form of its kind"


def test_table_that_no_report_makes(sweep: Copy) -> None:
    sweep.write("tables/more.csv", b"rate\n1.0\n")
    failure = only(sweep)
    assert (failure.file, failure.found) == ("tables/more.csv", "one more")


# -- the page


def edit_data(run: Copy, name: str, change: Callable[[Any], None]) -> None:
    """Change what is packed in an element of the page."""
    page = (run.path / "report.html").read_text(encoding="utf-8")
    element = re.search(f'<script type="text/plain" id="{name}">([^<]*)</script>', page)
    assert element is not None
    content = unpacked(element.group(1))
    change(content)
    packed = base64.b64encode(gzip.compress(json.dumps(content).encode())).decode()
    edited = page[: element.start(1)] + packed + page[element.end(1) :]
    run.write("report.html", edited.encode())


def test_packed_list_of_trials(sweep: Copy) -> None:
    def more_rounds(content: Any) -> None:
        content["rows"][0][content["columns"].index("rounds")] = 9

    edit_data(sweep, "cells", more_rounds)
    failure = only(sweep)
    rounds = sweep.json("points/main/inspect/attempts.json")["rounds"]
    assert failure.expected == f"#cells: main/inspect.rounds: {rounds}"
    assert failure.found == "9"


def test_packed_word_of_the_list_of_trials(sweep: Copy) -> None:
    def failed(content: Any) -> None:
        content["words"][content["words"].index("passed")] = "failed"

    edit_data(sweep, "cells", failed)
    failure = only(sweep)
    assert (failure.expected, failure.found) == (
        "#cells: main/categorize.outcome: passed",
        "failed",
    )


def test_packed_details_of_a_trial(sweep: Copy) -> None:
    """The trial and the member are named, not the place among the packed pieces."""

    def forge(content: Any) -> None:
        verdict = next(p for p in content if isinstance(p, dict) and p.get("checks"))
        verdict["checks"][0][-1] = "forged"

    edit_data(sweep, "chunk-0", forge)
    failure = only(sweep)
    assert re.match(r"#cells: main/\w+: verdict\.checks\[0\]\[\d\]: ", failure.expected)
    assert failure.found == "forged"


def test_packed_otherwise_is_a_drawing(sweep: Copy) -> None:
    """The same data from another zlib: only the same packages must give the same bytes."""
    edit_data(sweep, "chunk-0", lambda content: None)
    assert only(sweep).expected == "its markup: the page drawn again"


def test_number_of_the_leaderboard(sweep: Copy) -> None:
    page = (sweep.path / "report.html").read_text(encoding="utf-8")
    number = re.search(r'<td[^>]* data-value="([0-9.]+)"', page)
    assert number is not None
    edited = page[: number.start(1)] + "0.123" + page[number.end(1) :]
    sweep.write("report.html", edited.encode())
    failure = only(sweep)
    assert "<td data-value>" in failure.expected
    assert failure.found == "'0.123'"


def test_usage_of_servers_is_read(sweep: Copy) -> None:
    """A report that shows GPU-seconds is verified with the file that has them."""
    used = {"gpu_seconds": {"main/convert": 12.5}, "servers": []}
    sweep.write("servers.json", json.dumps(used).encode())
    sweep.redraw()
    assert [failure.sentence for failure in verify(sweep.path).failures] == []
    sweep.edit("servers.json", lambda c: c["gpu_seconds"].update({"main/convert": 2.5}))
    found = verify(sweep.path).failures
    told = {failure.file: (failure.expected, failure.found) for failure in found}
    assert told["tables/cells.csv"] == ("line 3, gpu_s: 2.5", "12.5")
