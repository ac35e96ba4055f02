"""What every figure bears: our label, the state of the data, and fonts that exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text

from pipeline.report.content import read_content
from pipeline.report.figures.style import LABEL, SETTINGS, atlas_style, math_label, save
from pipeline.report.folder import read_points
from pipeline.report.gallery import gallery, marks_of
from tests.pipeline.report.conftest import Reported


def _texts(reported: Reported) -> dict[str, list[str]]:
    """Every text of every figure, by the figure's name."""
    point = read_points(reported.run.path)[0]
    with atlas_style():
        return {
            plate.name: [t.get_text() for t in plate.draw().findobj(Text) if t.get_text()]  # type: ignore[attr-defined]
            for plate in gallery(point, read_content(point))
        }


def test_synthetic_figures_say_so_and_never_the_bare_name(diphoton: Reported) -> None:
    found = _texts(diphoton)
    assert len(found) == 10
    for name, texts in found.items():
        assert LABEL in texts, name
        assert "Synthetic" in texts, name
        assert any("13" in text and "36.1 fb" in text for text in texts), name
        assert not [t for t in texts if "ATLAS" in t.replace(LABEL, "")], name


def test_real_figures_do_not_and_name_their_part_of_the_luminosity(partial: Reported) -> None:
    for name, texts in _texts(partial).items():
        assert "Synthetic" not in texts, name
        assert LABEL in texts, name
        assert any("part of 10.064 fb" in text for text in texts), name


def test_axes_have_titles_with_units(diphoton: Reported) -> None:
    found = _texts(diphoton)
    assert "Events / GeV" in found["spectrum"]
    assert r"$m_{\gamma\gamma}$ [GeV]" in found["spectrum"]
    assert "Events / 2.5 GeV" in found["spectrum_categories"]
    assert "Sum of weights / GeV" in found["spectrum_weighted"]


def test_the_first_font_is_installed_with_the_packages() -> None:
    known = {font.name for font in font_manager.fontManager.ttflist}
    assert set(SETTINGS["font.sans-serif"]) <= known


@pytest.mark.parametrize(
    ("text", "label"),
    [("tt\u0304Z", r"t$\bar{\mathrm{t}}$Z"), ("ZZ*", "ZZ*")],
)
def test_letters_under_a_bar(text: str, label: str) -> None:
    assert math_label(text) == label


def test_marks_follow_the_settings(diphoton: Reported) -> None:
    marks = marks_of(read_points(diphoton.run.path)[0])
    assert (marks.energy, marks.synthetic, marks.process) == ("13", True, "H → γγ")
    assert marks.luminosity.startswith("36.1 fb")


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    def saved(folder: Path) -> tuple[bytes, ...]:
        with atlas_style():
            figure = Figure(figsize=(4, 3))
            figure.add_subplot().plot([0, 1], [0, 1], label=r"$\mu$")
            svg = save(figure, folder / "x")
        return svg, (folder / "x.png").read_bytes(), (folder / "x.pdf").read_bytes()

    assert saved(tmp_path / "a") == saved(tmp_path / "b")
