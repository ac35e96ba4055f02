"""From the command line to settings: every mistake is one sentence with the nearest valid name."""

import re
from pathlib import Path

import pytest

from pipeline.configure import configure
from pipeline.settings import SettingsError


def test_defaults_are_the_main_measurement() -> None:
    settings = configure([])
    assert settings.channel.name == "hyy"
    assert settings.data.synthetic
    assert settings.data.luminosity == 36.1
    assert settings.stages == (
        "inspect", "convert", "preprocess", "classify", "categorize", "measure",
    )  # fmt: skip
    assert settings.channel.processes["ggH"].samples == ("343981",)
    assert settings.channel.measure.luminosity_uncertainty == 0.021


def test_the_name_of_a_run_follows_from_its_settings() -> None:
    assert configure([]).run.name == configure(["site.workers=1"]).run.name
    assert configure([]).run.name != configure(["data.mu=2"]).run.name
    assert configure([]).run.name.startswith("hyy-synthetic-scripted-")
    assert configure(["solver=reference"]).run.name.startswith("hyy-synthetic-reference-")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["chanel=hyy"], "unknown key 'chanel'; did you mean 'channel'"),
        (["data.lumi=3"], "unknown key 'data.lumi'; did you mean 'data.luminosity'"),
        (["channel=hyyy"], "channel=hyyy does not exist; did you mean 'hyy'"),
        (["data=opendata2020"], "did you mean 'opendata_2020'"),
        (["data.mu=abc"], "expected a number for 'data.mu', found 'abc'"),
        (["data.mu=null"], "expected a number for 'data.mu', found nothing"),
        (["chain=chaned"], "did you mean 'chained'"),
        (["channel=hzz4l", "stages=[classify]"], "channel=hzz4l has no stage 'classify'"),
        (["stages=[convrt]"], "unknown stage 'convrt' in stages; did you mean 'convert'"),
        (["stages=[measure]"], "'inspect' is missing; add it, or take chain=isolated"),
        (["stages=[convert,inspect]"], "write stages=[inspect,convert]"),
        (["stages=[]"], "expected at least one stage"),
        (["data=opendata_2025"], "data=opendata_2025 needs data.location=PATH"),
        (["data.location=/x"], "data=synthetic makes its own files"),
        (
            ["data=opendata_2025", "data.location=/x", "data.skim=/y"],
            "expected data.skim or data.location, found both",
        ),
        (["data.skim=/y", "data.share=10%"], "taken as a whole, found data.share=10%"),
        (["data.skim=/y", "stages=[convert,preprocess]"], "the stage 'convert' reads ROOT"),
        (["data.skim=/y", "stages=[classify]"], "'preprocess' is missing"),
        (["run.name=a b"], "expected run.name of letters"),
        (["run.name=latest"], "is the link to the newest run"),
        (["data.luminosity=0"], "expected data.luminosity > 0"),
        (["site.memory_gb=0.2"], "expected site.memory_gb of at least 0.5 for a worker"),
        (["data.mu=1,2"], "asks for several values at once"),
        (["mu"], "expected key=value, found 'mu'"),
        (["data.mu=[1"], "cannot read the override 'data.mu=[1'"),
    ],
)
def test_mistakes(overrides: list[str], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        configure(overrides)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_isolated_stages_need_not_be_all() -> None:
    settings = configure(["chain=isolated", "stages=[classify]"])
    assert settings.stages == ("classify",)


def test_a_path_with_spaces_and_quotes() -> None:
    settings = configure(["data=opendata_2020", "data.location='/a b/it\\'s'", "run.name=x"])
    assert settings.data.location == "/a b/it's"


def test_where_a_model_is_served_does_not_make_another_run() -> None:
    here = ["model=endpoint", "model.repository=owner/name", "model.base_url=http://a:1/v1"]
    there = ["model=endpoint", "model.repository=owner/name", "model.base_url=http://b:2/v1"]
    assert configure(here).run.name == configure(there).run.name
    warmer = [*here, "model.temperature=0.7"]
    assert configure(here).run.name != configure(warmer).run.name


def test_the_reference_solver_needs_no_word_about_a_model() -> None:
    assert configure(["solver=reference"]).model.provider == "none"


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["solver=reference", "model=scripted"], "solver=reference asks no model"),
        (["model=none"], "solver=agent needs a model"),
        (["model.script=solvs"], "did you mean 'solves'"),
        (["model=endpoint", "model.base_url=http://a:1/v1"], "needs model.repository="),
        (["model=endpoint", "model.repository=a/b"], "needs the address of its server"),
        (
            ["model=endpoint", "model.repository=a/b", "model.base_url=http://u:p@a/v1"],
            "no credentials in the base_url",
        ),
        (
            ["model=endpoint", "model.repository=a/b", "model.base_url=http://a:1/v1",
             "solver.max_cost=3"],
            "solver.max_cost needs a price",
        ),
        (["model=replay", "model.recorded=nowhere"], "expected a run in model.recorded"),
        (["solver.max_rounds=0"], "solver.max_rounds of at least 1"),
        (["site.sandbox=docker"], "expected one of auto, bubblewrap, apptainer, plain, none"),
    ],
)  # fmt: skip
def test_a_model_and_a_solver_that_do_not_fit(overrides: list[str], says: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(says)):
        configure(overrides)


def test_paths_are_those_of_the_users_folder(in_tmp: Path) -> None:
    given = configure(
        ["model=endpoint", "model.repository=a/b", "model.base_url=http://a:1/v1",
         "model.api_key_file=keys/mine", "data=opendata_2025", "data.location=files"]
    )  # fmt: skip
    assert given.model.api_key_file == str(in_tmp / "keys" / "mine")
    assert given.data.location == str(in_tmp / "files")
    remote = configure(["data=opendata_2025", "data.location=root://host//files"])
    assert remote.data.location == "root://host//files"


def test_another_recording_is_another_run(in_tmp: Path) -> None:
    for name in ("first", "second"):
        (in_tmp / name).mkdir()
        (in_tmp / name / "sweep.json").write_text("{}")
    first, second = (
        configure(["model=replay", f"model.recorded={n}"]) for n in ("first", "second")
    )
    assert first.model.recorded == str(in_tmp / "first")
    assert first.run.name != second.run.name


def test_a_skim_takes_the_place_of_the_files(in_tmp: Path) -> None:
    settings = configure(["data=opendata_2025", "data.skim=kept/skim"])
    assert settings.data.skim == str(in_tmp / "kept" / "skim")
    assert settings.stages == ("preprocess", "classify", "categorize", "measure")
    assert "inspect" not in settings.channel.stages
    assert not configure(["data.skim=x"]).data.generated
    assert configure([]).data.generated
