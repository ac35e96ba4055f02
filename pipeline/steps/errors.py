"""The door through which every step ends: a fault becomes one sentence that the user is shown."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from executors.parent import die_with_parent
from pipeline.files import read_json, write_json
from pipeline.provenance import code_sha256

FOLDER = "logs/errors"


def run_step(name: str, main: Callable[[], None]) -> None:
    """Run a step's `main`; on a fault keep its sentence in `logs/errors/` and exit with code 1.

    The traceback goes to the step's log. This is the one place where every exception of a step
    becomes data: past it there is only an exit code.
    """
    die_with_parent(os.getppid())
    told = Path(FOLDER) / f"{_file_name(name, sys.argv[1:])}.json"
    try:
        check_code(Path("provenance.json"))
        main()
        told.unlink(missing_ok=True)  # an earlier try of this step is forgotten
    except Exception as error:  # noqa: BLE001  (the boundary described above)
        sentence = str(error).strip() or type(error).__name__
        if not isinstance(error, (ValueError, OSError, LookupError, RuntimeError, ImportError)):
            sentence = f"{type(error).__name__}: {sentence}"
        log = _log_name()
        traceback.print_exc()
        write_json(
            told,
            {
                "step": name,
                "sentence": sentence,
                "type": type(error).__name__,
                "attribution": getattr(error, "attribution", None),
                "category": getattr(error, "category", None),
                "log": log,
            },
        )
        sys.exit(1)


class OtherCodeError(RuntimeError):
    """A step runs with another code than the run was begun with."""


def check_code(provenance: Path) -> None:
    """The code that is here, or in the step's image, is the one that the run was begun with."""
    if not provenance.exists():
        return
    begun, here = read_json(provenance)["code_sha256"], code_sha256()
    if begun != here:
        raise OtherCodeError(
            f"expected Ladon's code {begun[:12]}, with which the run was begun, found {here[:12]} "
            "where this step runs; if site.container names an image, build it anew "
            "(containers/build.sh analysis), else do not change the code while a run goes on: "
            "start it again, with run.accept_code_change=true or under another run.name"
        )


def _file_name(step: str, arguments: Sequence[str]) -> str:
    """A name of its own for each job: the step and what it works on, e.g. solve-points-main-fit.

    A job that ends well forgets what the file of its name says, and must not mean another's.
    """
    words = [step]
    for option, value in pairwise(arguments):
        if option in ("--owner", "--point", "--stage", "--part"):
            words.append(value)
        elif option == "--settings":  # fileset/<key>.settings.json
            words.append(Path(value).name.partition(".")[0])
    return "-".join(words).replace("/", "-")


def _log_name() -> str:
    """The file that standard error goes to, relative to the run directory."""
    try:
        target = Path(os.readlink("/proc/self/fd/2"))
        return target.relative_to(Path.cwd()).as_posix()
    except (OSError, ValueError):
        return "standard error"
