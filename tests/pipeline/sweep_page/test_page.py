"""The page says what the cells say, holds everything itself, and is the same each time."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.evaluation.reading import EvaluationError
from pipeline.sweep.report import make_sweep_report
from pipeline.sweep_page import make_sweep_page
from pipeline.sweep_page.chart import pareto, tradeoff_charts
from tests.pipeline.evaluation.made import FAILED, PASSED, MadePoint, made_cell, write_sweep
from tests.pipeline.sweep_page.conftest import POINTS
from tests.pipeline.sweep_page.folders import write_large

MEGABYTE = 1_000_000


def _html(run: Path) -> str:
    return (run / "report.html").read_text(encoding="utf-8")


def _unpacked(html: str, name: str) -> Any:
    found = re.search(rf'id="{name}">([^<]*)<', html)
    assert found is not None
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


def _chunks(html: str) -> list[Any]:
    return [_unpacked(html, f"chunk-{i}") for i in range(len(re.findall('id="chunk-', html)))]


def test_the_numbers_are_the_measures(small: Path) -> None:
    html = _html(small)
    assert "2 configurations, 20 points, 40 trials of stages" in html
    assert 'title="13 of 20; 95 % interval (Wilson) 0.433 to 0.819"' in html  # alpha, all stages
    assert "beta, classify: 9 of 10 passed, 0.900 with 95 % interval 0.596 to 0.982" in html
    assert "Synthetic data" in html
    assert "Scripted replies" in html
    assert "Partial" not in html
    assert "nobody reported any GPU-seconds" in html


def test_all_trials_are_listed_with_their_details(small: Path) -> None:
    table = _unpacked(_html(small), "cells")
    assert len(table["rows"]) == 40
    row = dict(zip(table["columns"], table["rows"][0], strict=True))
    words = table["words"]
    assert (words[row["point"]], words[row["stage"]], row["trial"]) == ("alpha-t0", "convert", 0)
    chunk, place = map(int, row["address"].split("."))
    document = _chunks(_html(small))[chunk][place]
    assert [r["n"] for r in document["rounds"]] == [1]
    assert document["files"][:2] == ["trajectory.jsonl", "solution.py"]


def test_equal_texts_are_there_once(small: Path) -> None:
    pieces = [p for chunk in _chunks(_html(small)) for p in chunk]
    assert pieces.count("def solve(events):\n    return events\n") == 1
    assert len(pieces) < 40 * 3


def test_the_same_files_give_the_same_bytes(small: Path, tmp_path: Path) -> None:
    before = (small / "report.html").read_bytes()
    assert make_sweep_page(small).read_bytes() == before
    elsewhere = write_sweep(tmp_path / "small", POINTS)
    assert make_sweep_page(elsewhere).read_bytes() == before


def test_nothing_is_asked_of_the_network(filled: Path) -> None:
    html = _html(filled)
    assert "default-src 'none'" in html
    shown = re.sub(r"<script[^>]*>.*?</script>", "", html, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!#|data:,")[a-z]+:', shown)
    assert "@import" not in html
    assert "url(" not in html
    assert "http" not in html.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_the_page_leads_to_the_tables_that_the_report_wrote(tmp_path: Path) -> None:
    run = write_sweep(tmp_path / "run", POINTS)
    make_sweep_report(run)
    footer = _html(run).partition("<footer>")[2].partition("</footer>")[0]
    linked = re.findall(r'href="([^"]+)"', footer)
    tables = sorted(p.relative_to(run).as_posix() for p in (run / "tables").iterdir())
    assert len(tables) == 10
    assert sorted(linked) == sorted(["sweep.json", "summary.csv", "summary.json", *tables])
    assert all((run / name).is_file() for name in linked)


def test_the_policy_names_this_script_and_style(small: Path) -> None:
    html = _html(small)
    for tag in ("script", "style"):
        text = re.findall(rf"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text[0].encode()).digest()).decode()
        assert len(text) == 1
        assert f"{tag}-src 'sha256-{digest}'" in html.replace("&#39;", "'")


def test_what_is_not_done_is_said(hostile: Path) -> None:
    html = _html(hostile)
    assert "Partial: 2 of 3 done" in html
    assert "1 of 3 trials of stages are not computed yet" in html


def test_hostile_text_is_nowhere_in_the_markup(hostile: Path) -> None:
    html = _html(hostile)
    assert "window.stolen" not in html
    assert "onerror" not in html
    assert html.isprintable() or "\u2028" not in html
    pieces = [p for chunk in _chunks(html) for p in chunk if isinstance(p, str)]
    assert any("</script><script>window.stolen = 1" in p and "\u2028" in p for p in pieces)


def test_a_sweep_that_has_only_begun_has_a_page(tmp_path: Path) -> None:
    run = write_sweep(tmp_path / "begun", [MadePoint("a", 0, {"convert": PASSED})])
    for file in (run / "points" / "a-t0" / "convert").rglob("*"):
        if file.is_file():
            file.unlink()
    html = make_sweep_page(run).read_text(encoding="utf-8")
    assert "Partial: 0 of 1 done" in html


def test_stopped_trials_are_apart(tmp_path: Path) -> None:
    lost = replace(FAILED, category="endpoint error", attribution="endpoint")
    points = [MadePoint("a", 0, {"convert": PASSED}), MadePoint("a", 1, {"convert": lost})]
    html = make_sweep_page(write_sweep(tmp_path / "run", points)).read_text(encoding="utf-8")
    assert "Trials that were stopped by something else; they are in no rate." in html
    assert "a, convert: 1 of 1 passed" in html
    assert "No trial that counts has failed." in html


def test_no_run_no_page(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"found no sweep\.json"):
        make_sweep_page(tmp_path)


def test_the_pareto_front_is_what_nothing_beats() -> None:
    points = [(1.0, 0.5), (2.0, 0.5), (2.0, 0.8), (3.0, 0.7), (2.0, 0.8), (4.0, 0.9)]
    assert pareto(points) == [True, False, True, False, True, True]


def test_what_is_not_known_is_not_drawn() -> None:
    from pipeline.evaluation.measures import measures

    cells = [made_cell(trial=t, cost=0.0, gpu_s=None) for t in range(3)]
    tokens, gpu, cost = tradeoff_charts(measures(cells))
    assert tokens.drawing is not None
    assert gpu.drawing is None
    assert (gpu.caption, cost.caption) == (
        "Nothing is drawn: nobody reported any GPU-seconds.",
        "Nothing is drawn: all prices are 0.",
    )


def test_a_page_keeps_to_its_budget(filled: Path) -> None:
    whole = len(_html(filled))
    html = make_sweep_page(filled, budget=60_000).read_text(encoding="utf-8")
    packed = sum(len(m) for m in re.findall(r'id="chunk-\d+">([^<]*)<', html))
    assert packed <= 60_000 < whole - len(html)
    assert "to keep this page small" in html
    documents = [p for c in _chunks(html) for p in c if isinstance(p, dict) and "rounds" in p]
    parts = [p for d in documents for r in d["rounds"] for p in r["parts"]]
    assert any(p.get("cut", 0) > 0 for p in parts)
    make_sweep_page(filled)


def test_eight_points_with_everything_stay_small(filled: Path) -> None:
    """40 trials of stages with outputs and modules that all differ: a tenth of a megabyte each
    would be too much for a page of 2 000."""
    assert len(_html(filled)) < 0.6 * MEGABYTE


def test_very_many_configurations_have_one_row_each(tmp_path: Path) -> None:
    stages = {"convert": PASSED, "classify": FAILED}
    points = [MadePoint(f"m{i}", 0, stages) for i in range(120)]
    html = make_sweep_page(write_sweep(tmp_path / "run", points)).read_text(encoding="utf-8")
    board = html.partition('id="leaderboard-table"')[2].partition("</table>")[0]
    assert board.count("<tr data-") == 120
    assert "With more than 100 configurations the rows are over all stages" in html
    assert "120 configurations are too many to compare every two on this page" in html
    assert "m7, classify: 0 of 1 passed" in html


@pytest.mark.slow
def test_four_hundred_points_stay_below_ten_megabytes(tmp_path: Path) -> None:
    """5 models x 4 settings x 20 trials x 5 stages, every output and module another."""
    run = write_large(tmp_path / "large", models=5, settings=4, trials=20)
    assert make_sweep_page(run).stat().st_size < 10 * MEGABYTE
