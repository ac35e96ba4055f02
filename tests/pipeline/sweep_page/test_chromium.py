"""A real browser: the page sorts, filters, opens, asks for nothing; hostile text is inert."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.files import read_json, write_json
from pipeline.sweep_page import make_sweep_page
from tests.pipeline.sweep_page.browser import Page
from tests.pipeline.sweep_page.looking import (
    BADGES,
    CAPTIONS,
    CHANGED,
    OPENED,
    ROWS,
    choose,
    opened,
    quiet,
    sort_by,
)

pytestmark = pytest.mark.chromium

LINES = """[...dialog.querySelectorAll('td.good, td.bad')].map(cell => {
    const words = document.createRange(); words.selectNodeContents(cell);
    return words.getClientRects().length; })"""
"""How many lines the first cell of each check takes."""


def test_tables_sort_by_a_click(page: Page, small: Path) -> None:
    opened(page, small)
    head = "document.querySelectorAll('#leaderboard-table thead th')[{}]"
    assert page.evaluate(ROWS.format("leaderboard", 0)) == ["alpha", "beta"]
    sort_by(page, "leaderboard", 1)
    assert page.evaluate(f"{head.format(1)}.getAttribute('aria-sort')") == "descending"
    sort_by(page, "leaderboard", 1)
    assert page.evaluate(f"{head.format(1)}.getAttribute('aria-sort')") == "ascending"
    assert page.evaluate(ROWS.format("leaderboard", 0)) == ["beta", "alpha"]
    quiet(page, small)


def test_filters_leave_what_was_asked_for(page: Page, small: Path) -> None:
    opened(page, small)
    choose(page, "stage", "classify")
    assert page.evaluate(ROWS.format("leaderboard", 0)) == ["beta", "alpha"]
    assert page.evaluate(ROWS.format("leaderboard", 1)) == ["0.90", "0.50"]
    choose(page, "model", "alpha")
    choose(page, "outcome", "failed")
    assert page.evaluate(ROWS.format("leaderboard", 0)) == ["alpha"]
    assert page.evaluate(ROWS.format("trials", 3)) == ["5", "6", "7", "8", "9"]
    assert page.evaluate("document.getElementById('trials-count').textContent") == (
        "5 of 5 trials shown."
    )
    choose(page, "text", "nothing has this text")
    assert page.evaluate(ROWS.format("trials", 3)) == []
    page.evaluate("filterForm.reset()")
    page.wait("listed.length === 40")
    quiet(page, small)


def test_a_cell_leads_to_its_trials_and_one_opens(page: Page, small: Path) -> None:
    """By the keyboard alone, from the heat map to the text of a round."""
    opened(page, small)
    page.evaluate("document.querySelector('#heatmap button').focus()")
    page.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.stage") == "classify"
    assert page.evaluate("document.activeElement.dataset.config") == "alpha"
    page.press("Enter")
    assert page.evaluate("listed.length") == 10
    assert page.evaluate("document.activeElement.className") == "open"
    page.press("Enter")
    page.wait(OPENED.format("alpha-t0/classify"))
    assert page.evaluate("location.hash") == "#trial=alpha-t0/classify"
    text = page.evaluate("document.getElementById('trial-content').innerText")
    for part in ("passed, rung exact", "Keep the rows.", "return events", "area under the ROC"):
        assert part in text
    page.press("Escape")
    page.wait("!document.getElementById('trial').open")
    quiet(page, small)


def test_rounds_show_what_changed(page: Page, small: Path) -> None:
    opened(page, small)
    page.evaluate("openTrial(cells.find(c => c.point === 'alpha-t9' && c.stage === 'convert'))")
    page.wait(OPENED.format("alpha-t9/convert"))
    changed = page.evaluate(CHANGED)
    assert changed == [
        ["removed- # round 1", "added+ # round 2"],
        ["removed- # round 2"],
    ]
    page.evaluate("[...dialog.querySelectorAll('.choice button')].find(b => "
                  "b.textContent === 'Whole module').click()")  # fmt: skip
    assert page.evaluate("dialog.querySelectorAll('pre.diff').length") == 1


def test_an_address_opens_a_trial_with_its_figures(page: Page, filled: Path) -> None:
    opened(page, filled)
    cell = "cells.find(c => c.stage === 'preprocess' && c.outcome === 'passed')"
    address = page.evaluate(f"cellAddress({cell})")
    point = page.evaluate(f"{cell}.point")
    page.evaluate(f"location.hash = {address!r}")
    page.wait(OPENED.format(f"{point}/preprocess"))
    figures = page.evaluate("dialog.querySelectorAll('figure svg[role=img][aria-label]').length")
    assert figures == 4
    text = page.evaluate("dialog.querySelector('figure svg').textContent")
    for part in ("events / 1.25 GeV", "[GeV]", "reference", "solution"):
        assert part in text
    captions = page.evaluate(CAPTIONS)
    assert "square root of the sum of squared weights" in captions[0]
    assert "√N" in captions[3]
    quiet(page, filled)


@pytest.mark.parametrize("unblind", [False, True])
def test_a_fit_says_what_it_was_made_to(
    page: Page, tmp_path: Path, filled: Path, unblind: bool
) -> None:
    run = tmp_path / "run"
    shutil.copytree(filled, run)
    for path in run.glob("points/*/settings.json"):
        write_json(path, {**read_json(path), "unblind": unblind})
    make_sweep_page(run)
    opened(page, run)
    trial = "cells.find(c => c.stage === '{}' && c.outcome === 'passed')"
    page.evaluate(f"openTrial({trial.format('measure')})")
    page.wait("dialog.dataset.ready?.endsWith('/measure')")
    fits = page.evaluate(CAPTIONS)
    assert len(fits) == 2
    for caption in fits:
        assert ("Fitted to the data themselves" in caption) is unblind
        assert ("expected (Asimov) data" in caption) is not unblind
    page.evaluate(f"openTrial({trial.format('preprocess')})")
    page.wait("dialog.dataset.ready?.endsWith('/preprocess')")
    data = page.evaluate("dialog.querySelectorAll('figure')[3].textContent")
    assert ("blinded" in data) is not unblind
    quiet(page, run)


@pytest.mark.parametrize(("selected", "said"), [
    ([1, 0, 0], "Blinded between 120 and 130 GeV."),
    ([1, 2, 0], "are blinded: those shown there do not pass the selection."),
])  # fmt: skip
def test_events_in_the_blinded_range_are_explained(
    page: Page, small: Path, selected: list[int], said: str
) -> None:
    """Converted data keep pairs there that are not tight and isolated."""
    opened(page, small)
    axes = {
        "kind": "histogram", "title": "data: mass", "x": "m", "unit": "GeV", "y": "events",
        "low": 110, "high": 140, "bins": 3, "weighted": False, "hidden": [120, 130],
        "reference": None,
    }  # fmt: skip
    found = {"y": selected, "e": [1, 1, 1], "rows": 3, "sum": 3, "below": 0, "above": 0, "lost": 0}
    text = page.evaluate(f"figureView({json.dumps(axes)}, {json.dumps(found)}).textContent")
    assert said in text


def test_a_trial_says_what_is_made_up(page: Page, filled: Path) -> None:
    """On the bar of the dialog, which stays where it is."""
    opened(page, filled)
    page.evaluate("openTrial(cells.find(c => c.stage === 'convert'))")
    page.wait("dialog.dataset.ready?.endsWith('/convert')")
    assert page.evaluate(BADGES) == ["Synthetic data", "Scripted replies"]


def test_no_word_of_a_verdict_is_broken(page: Page, filled: Path) -> None:
    opened(page, filled)
    page.evaluate("openTrial(cells.find(c => c.stage === 'preprocess' && c.outcome === 'passed'))")
    page.wait("dialog.dataset.ready?.endsWith('/preprocess')")
    squeeze = "dialog.querySelectorAll('td:last-child')"
    page.evaluate(f"{squeeze}.forEach(c => {{ c.textContent = 'many words '.repeat(99); }})")
    lines = page.evaluate(LINES)
    assert lines
    assert set(lines) == {1}


def test_every_trial_opens(page: Page, filled: Path) -> None:
    opened(page, filled)
    whole = page.evaluate(
        "(async () => { let n = 0; for (const c of cells) { const v = await trialView(c);"
        " n += v.querySelectorAll('h3').length === 3 ? 1 : 0; } return n; })()"
    )
    assert whole == 40
    quiet(page, filled)


def test_hostile_text_is_inert(page: Page, hostile: Path) -> None:
    opened(page, hostile)
    for stage in ("convert", "classify"):
        page.evaluate(f"openTrial(cells.find(c => c.stage === '{stage}'))")
        page.wait(OPENED.format(f"gamma-t0/{stage}"))
        text = page.evaluate("dialog.textContent")
        assert "</script><script>window.stolen = 1</script>" in text
        assert "{{ 7 * 7 }}" in text
        assert page.evaluate("dialog.querySelectorAll('img, script').length") == 0
    assert page.evaluate("window.stolen === undefined")
    assert page.evaluate("document.scripts.length") == 1 + page.evaluate(
        "document.querySelectorAll('script[type]').length"
    )
    quiet(page, hostile)


def test_the_policy_stops_a_script_that_gets_in(page: Page, small: Path) -> None:
    """The second line: even markup that got onto the page would not run."""
    opened(page, small)
    page.evaluate(
        "{const s = document.createElement('script'); s.textContent = 'window.stolen = 5';"
        " document.body.append(s); const d = document.createElement('div');"
        " d.innerHTML = '<img src=x onerror=\"window.stolen = 6\">'; document.body.append(d)}"
    )
    assert page.evaluate("window.stolen === undefined")
    assert any("Content Security Policy" in m for m in page.messages)
