"""A bench that remembers: the same candidate on the same inputs is tried once in a run.

What a bench says is the same for the same candidate and inputs (see `pipeline.bench`), so that
trials of a model that writes the same module again need no sandbox for it. What hangs on the
machine, its time and its memory, is tried anew.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from agents.evidence import Evidence
from pipeline.bench import StageBench
from pipeline.files import read_json, sha256_json, write_json
from pipeline.steps.sharing import FOLDER

TRIES = FOLDER / "tries"
OF_THE_MACHINE = frozenset({"timeout", "memory"})


@dataclass(frozen=True)
class KeptTries:
    """`bench`, with what it said kept below `executions/tries`; see `agents.task.Workbench`."""

    bench: StageBench
    inputs: str
    """Hash of what a try depends on besides the candidate."""

    def try_solution(self, code: str) -> Evidence:
        """What trying `code` showed, now or before; raises what the bench raises."""
        digest = hashlib.sha256(code.encode("utf-8", errors="surrogatepass")).hexdigest()
        path = TRIES / f"{sha256_json([self.bench.stage, digest, self.inputs])[:32]}.json"
        if path.exists():
            return Evidence.from_dict(read_json(path))
        evidence = self.bench.try_solution(code)
        mine = evidence.attribution in (None, "model")
        if mine and evidence.category not in OF_THE_MACHINE and not evidence.signal:
            write_json(path, evidence.to_dict())
        return evidence
