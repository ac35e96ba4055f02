"""Draws are the same everywhere, independent of each other, and as frequent as the rates say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

from pipeline.configure import configure
from pipeline.models import model_of, seed_of, trial_seed
from pipeline.scripted.scripts import SOLVES, known_scripts, known_skills
from pipeline.scripted.skill import SkillError, choose, rates_of, read_rates, script_of
from pipeline.scripted.truth import expected
from pipeline.settings import STAGES, SettingsError

SKILLS = ("expert", "novice", "student")
GOLDEN = {
    ("expert", "inspect"): ["corrects", "lists_little", "at_once", "at_once", "at_once"],
    ("expert", "convert"): ["solves", "at_once", "solves", "softer_jets", "at_once"],
    ("expert", "preprocess"): ["at_once", "at_once", "other_sums", "at_once", "at_once"],
    ("expert", "classify"): ["at_once", "at_once", "at_once", "rounded_scores", "at_once"],
    ("expert", "categorize"): ["at_once", "at_once", "at_once", "at_once", "at_once"],
    ("expert", "measure"): ["at_once", "at_once", "at_once", "at_once", "at_once"],
    ("student", "inspect"): ["at_once", "guesses_tree", "reads_events", "corrects", "reads_events"],
    ("student", "convert"): ["mev", "mev", "solves", "other_sums", "solves"],
    ("student", "preprocess"): ["corrects", "at_once", "at_once", "no_normalisation", "other_sums"],
    ("student", "classify"): ["at_once", "at_once", "other_rate", "ignores_seed", "at_once"],
    ("student", "categorize"): ["solves", "any_gain", "coarse", "solves", "solves"],
    ("student", "measure"): ["no_intervals", "no_intervals", "corrects", "corrects", "corrects"],
    ("novice", "inspect"): [
        "guesses_tree",
        "guesses_tree",
        "guesses_tree",
        "guesses_tree",
        "corrects",
    ],
    ("novice", "convert"): ["mev", "cut_reply", "dummy_data", "solves", "solves"],
    ("novice", "preprocess"): [
        "corrects",
        "reads_password",
        "zero_weights",
        "missing_file",
        "flounders",
    ],
    ("novice", "classify"): [
        "wrong_call",
        "wrong_call",
        "leaks_mass",
        "constant_scores",
        "wrong_call",
    ],
    ("novice", "categorize"): [
        "wrong_column",
        "solves",
        "wrong_column",
        "any_gain",
        "wrong_column",
    ],
    ("novice", "measure"): [
        "no_intervals",
        "wrong_minimiser",
        "no_intervals",
        "no_intervals",
        "no_intervals",
    ],
}
"""(skill, stage) -> scripts of the trials 0 to 4 with the seed 42: never to change."""


def test_what_is_there() -> None:
    assert known_skills() == list(SKILLS)
    assert not {*SKILLS} & {*known_scripts()}
    for skill in SKILLS:
        assert tuple(rates_of(skill)) == STAGES


@pytest.mark.parametrize(("skill", "stage"), GOLDEN)
def test_draws_are_stable(skill: str, stage: str) -> None:
    drawn = [choose(skill, stage, trial_seed(42, trial)) for trial in range(5)]
    assert drawn == GOLDEN[skill, stage]


def test_the_seed_of_a_trial_is_that_of_its_settings() -> None:
    assert (trial_seed(42, 0), trial_seed(42, 1)) == (1_949_701_853, 388_429_665)
    assert seed_of(configure(["seed=7", "trial=3"])) == trial_seed(7, 3)


@pytest.mark.parametrize("skill", SKILLS)
def test_frequencies_agree_with_rates(skill: str) -> None:
    number = 4_000
    for stage, rates in rates_of(skill).items():
        counted = Counter(choose(skill, stage, trial_seed(1, n)) for n in range(number))
        assert set(counted) == set(rates)
        distance = sum((counted[s] - number * r) ** 2 / (number * r) for s, r in rates.items())
        assert chi2.sf(float(distance), len(rates) - 1) > 1e-4, (stage, counted)


def test_stages_and_skills_are_drawn_independently() -> None:
    number = 2_000
    columns = [
        [list(rates_of(skill)[stage]).index(choose(skill, stage, n)) for n in range(number)]
        for skill in SKILLS
        for stage in ("convert", "classify")
    ]
    correlation = np.corrcoef(np.array(columns, float)) - np.eye(len(columns))
    assert np.abs(correlation).max() < 5 / np.sqrt(number)


def test_a_better_skill_solves_more() -> None:
    for stage in STAGES:
        shares = [
            float(sum(rate for script, rate in rates_of(skill)[stage].items()
                      if expected(script, stage).outcome == "passed"))
            for skill in ("expert", "student", "novice")
        ]  # fmt: skip
        assert shares == sorted(shares, reverse=True), stage
        assert shares[0] > 0.85
        assert shares[2] < 0.45


def test_a_script_is_itself_and_draws_nothing() -> None:
    assert script_of(SOLVES, "convert", 1) == SOLVES
    model = model_of(configure(["model=scripted"]), "convert")
    assert model.identity == {
        "name": "scripted:solves", "revision": None, "sampling": {}, "scripted": True
    }  # fmt: skip


def test_the_model_says_that_it_is_scripted_its_skill_and_its_variant() -> None:
    settings = configure(["model=novice", "trial=2"])
    variant = choose("novice", "classify", seed_of(settings))
    identity = model_of(settings, "classify").identity
    assert identity == {
        "name": f"scripted:novice/{variant}", "skill": "novice", "variant": variant,
        "revision": None, "sampling": {}, "scripted": True,
    }  # fmt: skip
    assert settings.model.name == "novice"


def test_a_skill_without_replies_for_a_channel_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"may draw 'corrects' for preprocess, which has no"):
        configure(["model=novice", "channel=hzz4l"])
    with pytest.raises(SettingsError, match=r"unknown script 'novic' .* did you mean 'novice'"):
        configure(["model.script=novic"])
    with pytest.raises(SettingsError, match=r"unknown skill 'experts'; did you mean 'expert'"):
        rates_of("experts")


@pytest.mark.parametrize(("text", "sentence"), [
    ("convert: {solves: 0.6, mev: 0.3}", r"add up to 1 in \S+/skill.yaml, convert, found 0.9"),
    ("convert: {solve: 1}", r"unknown script 'solve' in .*did you mean 'solves'"),
    ("convert: {solves: 1.5}", r"expected a rate over 0 and up to 1 of 'solves' .* found 1.5"),
    ("convert: {solves: true}", r"expected a rate .* found True"),
    ("convert", r"expected stages with a rate per script .* found 'convert'"),
])  # fmt: skip
def test_a_file_that_is_no_skill(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "skill.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SkillError, match=sentence):
        read_rates(path)


def test_rates_are_added_without_rounding(tmp_path: Path) -> None:
    path = tmp_path / "skill.yaml"
    path.write_text("convert: {solves: 0.7, mev: 0.2, refuses: 0.1}", encoding="utf-8")
    assert 0.7 + 0.2 + 0.1 != 1.0
    assert sum(read_rates(path)["convert"].values()) == 1


def test_a_stage_of_which_a_skill_says_nothing() -> None:
    with pytest.raises(SkillError, match=r"expected the stage 'unfold' in novice/skill.yaml"):
        choose("novice", "unfold", 1)
