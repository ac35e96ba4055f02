"""What went wrong in a run so far, in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.graph import LOG
from pipeline.problems import of_slurm, of_steps
from pipeline.status.reading import Reader, Signature, names_in, signature_of
from pipeline.status.stages import ERRORS

READ_BYTES = 2_000_000
"""Of the end of Snakemake's log: what one start of the graph says is much less."""
START = "Building DAG of jobs"
"""What Snakemake says first at every start."""
FAILED = ("Exiting because a job execution failed", "WorkflowError", "Error in rule")
"""What it says where a step, or the graph itself, has failed."""


@dataclass
class Faults:
    """The sentences of the last start of a run."""

    run: Path
    reader: Reader
    _log: tuple[Signature | None, str] = (None, "")

    def names(self) -> frozenset[str]:
        """The steps at fault, as their files in logs/errors are named (without .json)."""
        return frozenset(
            name.removesuffix(".json")
            for name in names_in(self.run / ERRORS)
            if name.endswith(".json") and not name.startswith(".")
        )

    def sentences(self, over: bool) -> tuple[str, ...]:
        """What the failed steps said; if the run is `over`, what SLURM and Snakemake said too."""
        files = [self.run / ERRORS / f"{name}.json" for name in sorted(self.names())]
        said = of_steps(told for told in map(self.reader.json, files) if told is not None)
        if over:
            said += of_slurm(self.run, self._last_start())
            if not said and any(word in self._last_start() for word in FAILED):
                said = [f"the graph stopped without a word of a step; look into {LOG}"]
        return tuple(dict.fromkeys(said))

    def _last_start(self) -> str:
        """Snakemake's log since it was started last."""
        path = self.run / LOG
        signature = signature_of(path)
        if signature != self._log[0]:
            self._log = (signature, _end_of(path))
        return self._log[1]


def _end_of(path: Path) -> str:
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - READ_BYTES))
            text = log.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return text[max(0, text.rfind(START)) :]
