"""What tests look at on the page of a sweep, in a browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.pipeline.sweep_page.browser import Page

ROWS = """[...document.querySelectorAll('#{}-table tbody tr')]
    .filter(r => !r.hidden).map(r => r.cells[{}].innerText.split('\\n')[0])"""
OPENED = "document.getElementById('trial').dataset.ready === '{}'"
CAPTIONS = "[...dialog.querySelectorAll('figcaption')].map(c => c.innerText)"
BADGES = "[...document.querySelectorAll('.trial-bar .badge')].map(b => b.textContent)"
CHANGED = """[...dialog.querySelectorAll('pre.diff')].map(d => [...d.children]
    .map(s => s.className + s.lastChild.textContent).filter(line => !line.startsWith('same')))"""
"""The lines of each difference that are not the same in both modules."""


def chromium() -> str:
    """The program; the test is skipped where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium is installed; `make testbed` installs it")
    return found


def opened(page: Page, run: Path) -> None:
    """Load the page of a run, with nothing on record before."""
    page.requests.clear()
    page.messages.clear()
    page.open((run / "report.html").as_uri())


def quiet(page: Page, run: Path) -> None:
    """Nothing but the page itself was asked for, and nothing was complained of."""
    assert {r.partition("#")[0] for r in page.requests} == {(run / "report.html").as_uri()}
    assert page.messages == []


def choose(page: Page, name: str, value: str) -> None:
    """Set a filter as a user does."""
    page.evaluate(
        f"filterForm.elements['{name}'].value = {value!r};"
        "filterForm.dispatchEvent(new Event('input', {bubbles: true}))"
    )


def sort_by(page: Page, table: str, column: int) -> None:
    """Click the head of a column."""
    page.evaluate(
        f"document.querySelectorAll('#{table}-table thead th')[{column}]"
        ".querySelector('button').click()"
    )
