"""Sandboxes: code that we do not trust gets arrays, returns arrays, and reaches nothing else."""

from executors.sandbox.apptainer import Apptainer
from executors.sandbox.base import (
    LAYERS,
    Availability,
    Limits,
    Sandbox,
    SandboxClosedError,
    SandboxError,
    SandboxResult,
    SandboxStartError,
    SandboxUnavailableError,
    Status,
    Worker,
    unprotected,
)
from executors.sandbox.bubblewrap import Bubblewrap
from executors.sandbox.choice import STRONGEST_FIRST, named, strongest
from executors.sandbox.inputs import SandboxInputError
from executors.sandbox.inside.encoding import UnsupportedValueError
from executors.sandbox.plain import Plain

__all__ = [
    "LAYERS",
    "STRONGEST_FIRST",
    "Apptainer",
    "Availability",
    "Bubblewrap",
    "Limits",
    "Plain",
    "Sandbox",
    "SandboxClosedError",
    "SandboxError",
    "SandboxInputError",
    "SandboxResult",
    "SandboxStartError",
    "SandboxUnavailableError",
    "Status",
    "UnsupportedValueError",
    "Worker",
    "named",
    "strongest",
    "unprotected",
]
