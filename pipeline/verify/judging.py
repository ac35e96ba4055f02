"""Judging again: what each stage made, compared with the reference and guarded once more.

Stages that have the same outputs of the same code, judged against the same reference, are judged
once, as they were in the run.
"""

from __future__ import annotations

from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.files import RunFileError, sha256_json
from pipeline.judge import judge
from pipeline.judge.judging import JudgeError
from pipeline.judge.request import JudgeRequest
from pipeline.judge.verdict import VerdictError
from pipeline.verify.findings import Group, differences
from pipeline.verify.folder import RunFolder

DAMAGED = "restore the stage's files from a copy of the run; then it can be judged"


@dataclass
class Judging:
    """The verdicts of one run, given again; how many were judged, and how many could not be."""

    run: RunFolder
    group: Group
    _known: dict[str, Any] = field(default_factory=dict)
    _without_data: list[str] = field(default_factory=list)
    _checked: int = 0

    def check(self, request: JudgeRequest, content: Any, name: str) -> None:
        """Judge a stage again, unless its like was: `content`, of the file `name`, is the same."""
        gone = _gone(request)
        if gone is not None:
            self._without_data.append(name)
            self.group.note(f"not all was judged again: the events are not there, first {gone}")
            return
        key = _key(request)
        if key not in self._known:
            with chdir(self.run.path):
                try:
                    self._known[key] = judge(request).to_json()
                except (
                    JudgeError, VerdictError, RunFileError, OSError, LookupError, TypeError,
                    ValueError,
                ) as error:  # fmt: skip
                    said = f"{type(error).__name__}: {error}"
                    self.group.holds(False, name, "a stage that can be judged", said, DAMAGED)
                    return
        self._checked += 1
        for place, expected, found in differences(self._known[key], content):
            self.group.same(name, f"{place} as judging again gives it,", expected, found)
        self.group.checked += 1

    def tell(self) -> None:
        """Note how much was judged again."""
        left = f"; {len(self._without_data)} could not be" if self._without_data else ""
        self.group.note(f"{self._checked} verdicts were given again, by judging {len(self._known)} "
                        f"different outputs{left}")  # fmt: skip


def _key(request: JudgeRequest) -> str:
    """What a verdict depends on: the code, what it was made from and made, and the reference."""
    record = request.record
    made = [record.get(k) for k in ("status", "solution_sha256", "inputs_sha256", "files")]
    said = [record.get(k) for k in ("failure", "reason")]
    return sha256_json([request.stage, made, said, request.reference.as_posix()])


def _gone(request: JudgeRequest) -> str | None:
    """The first file of events that is not there, where the judge would read it; else None."""
    if request.stage not in READ_EVENTS or request.record.get("status") != "ok":
        return None
    for sample in request.fileset.get("samples", {}).values():
        for file in sample["files"]:
            if not Path(file["path"]).is_file():
                return str(file["path"])
    return None


READ_EVENTS = ("inspect", "convert")
"""Stages whose guard runs the solution on the files of the fileset."""
