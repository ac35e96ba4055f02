"""What can go wrong while a report is made."""

from __future__ import annotations


class ReportError(ValueError):
    """A report cannot be made from what is there."""


class ResultsError(ReportError):
    """`results.json` does not have the documented form."""


class RunFolderError(ReportError, FileNotFoundError):
    """A run directory lacks a file that every run has."""
