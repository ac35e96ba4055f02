"""The process that steps are copied from on this machine: it has imported what they need.

A step of a sweep works for a fraction of a second, and its imports take three. The server forks a
child for each; the child does what `python -m pipeline.steps...` would do, in the same place, with
the same output, and is killed when the one that asked for it is gone.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from executors.parent import die_with_parent
from executors.sockets import folder_for_sockets
from pipeline.settings import Settings
from pipeline.workflow.layout import STEP_STARTER

STARTER = Path(__file__).with_name("steps") / "starter.py"


class StepServer:
    """Runs the server while its `with` block lasts; where steps are jobs or in an image, nothing.

    A step that does not reach the server starts in the ordinary way, so that nothing depends on it
    but time.
    """

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        """`environment` is that of the steps."""
        site = settings.site
        self._used = site.scheduler == "none" and site.container is None
        boxed = settings.solver.name != "reference" and site.sandbox in ("auto", "bubblewrap")
        self._options = ("--zygote",) if boxed else ()
        self._environment = environment
        self._folder: Path | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the steps, with the words that start them quickly."""
        if self._folder is None:
            return dict(self._environment)
        words = [sys.executable, "-I", "-S", str(STARTER), str(self._folder / "socket")]
        return {**self._environment, STEP_STARTER: shlex.join(words)}

    def __enter__(self) -> Self:
        if not self._used:
            return self
        place = folder_for_sockets("ladon-12345678/socket")
        self._folder = Path(tempfile.mkdtemp(prefix="ladon-", dir=place))
        parent = os.getpid()
        self._child = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "pipeline.steps.server",
                str(self._folder / "socket"),
                *self._options,
            ],
            stdin=subprocess.DEVNULL,
            env=dict(self._environment),
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(parent),
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._child is not None:
            self._child.terminate()
            self._child.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
