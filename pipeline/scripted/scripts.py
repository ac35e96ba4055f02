"""The scripts of scripted models: which there are, and where their replies are looked for.

A script is a folder with a README.md and replies, a skill one with a skill.yaml (`skill.py`).
"""

from __future__ import annotations

from pathlib import Path

from pipeline.settings import SettingsError, nearest

HERE = Path(__file__).parent
SOLVES = "solves"
"""The script that solves every stage; others fall back on it for the stages they leave out."""
ANY = "any"
SKILL = "skill.yaml"


def known_scripts() -> list[str]:
    """Names of all scripts, sorted."""
    return sorted(path.parent.name for path in HERE.glob("*/README.md"))


def known_skills() -> list[str]:
    """Names of all skills, sorted."""
    return sorted(path.parent.name for path in HERE.glob(f"*/{SKILL}"))


def folders(script: str, channel: str, release: str) -> tuple[Path, ...]:
    """Where the replies of a script are looked for, the most special folder first.

    A folder need not exist. SettingsError names the nearest script where there is no such one.
    """
    if script not in known_scripts():
        known = [*known_scripts(), *known_skills()]
        raise SettingsError(f"unknown script {script!r} in model.script; {nearest(script, known)}")
    return tuple(
        folder
        for name in dict.fromkeys((script, SOLVES))
        for folder in own_folders(name, channel, release)
    )


def own_folders(script: str, channel: str, release: str) -> tuple[Path, ...]:
    """The same without those of `solves`."""
    return tuple(HERE / script / scope for scope in (f"{channel}-{release[:4]}", channel, ANY))
