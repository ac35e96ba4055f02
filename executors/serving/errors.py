"""The errors of serving: a server that cannot be had is infrastructure, never the model's fault."""

from __future__ import annotations

from typing import ClassVar


class ServingError(Exception):
    """Root of the tree; `attribution` and `category` say how a stage that needed it is counted."""

    attribution: ClassVar[str] = "infrastructure"
    category: ClassVar[str] = "infrastructure error"


class ServeSpecError(ServingError, ValueError):
    """What is asked of a server, or of the site, makes no sense."""

    attribution = "harness"
    category = "other"


class RecordError(ServingError, ValueError):
    """An endpoint record is not what its name promises, or would change in a forbidden way."""


class AddressError(ServingError, OSError):
    """The node has no address or port that a server may be bound to."""


class WeightsError(ServingError, OSError):
    """The weights of a model are not where they should be, or cannot be copied."""


class SchedulerError(ServingError, RuntimeError):
    """The scheduler refused a job, or does not answer."""


class ServerFailedError(ServingError, RuntimeError):
    """The server died, and so did the ones that replaced it."""


class ServerWaitError(ServingError, TimeoutError):
    """The server was not ready within the time that the site allows."""
