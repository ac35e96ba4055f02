"""Which scripts there are, and in which order their folders are searched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.judge.taxonomy import CATEGORIES
from pipeline.scripted.scripts import HERE, SOLVES, folders, known_scripts, known_skills
from pipeline.scripted.truth import FILE, read_expected
from pipeline.settings import SettingsError
from tests.pipeline.scripted.replies import FAILING, NO_TRUTH


def test_special_folders_come_first() -> None:
    found = [p.relative_to(HERE).as_posix() for p in folders("mev", "hyy", "2025e-13tev-beta")]
    assert found == ["mev/hyy-2025", "mev/hyy", "mev/any",
                     "solves/hyy-2025", "solves/hyy", "solves/any"]  # fmt: skip
    found = [p.relative_to(HERE).as_posix() for p in folders(SOLVES, "hzz4l", "2020e-13tev")]
    assert found == ["solves/hzz4l-2020", "solves/hzz4l", "solves/any"]


def test_an_unknown_script_is_told_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"unknown script 'solve' .* did you mean 'solves'"):
        folders("solve", "hyy", "2025e-13tev-beta")


@pytest.mark.parametrize(("channel", "release"), [
    ("hyy", "2025e-13tev-beta"), ("hyy", "2020e-13tev"),
    ("hzz4l", "2025e-13tev-beta"), ("hzz4l", "2020e-13tev"),
])  # fmt: skip
def test_every_stage_is_solved(channel: str, release: str) -> None:
    stages = ["inspect", "convert", "preprocess", "measure"]
    stages += ["classify", "categorize"] if channel == "hyy" else []
    searched = folders(SOLVES, channel, release)
    for stage in stages:
        assert any((folder / stage).is_dir() for folder in searched), stage


@pytest.mark.parametrize("script", FAILING)
def test_a_script_says_what_it_does_wrong(script: str) -> None:
    text = (HERE / script / "README.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^- ([a-z ]+): (.+)$", text, re.MULTILINE))
    assert said["category"] in CATEGORIES
    assert said["attribution"] == CATEGORIES[said["category"]].attribution == "model"
    stages = {folder.name for folder in (HERE / script).glob("*/*/")}
    assert stages == {said["stage"]}
    assert "Written by people" in text


@pytest.mark.parametrize("script", sorted({*known_scripts()} - {*FAILING, SOLVES}))
def test_another_script_says_what_it_does_and_in_which_stages(script: str) -> None:
    text = (HERE / script / "README.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^- ([a-z ]+): (.+)$", text, re.MULTILINE))
    stages = said.get("stage") or said["stages"]
    assert set(stages.split(", ")) == {folder.name for folder in (HERE / script).glob("*/*/")}
    assert said["what it does"]
    assert said["result"] == f"`{FILE}`"
    assert "Written by people" in text


@pytest.mark.parametrize("script", [name for name in known_scripts() if name not in NO_TRUTH])
def test_the_result_of_each_stage_that_a_script_writes_is_stated(script: str) -> None:
    stages = {folder.name for folder in (HERE / script).glob("*/*/")}
    found = read_expected(HERE / script / FILE)
    assert set(found) == stages
    for stated in found.values():
        assert stated.category in (None, *CATEGORIES)
        assert stated.cause in (None, *CATEGORIES)
        assert stated.attribution == (None if stated.category is None else "model")


def test_there_is_nothing_but_replies() -> None:
    names = re.compile(r"README\.md|(\d\d-)?(supervisor|coder)\.md|expected\.yaml|skill\.yaml")
    files = [path for path in HERE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    strange = [p.name for p in files if not names.fullmatch(p.name) and p.parent != HERE]
    assert strange == []
    assert all(Path(path).stat().st_size < 24_000 for path in files)
    for skill in known_skills():
        assert [path.name for path in (HERE / skill).iterdir()] == ["skill.yaml"]
