"""The run that is verified: its plan, its owners and stages, and files that may be damaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.files import RunFileError, read_json
from pipeline.provenance import code_sha256, versions
from pipeline.settings import Settings, SettingsError, from_dict
from pipeline.verify.findings import Group
from pipeline.workflow.layout import Layout


class VerifyError(ValueError):
    """A folder cannot be verified: it is no run, or its plan cannot be read."""


@dataclass(frozen=True)
class Stage:
    """One stage of one owner: a point, or the reference of some points."""

    owner: str
    """`points/<name>` or `reference/<key>`."""
    name: str

    @property
    def is_reference(self) -> bool:
        return self.owner.startswith("reference/")

    def file(self, name: str) -> str:
        """Path of one of its files, relative to the run directory."""
        return f"{self.owner}/{self.name}/{name}"


@dataclass(frozen=True)
class RunFolder:
    """A run directory. Names of files are relative to it, with slashes."""

    path: Path
    sweep: dict[str, Any]
    layout: Layout
    _read: dict[str, Any] = field(default_factory=dict)
    """Files that were read already; None for one that is missing or damaged."""

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The run in `path`; VerifyError if there is none, or its plan cannot be read."""
        file = path / "sweep.json"
        if not file.is_file():
            raise VerifyError(
                f"expected a run in {path}, found no sweep.json there; name the folder of a run"
            )
        try:
            sweep = read_json(file)
            return cls(path.resolve(), sweep, Layout.from_dict(sweep))
        except (RunFileError, UnicodeDecodeError, LookupError, TypeError, AttributeError) as error:
            raise VerifyError(
                f"expected the plan of a run in {file}, found a file that cannot be read as one "
                f"({type(error).__name__}: {error}); restore it from a copy of the run"
            ) from error

    @property
    def points(self) -> tuple[str, ...]:
        return tuple(plan.name for plan in self.layout.points)

    @property
    def references(self) -> tuple[str, ...]:
        return tuple(sorted({plan.reference for plan in self.layout.points}))

    @property
    def filesets(self) -> tuple[str, ...]:
        return tuple(sorted({plan.fileset for plan in self.layout.points}))

    def stages(self, references: bool = True) -> Iterator[Stage]:
        """Every stage, first of the references, then of the points."""
        for key in self.references if references else ():
            for name in self.layout.reference_stages(key):
                yield Stage(f"reference/{key}", name)
        for plan in self.layout.points:
            for name in plan.stages:
                yield Stage(f"points/{plan.name}", name)

    def has(self, name: str) -> bool:
        return (self.path / name).is_file()

    def present(self, name: str, group: Group) -> bool:
        """Whether a file is there; noted as missing in `group` if it is not."""
        if self.has(name):
            return True
        group.lacks(name)
        return False

    def expects(self, group: Group, name: str, expected: str) -> None:
        """Tell `group` of a file that must be there and is not.

        A run that was begun by other code may never have had it; then it is only noted.
        """
        if "begun_by_code" in self._made_with():
            group.note(f"{name} is not there; the run was begun by other code, which may not have "
                       "written it")  # fmt: skip
        else:
            group.holds(False, name, expected, "no such file")

    def json(self, name: str, group: Group) -> Any:
        """The content of a JSON file; None, told to `group`, if it is missing or damaged."""
        if name not in self._read:
            self._read[name] = self._json(name, group)
        elif self._read[name] is None and not self.has(name):
            group.lacks(name)
        return self._read[name]

    def _json(self, name: str, group: Group) -> Any:
        if not self.present(name, group):
            return None
        try:
            return read_json(self.path / name)
        except (RunFileError, UnicodeDecodeError, RecursionError) as error:
            said = getattr(error.__cause__, "msg", str(error))
            group.holds(False, name, "JSON", f"a file that is none ({said})")
            return None

    def settings(self, name: str, group: Group) -> Settings | None:
        """The settings in a file; None, told to `group`, if there are none that can be read."""
        content = self.json(name, group)
        if content is None:
            return None
        key = f"{name} as settings"
        if key not in self._read:
            try:
                self._read[key] = from_dict(content)
            except SettingsError as error:
                group.holds(False, name, "settings of this version", str(error))
                self._read[key] = None
        found: Settings | None = self._read[key]
        return found

    def _made_with(self) -> dict[str, Any]:
        try:
            made: Any = read_json(self.path / "provenance.json")
        except (OSError, RunFileError, UnicodeDecodeError):
            return {}
        return made if isinstance(made, dict) else {}

    @property
    def same_code(self) -> bool:
        """Whether the run was made by the code that is installed here."""
        return bool(self._made_with().get("code_sha256") == code_sha256())

    @property
    def same_tools(self) -> bool:
        """Whether it was made by this code with the packages that are installed here."""
        return self.same_code and self._made_with().get("versions") == versions()

    @property
    def other_code(self) -> str:
        """What to add to a sentence where another version of Ladon may be why; else nothing."""
        if self.same_tools:
            return ""
        return " (the run was made by other code or packages than these: verify it with those)"
