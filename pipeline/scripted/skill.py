"""Skills: scripted models that draw, for each stage and trial, which script they follow.

`<skill>/skill.yaml` names scripts and their rates per stage. Which one a trial gets is

    u = first 8 bytes of SHA-256("<skill>/<stage>/<seed>"), big-endian, over 2^64

and the script whose part of [0, 1) holds u, the parts laid out in the order of the file. So a draw
is the same on every machine and known before anything runs, and draws of different stages, trials
and skills have nothing to do with each other. Rates are added as fractions: no rounding decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import yaml

from pipeline.scripted.scripts import (
    HERE,
    SKILL,
    folders,
    known_scripts,
    known_skills,
    own_folders,
)
from pipeline.settings import SettingsError, nearest

Rates = Mapping[str, Fraction]


class SkillError(ValueError):
    """A skill's file is not what a skill is made of."""


def choose(skill: str, stage: str, seed: int) -> str:
    """The script that a skill follows in a stage where the seed of the trial is `seed`.

    SkillError if the skill says nothing of the stage.
    """
    rates = rates_of(skill)
    if stage not in rates:
        raise SkillError(
            f"expected the stage {stage!r} in {skill}/{SKILL}, found {', '.join(rates)}; add it "
            "there"
        )
    digest = hashlib.sha256(f"{skill}/{stage}/{seed}".encode()).digest()
    drawn, end = Fraction(int.from_bytes(digest[:8], "big"), 2**64), Fraction(0)
    for script, rate in rates[stage].items():
        end += rate
        if drawn < end:
            return script
    raise AssertionError("rates add up to 1")


def script_of(named: str, stage: str, seed: int) -> str:
    """The script that `model.script=named` means for a stage: that one, or what a skill draws."""
    return choose(named, stage, seed) if named in known_skills() else named


def rates_of(skill: str) -> Mapping[str, Rates]:
    """Stage -> script -> rate; SettingsError names the nearest skill where there is no such one."""
    path = HERE / skill / SKILL
    if not path.is_file():
        raise SettingsError(f"unknown skill {skill!r}; {nearest(skill, known_skills())}")
    return read_rates(path)


@cache
def read_rates(path: Path) -> Mapping[str, Rates]:
    """The rates in a file; SkillError unless those of each stage are of scripts and add up to 1."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    where = f"{path.parent.name}/{path.name}"
    if not isinstance(content, dict) or not all(isinstance(c, dict) for c in content.values()):
        raise SkillError(
            f"expected stages with a rate per script in {where}, found {content!r}; write e.g. "
            "convert: {solves: 0.7, wrong_branch: 0.3}"
        )
    return {str(stage): _rates(f"{where}, {stage}", given) for stage, given in content.items()}


def check_script(named: str, stages: Sequence[str], channel: str, release: str) -> None:
    """SettingsError unless `model.script=named` is a script, or a skill with replies for these.

    Where a drawn script has none for a channel or release, those of `solves` would take their
    place in silence, and the rates would not hold.
    """
    if named not in known_skills():
        folders(named, channel, release)
        return
    rates = rates_of(named)
    for stage in stages:
        for script in rates.get(stage, ()):
            written = any((HERE / script).glob(f"*/{stage}"))
            own = own_folders(script, channel, release)
            if written and not any((folder / stage).is_dir() for folder in own):
                raise SettingsError(
                    f"model.script={named} may draw {script!r} for {stage}, which has no replies "
                    f"for channel={channel} and the release {release}; take channel=hyy with "
                    "data=synthetic, or a script in the place of the skill"
                )


def _rates(where: str, given: Mapping[str, object]) -> Rates:
    known = known_scripts()
    for script, rate in given.items():
        if script not in known:
            raise SkillError(f"unknown script {script!r} in {where}; {nearest(str(script), known)}")
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 1:
            raise SkillError(
                f"expected a rate over 0 and up to 1 of {script!r} in {where}, found {rate!r}; "
                "correct it there"
            )
    rates = {script: Fraction(str(rate)) for script, rate in given.items()}
    if sum(rates.values()) != 1:
        raise SkillError(
            f"expected rates that add up to 1 in {where}, found {float(sum(rates.values()))!r}; "
            "correct them there"
        )
    return rates
