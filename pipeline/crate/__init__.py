"""`ladon export`: a run as a Workflow Run RO-Crate, for a repository and for other tools."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pipeline.workflow.layout import Layout

__all__ = ["ExportError", "Exported", "export_run"]


class ExportError(ValueError):
    """A run cannot be exported, or not to the place that was named."""


@dataclass(frozen=True)
class Exported:
    """What was written: the folder or zip file, the number of files in it, and its bytes."""

    path: Path
    files: int
    size: int


def export_run(
    run: Path,
    target: Path,
    outputs: bool = True,
    author: str | None = None,
    licence: str | None = None,
) -> Exported:
    """Write the crate of a finished run to `target`: a zip file if it is named so, else a folder.

    It becomes `target` by renaming, so that no part of a crate is ever there. Raises ExportError if
    the run is not finished, or if there is something at `target`.
    """
    from pipeline.crate.crate import build_crate

    run, target = run.resolve(), target.absolute()
    _check_finished(run)
    if target.exists():
        raise ExportError(
            f"expected nothing at {target}, found something; remove it, or name another place with "
            "--output FOLDER or --output FILE.zip"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".ladon-export-", dir=target.parent) as temporary:
        staging, made = Path(temporary) / "changed", Path(temporary) / f"crate{target.suffix}"
        staging.mkdir()
        crate = build_crate(run, staging, outputs, author, licence)
        if target.suffix == ".zip":
            crate.write_zip(made)
        else:
            crate.write(made)
        files = len([e for e in crate.data_entities if e.type != "Dataset"])
        os.replace(made, target)
    return Exported(target, files, _size(target))


def _check_finished(run: Path) -> None:
    layout = Layout.load(run / "sweep.json")
    needed = [*layout.targets(), "provenance.json"]
    missing = [name for name in needed if not (run / name).is_file()]
    if missing:
        raise ExportError(
            f"expected a finished run in {run}, found {len(missing)} files missing, first "
            f"{missing[0]}; continue it with the command that began it, then export it"
        )


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
