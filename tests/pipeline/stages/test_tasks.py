"""The task texts: every placeholder has its value, and the numbers are those of the settings."""

from importlib import import_module
from pathlib import Path

import jinja2
import pytest

from pipeline.configure import configure
from pipeline.settings import Settings
from tests.pipeline.stages.tables import settings

STAGES = ("preprocess", "classify", "categorize", "measure")
FOUR_LEPTON = ("preprocess", "measure")


def render(stage: str, chosen: Settings) -> str:
    module = import_module(f"pipeline.stages.{stage}.contract")
    text = Path(str(module.__file__)).with_name("task.md").read_text(encoding="utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    return environment.from_string(text).render(module.task_variables(chosen))


@pytest.mark.parametrize("stage", STAGES)
def test_is_complete_and_names_what_must_be_defined(stage: str) -> None:
    text = render(stage, settings())
    contract = import_module(f"pipeline.stages.{stage}.contract").CONTRACT
    for name, arguments in contract.defines.items():
        assert f"def {name}({', '.join(arguments)}):" in text
    assert "{{" not in text
    assert "{%" not in text
    assert text.lstrip().startswith("# ")


def test_numbers_come_from_the_settings() -> None:
    chosen = settings("channel.categorize.min_gain=0.07", "channel.measure.signal_mass=125.2")
    assert "rises by at least 7 %" in render("categorize", chosen)
    assert "123.0 ≤ `m_yy` ≤ 127.0 GeV" in render("categorize", chosen)
    assert "`signal_mass` (125.2 GeV)" in render("measure", chosen)
    assert "105.0–120.0 GeV and 130.0–160.0 GeV" in render("preprocess", chosen)
    assert "`n_jets_central`, `n_bjets`, `ht_jets`, `met_pt`, `pt_yy`" in render("classify", chosen)


@pytest.mark.parametrize("stage", FOUR_LEPTON)
def test_the_other_channel_is_told_its_own_rules(stage: str) -> None:
    text = render(stage, settings(channel="hzz4l"))
    assert "m_4l" in text
    assert "NTI" not in text
    assert ("10 % on its yield" in text) == (stage == "measure")


@pytest.mark.parametrize("stage", STAGES)
def test_does_not_show_the_reference(stage: str) -> None:
    text = render(stage, settings())
    for word in ("reference.py", "pipeline.physics", "HistGradientBoosting", "/work"):
        assert word not in text


def test_convert_is_told_what_a_release_cannot_give() -> None:
    text = render("convert", configure(["channel=hyy", "data=opendata_2024", "data.location=x"]))
    assert "`met`, `met_phi`, `met_mpx`, `met_mpy`: PHYSLITE holds the soft terms" in text
    assert "`two_photons`: there are two candidates or more" in text
    assert "| `met` |" not in text
    assert "| `photon_topoetcone20` | float[] | GeV |" in text
    assert "`mcWeight` times `ScaleFactor_PILEUP`, in float64" in text
    other = render("convert", configure(["channel=hyy", "data=opendata_2025", "data.location=x"]))
    assert "This release cannot give" not in other
    assert "| `met` |" in other


def test_convert_of_2016_names_its_own_cuts() -> None:
    text = render("convert", configure(["channel=hzz4l", "data=opendata_2016", "data.location=x"]))
    assert "`quality`: `passGRL` and `hasGoodVertex`" in text
    assert "the files of this release hold no photons" in text
