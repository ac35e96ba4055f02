"""What can be wrong with data, each error a sentence: expected, found, where, what to do next."""

from __future__ import annotations


class DataError(Exception):
    """Root of all errors of the data room; `str(error)` is a sentence for the user."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else type(self).__name__


class ReleaseError(DataError, KeyError):
    """A release is not known."""


class BranchError(DataError, KeyError):
    """A variable is not known in a release, or its branch is not in the file."""


class ManifestError(DataError, ValueError):
    """A manifest is missing, is not what its schema says, or lacks what is asked for."""


class LocationError(DataError, FileNotFoundError):
    """The place that should hold the files does not."""


class IncompleteSampleError(DataError, FileNotFoundError):
    """Files of a sample are missing, so that it cannot be normalised."""


class BookkeeperError(DataError, ValueError):
    """A PHYSLITE file does not say what its events weighed when they were generated."""


class VerificationError(DataError, ValueError):
    """A file is not the one that the manifest lists."""


class GenerationError(DataError, ValueError):
    """A synthetic sample cannot be made as asked for."""
