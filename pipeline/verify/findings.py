"""What a verification found: per group how much was checked, what failed, what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

LONGEST = 160
"""Characters of a value that a sentence quotes."""


@dataclass(frozen=True)
class Difference:
    """Where two files differ first; `drawing` if that is an image or its style, and no number."""

    place: str
    expected: str
    found: str
    drawing: bool = False


@dataclass(frozen=True)
class Failure:
    """One thing that is not as it should be."""

    group: str
    file: str
    """Relative to the run directory."""
    expected: str
    found: str
    remedy: str

    @property
    def sentence(self) -> str:
        """Where, what was expected, what was found, what to do."""
        return f"{self.file}: expected {self.expected}, found {self.found}; {self.remedy}"


@dataclass
class Group:
    """The checks of one kind."""

    name: str
    remedy: str
    """What to do about a failure of this group, unless the check knows better."""
    checked: int = 0
    failures: list[Failure] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Files that are not there (yet): what depends on them was not checked."""
    notes: list[str] = field(default_factory=list)

    def same(self, file: str, what: str, expected: Any, found: Any, remedy: str = "") -> bool:
        """Count one check, which fails unless both values are equal; whether they are."""
        self.checked += 1
        if expected == found:
            return True
        self._failed(file, f"{what} {quoted(expected)}", quoted(found), remedy)
        return False

    def holds(self, held: bool, file: str, expected: str, found: str, remedy: str = "") -> bool:
        """Count one check of something that is or is not so; whether it is."""
        self.checked += 1
        if not held:
            self._failed(file, expected, found, remedy)
        return held

    def lacks(self, file: str) -> None:
        """Note a file that is not there."""
        if file not in self.missing:
            self.missing.append(file)

    def note(self, text: str) -> None:
        """Note what a reader should know and what is no failure."""
        if text not in self.notes:
            self.notes.append(text)

    def _failed(self, file: str, expected: str, found: str, remedy: str) -> None:
        self.failures.append(Failure(self.name, file, expected, found, remedy or self.remedy))


@dataclass(frozen=True)
class Verification:
    """All groups of one run."""

    run: str
    groups: tuple[Group, ...]

    @property
    def failures(self) -> tuple[Failure, ...]:
        return tuple(failure for group in self.groups for failure in group.failures)

    @property
    def missing(self) -> tuple[str, ...]:
        """Files that are not there (yet), each once; not those that a failure tells of."""
        told = {failure.file for failure in self.failures}
        names = dict.fromkeys(name for group in self.groups for name in group.missing)
        return tuple(name for name in names if name not in told)

    @property
    def checked(self) -> int:
        return sum(group.checked for group in self.groups)

    @property
    def passed(self) -> bool:
        """Nothing that is there is wrong; what is missing is no failure."""
        return not self.failures

    def group(self, name: str) -> Group:
        """The group of this name; StopIteration if there is none."""
        return next(group for group in self.groups if group.name == name)


def quoted(value: Any) -> str:
    """A value as a sentence shows it, cut where it is long."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def differences(expected: Any, found: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(place, expected, found) of every leaf in which two JSON values differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*expected, *found}):
            place = f"{where}.{key}" if where else str(key)
            yield from differences(expected.get(key, ABSENT), found.get(key, ABSENT), place)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{where}[{number}]")
    elif expected != found or type(expected) is not type(found):
        yield where or "the file", expected, found


class _Absent:
    """Stands for a member that a JSON object does not have."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()
