"""The scripts of scripted models: which there are, and where their replies are looked for."""

from __future__ import annotations

from pathlib import Path

from pipeline.settings import SettingsError, nearest

HERE = Path(__file__).parent
SOLVES = "solves"
"""The script that solves every stage; others fall back on it for the stages they leave out."""
ANY = "any"


def known_scripts() -> list[str]:
    """Names of all scripts, sorted."""
    return sorted(path.parent.name for path in HERE.glob("*/README.md"))


def folders(script: str, channel: str, release: str) -> tuple[Path, ...]:
    """Where the replies of a script are looked for, the most special folder first.

    A folder need not exist. SettingsError names the nearest script where there is no such one.
    """
    known = known_scripts()
    if script not in known:
        raise SettingsError(f"unknown script {script!r} in model.script; {nearest(script, known)}")
    year = release[:4]
    scopes = (f"{channel}-{year}", channel, ANY)
    return tuple(
        HERE / name / scope for name in dict.fromkeys((script, SOLVES)) for scope in scopes
    )
