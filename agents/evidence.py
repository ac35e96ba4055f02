"""What trying a solution showed, cut to stated sizes and the same bytes on every machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from agents.errors import Attribution

MAX_OUTPUT = 2_000
"""Characters of standard output, and of standard error, that are kept: their ends."""
MAX_MESSAGE = 1_000
"""Characters of an exception's message that are kept: its beginning."""
MAX_VALUE = 300
"""Characters of what a validator expected, or found, that are kept."""
MAX_FINDINGS = 40
"""Findings and hint violations that are kept; failed findings go first."""
CUT = "[...]"

_SCANNED = 65_536
_PATH = re.compile(r"(?<![\w/.:])(?:/[\w.@%+-]+)+/([\w.@%+-]+)")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_NUMBER = re.compile(r"[-+]?\b\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\b")


@dataclass(frozen=True)
class Finding:
    """What one validator expected and found; values are texts, as a model reads them."""

    name: str
    passed: bool
    expected: str = ""
    found: str = ""

    def __post_init__(self) -> None:
        _set(self, "expected", head(self.expected, MAX_VALUE))
        _set(self, "found", head(self.found, MAX_VALUE))


@dataclass(frozen=True)
class HintViolation:
    """A hint of the task that a solution did not follow; it is counted and does not fail."""

    hint: str
    detail: str = ""
    round: int = 0
    """The round it was seen in; filled in by the loop."""

    def __post_init__(self) -> None:
        _set(self, "detail", head(self.detail, MAX_VALUE))


@dataclass(frozen=True)
class Evidence:
    """What trying one solution gave.

    Texts are cut to the sizes above and lose folders and addresses, so that the prompt that
    quotes them has the same bytes wherever and whenever it is made. `ok` is true exactly if the
    solution met its contract, ran, and passed every validator.
    """

    ok: bool
    stdout: str = ""
    stderr: str = ""
    exception: str = ""
    """Class of the exception, e.g. KeyError; empty if there was none."""
    message: str = ""
    line: int | None = None
    """Line of the solution that the exception came from."""
    exit_code: int | None = None
    signal: str = ""
    """Name of the signal that ended the process, e.g. SIGKILL."""
    findings: tuple[Finding, ...] = ()
    hint_violations: tuple[HintViolation, ...] = ()
    category: str | None = None
    """Word of the taxonomy, where whoever tried the solution knows it."""
    attribution: Attribution | None = None
    tried: bool = True
    """False where the reply held no solution that could be tried."""

    def __post_init__(self) -> None:
        broken = [f.name for f in self.findings if not f.passed]
        if self.ok and (self.exception or self.signal or broken):
            reason = self.exception or self.signal or ", ".join(broken)
            raise ValueError(f"expected no failure in evidence that is ok, found {reason!r}")
        _set(self, "stdout", tail(self.stdout, MAX_OUTPUT))
        _set(self, "stderr", tail(self.stderr, MAX_OUTPUT))
        _set(self, "message", head(self.message, MAX_MESSAGE))
        in_order = sorted(self.findings, key=lambda finding: finding.passed)
        _set(self, "findings", tuple(in_order[:MAX_FINDINGS]))
        _set(self, "hint_violations", self.hint_violations[:MAX_FINDINGS])

    @property
    def failed_findings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.passed)

    @property
    def headline(self) -> str:
        """The failure in one sentence; `passed every check` where there is none."""
        if self.ok:
            return "passed every check"
        if self.exception:
            where = f" (line {self.line})" if self.line is not None else ""
            return f"{self.exception}: {self.message}{where}"
        if self.signal:
            return f"the process was ended by {self.signal}"
        if self.failed_findings:
            return "; ".join(
                f"{f.name}: expected {f.expected}, found {f.found}" for f in self.failed_findings
            )
        return f"the process ended with exit code {self.exit_code}"

    @property
    def signature(self) -> str:
        """Sixteen hex digits that two failures share if they are the same error; empty if ok.

        Numbers, folders, addresses and the line do not count: the same mistake on another line,
        or with another yield, is the same mistake. Names in quotes do.
        """
        if self.ok:
            return ""
        parts = [self.exception, _plain(self.message), self.signal]
        if not self.exception and not self.signal:
            parts.append(str(self.exit_code))
        parts += sorted(finding.name for finding in self.failed_findings)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """The evidence as plain JSON types, with its signature."""
        return {**asdict(self), "signature": self.signature}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Evidence:
        """The evidence that `to_dict` gave."""
        known = {name: record[name] for name in (f.name for f in fields(cls)) if name in record}
        known["findings"] = tuple(Finding(**finding) for finding in known["findings"])
        known["hint_violations"] = tuple(HintViolation(**v) for v in known["hint_violations"])
        return cls(**known)


def scrub(text: str) -> str:
    """`text` without what differs from run to run: folders become file names, addresses 0x.

    Characters that no UTF-8 file can hold become question marks.
    """
    clean = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    return _ADDRESS.sub("0x", _PATH.sub(r"\1", clean))


def head(text: str, size: int) -> str:
    """The beginning of `text`, scrubbed, at most `size` characters and a mark where it was cut."""
    scrubbed = scrub(text[:_SCANNED])
    return scrubbed if len(scrubbed) <= size else f"{scrubbed[:size]} {CUT}"


def tail(text: str, size: int) -> str:
    """The end of `text`, scrubbed, at most `size` characters and a mark where it was cut."""
    scrubbed = scrub(text[-_SCANNED:])
    return scrubbed if len(scrubbed) <= size else f"{CUT} {scrubbed[-size:]}"


def _plain(message: str) -> str:
    return _NUMBER.sub("<n>", " ".join(message.split()))


def _set(frozen: object, name: str, value: object) -> None:
    object.__setattr__(frozen, name, value)
