"""The attack finds a hole where there is one, and none in the sandboxes that promise walls."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from executors.sandbox import LAYERS, Availability, Limits, Sandbox, SandboxResult, named
from pipeline.configure import configure
from pipeline.doctor import attack, sandboxes
from pipeline.doctor.attack import Trial
from pipeline.doctor.needs import Needs


class OpenWorker:
    """Runs the code in this very process."""

    alive = True
    inputs: Mapping[str, str] = {}
    loaded = SandboxResult("ok")

    def __init__(self, code: str) -> None:
        self.names: dict[str, Any] = {}
        exec(code, self.names)

    def call(self, function: str, arguments: Sequence[Any] = ()) -> SandboxResult:
        return SandboxResult("ok", value=self.names[function](*arguments))


class Open:
    """A sandbox that promises everything and keeps nothing."""

    name = "open"

    def available(self) -> Availability:
        return Availability(True, "no walls")

    def layers(self) -> dict[str, bool]:
        return dict.fromkeys(LAYERS, True)

    @contextmanager
    def open(self, solution: Path | str, readonly: object = None) -> Iterator[OpenWorker]:
        yield OpenWorker(str(solution))


def test_every_hole_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attack, "LIMITS", Limits(memory_mb=24))
    before = dict(os.environ)
    trials = {t.layer: t for t in attack.attacked(Open())}  # type: ignore[arg-type]
    assert tuple(trials) == attack.LAYERS
    assert not any(trial.held for trial in trials.values())
    assert trials["network"].said == "it reached a listener of the host by TCP"
    assert trials["environment"].said == "it read a variable that was set outside"
    assert trials["pid"].said == "it killed a process of the host"
    assert trials["memory"].said == "it held 48 MB where 24 MB are allowed"
    assert dict(os.environ) == before


def test_a_broken_promise_of_the_chosen_one_stops_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attack, "LIMITS", Limits(memory_mb=24))
    found = sandboxes.tried(Open(), chosen=True)  # type: ignore[arg-type]
    assert [f.fatal for f in found] == [False, True, True, True, True]
    found = sandboxes.tried(Open(), chosen=False)  # type: ignore[arg-type]
    assert not any(f.fatal for f in found)


def test_a_probe_that_fails_is_no_wall() -> None:
    broken = SandboxResult("exception", exception_type="NameError", message="no ctypes")
    stopped = SandboxResult("exception", exception_type="SandboxViolation", message="no network")
    assert not attack._told("network", broken, "held").held
    assert attack._told("network", stopped, "held").held


def test_what_was_never_promised_is_a_warning() -> None:
    trial = Trial("pid", False, "it saw a process of the host")
    assert sandboxes.judged("plain", trial, {"pid": False}, chosen=True).state == "warning"
    assert sandboxes.judged("plain", trial, {"pid": True}, chosen=True).fatal


@pytest.mark.sandbox
def test_bubblewrap_holds() -> None:
    sandbox = named("bubblewrap", attack.LIMITS)
    trials = attack.attacked(sandbox)
    assert [(t.layer, t.held) for t in trials] == [(layer, True) for layer in attack.LAYERS]
    assert "it reached no listener of the host (TCP: EPERM, UNIX: EPERM)" in trials[0].said


def test_plain_lets_processes_be_seen_and_not_killed() -> None:
    sandbox: Sandbox = named("plain", attack.LIMITS)
    held = {t.layer: t.held for t in attack.attacked(sandbox)}
    assert held == {"network": True, "environment": True, "pid": False, "memory": True}


@pytest.mark.parametrize(
    ("override", "needed"),
    [("site.sandbox=auto", "auto"), ("site.sandbox=none", None), ("solver=reference", None)],
)
def test_which_sandbox_is_needed(override: str, needed: str | None) -> None:
    assert Needs.of(configure([override])).sandbox == needed


def test_chosen_sandbox_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LADON_SANDBOX_IMAGE", raising=False)
    gone = Availability(False, "no image is named")
    monkeypatch.setattr("executors.sandbox.apptainer.Apptainer.available", lambda _: gone)
    apptainer = sandboxes.made("apptainer", attack.LIMITS, None)
    (finding,) = sandboxes.tried(apptainer, chosen=True)
    assert finding.fatal
    assert "no image is named" in finding.said
    assert not sandboxes.tried(apptainer, chosen=False)[0].fatal
