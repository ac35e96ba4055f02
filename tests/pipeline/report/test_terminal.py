"""The report in the terminal."""

from __future__ import annotations

import io

from rich.console import Console

from pipeline.report import terminal_summary
from tests.pipeline.report.conftest import Reported


def _printed(reported: Reported) -> str:
    console = Console(file=io.StringIO(), width=160, color_system=None)
    console.print(terminal_summary(reported.run.path))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def test_numbers_and_the_place_of_the_page(diphoton: Reported) -> None:
    text = _printed(diphoton)
    assert "H → γγ, 2025e-13tev-beta  synthetic" in text
    assert "μ       1.04 ± 0.21   95 %: 0.63 to 1.46" in text
    assert "Z       5.12 σ observed, 4.93 σ expected" in text
    assert "132 +24 −24 (stat.) +11 −9 (syst.) ± 3 (lumi.) fb" in text
    assert f"report  {diphoton.product.html}" in text
    assert text.count("reference") == 6
    assert len(text.splitlines()) < 15


def test_a_run_without_measurement_gives_counts_and_the_reason(partial: Reported) -> None:
    text = _printed(partial)
    assert "partial data" in text
    assert "no measurement: no signal sample can be normalised" in text
    assert "data_A 39 → 27, data_B 156 → 86" in text
