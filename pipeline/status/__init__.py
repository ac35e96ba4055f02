"""How a run stands: read from its folder, from SLURM and from its servers; nothing is touched."""

from pipeline.status.snapshot import Snapshot
from pipeline.status.verb import status
from pipeline.status.view import render
from pipeline.status.watch import NoRunError, Watch, snapshot

__all__ = ["NoRunError", "Snapshot", "Watch", "render", "snapshot", "status"]
