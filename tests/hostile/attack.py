"""Hostile solutions: files that say what they try, and what must become of it."""

from __future__ import annotations

import base64
import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.files import read_table
from tests.hostile.chain import DATA, LIMITS, SLICE, Chain

FOLDER = Path(__file__).parent / "solutions"
_PROMISE = re.compile(
    r'"""(?P<tries>.+)\n\nstage: (?P<stage>\w+)\ncaught by: (?P<by>bench|judge|contained)\n'
    r'category: (?P<category>.+)\nattribution: (?P<attribution>\w+)\n"""\n'
)
_HONEST = re.compile(
    r"^from ([\w.]+) import (?:BRANCHES .*|(\w+) as honest)\n", re.MULTILINE
)  # fmt: skip
_FILLED = re.compile(r'"@([a-z ]+)@"')


@dataclass(frozen=True)
class Attack:
    """One hostile file, and the end that its docstring promises."""

    path: Path
    stage: str
    caught_by: str
    category: str
    attribution: str

    @classmethod
    def at(cls, path: Path) -> Attack:
        """The attack of a file; ValueError if it does not say what it tries."""
        said = _PROMISE.match(path.read_text(encoding="utf-8"))
        if said is None:
            raise ValueError(f"expected a docstring with stage, caught by, ... in {path.name}")
        return cls(path, said["stage"], said["by"], said["category"], said["attribution"])

    @property
    def name(self) -> str:
        return self.path.stem

    def code(self, filled: Mapping[str, str]) -> str:
        """The module as the coder writes it: honest code that it builds on, then its own.

        `"@word@"` is filled with what a solver could know or have guessed: its own inputs, the
        reference's numbers, a path of the host.
        """
        own = self.path.read_text(encoding="utf-8")
        honest = [(m[1], m[2]) for m in _HONEST.finditer(own) if m[2]]
        before = ""
        for module, function in honest:
            source = Path(str(importlib.import_module(module).__file__)).read_text("utf-8")
            before += f"{source}\n\nhonest = {function}\n\n"
        own = _HONEST.sub("", own)
        return before + _FILLED.sub(lambda found: filled[found[1]], own)


def all_attacks() -> list[Attack]:
    """Every attack, in the order of the files."""
    return [Attack.at(path) for path in sorted(FOLDER.glob("*.py"))]


def knowledge(chain: Chain, secret: Path, canary: Path) -> dict[str, str]:
    """What stands for each `"@word@"`: Python expressions."""
    reference = chain.folder / chain.reference
    scores = [reference / f"classify/sealed/{n}.parquet" for n in
              ("signal", "background", "control", "data")]  # fmt: skip
    masses = [reference / f"convert/sealed/{DATA}.parquet"]
    return {
        "secret file": repr(str(secret)),
        "canary": repr(str(canary)),
        "scores": repr(_stored(scores, "score")),
        "masses": repr(_stored(masses, "m_yy")),
        "shown": repr(str(SLICE)),
        "luminosity": repr(str(chain.settings.data.luminosity)),
        "measurement": repr((reference / "measure/output/measurement.json").read_text("utf-8")),
        "deep": " + ".join(["1"] * 20_000),
        "deep default": "not " * 500 + "1",
        "no python": "return return",
    }


def _stored(paths: list[Path], column: str) -> str:
    """Events and their values, sorted by event, in base 64."""
    tables = [read_table(path) for path in paths]
    rows = [(r * 10**11 + e, v) for t in tables for r, e, v in
            zip(t["run_number"], t["event_number"], t[column], strict=True)]  # fmt: skip
    array = np.array(sorted(rows), [("event", "<i8"), ("value", "<f8")])
    return base64.b64encode(array.tobytes()).decode()


def wall_s(attack: Attack) -> float:
    """Seconds that one call may take: little for what is known to use them all."""
    return 4.0 if attack.category == "timeout" else LIMITS.wall_s
