"""Each kind of sandbox tried with an attack: a layer counts only if the code inside could not."""

from __future__ import annotations

from pathlib import Path

from executors.sandbox import (
    LAYERS,
    STRONGEST_FIRST,
    Apptainer,
    Limits,
    Sandbox,
    SandboxError,
    unprotected,
)
from pipeline.doctor.attack import LIMITS, Trial, attacked
from pipeline.doctor.finding import Finding, State
from pipeline.doctor.needs import Needs
from pipeline.settings import Settings

NEXT = {
    "bubblewrap": "install the package bubblewrap, and allow user namespaces",
    "apptainer": "containers/build.sh sandbox, and site.sandbox_image=PATH of what it made",
    "plain": "it needs Linux",
}


def look(settings: Settings, needs: Needs) -> list[Finding]:
    """All kinds, whether they can be had, and for those that can each layer that was tried."""
    kinds = [made(name, LIMITS, settings.site.sandbox_image) for name in STRONGEST_FIRST]
    chosen = chosen_of(needs.sandbox, kinds)
    found = [_choice(settings, needs, chosen)]
    for sandbox in kinds:
        found += tried(sandbox, sandbox.name == chosen)
    return found


def made(name: str, limits: Limits, image: str | None) -> Sandbox:
    """The sandbox of that name, with the site's image where it takes one."""
    if name == "apptainer":
        return Apptainer(limits, Path(image) if image else None)
    return STRONGEST_FIRST[name](limits)


def chosen_of(named: str | None, kinds: list[Sandbox]) -> str | None:
    """Name of the kind that the site would use; None where it would use none."""
    if named != "auto":
        return named
    return next((sandbox.name for sandbox in kinds if sandbox.available().available), None)


def _choice(settings: Settings, needs: Needs, chosen: str | None) -> Finding:
    site = settings.site
    if needs.sandbox is None and settings.solver.name == "reference":
        said = "none needed: the reference solver runs our own code"
        return Finding("chosen", "sandbox", "ok", said)
    if needs.sandbox is None:
        return Finding(
            "chosen",
            "sandbox",
            "warning",
            "site.sandbox=none: a model's code runs with all rights of this user",
            "site.sandbox=auto",
        )
    if chosen is None:
        return Finding(
            "chosen",
            "sandbox",
            "missing",
            "expected a sandbox that works for site.sandbox=auto, found none",
            NEXT["bubblewrap"],
            required=True,
        )
    if chosen == "plain":
        return Finding(
            "chosen",
            "sandbox",
            "warning",
            f"plain, by site.sandbox={site.sandbox}: it hides no files",
            NEXT["bubblewrap"],
        )
    return Finding("chosen", "sandbox", "ok", f"{chosen}, by site.sandbox={site.sandbox}")


def tried(sandbox: Sandbox, chosen: bool) -> list[Finding]:
    """One kind: whether it can be had, then its layers."""
    available, reason = sandbox.available()
    if not available:
        return [
            Finding(
                sandbox.name,
                "sandbox",
                "missing",
                f"cannot be had: {reason}",
                NEXT[sandbox.name] if chosen else "nothing: it is not the chosen one",
                required=chosen,
            )
        ]
    try:
        trials = attacked(sandbox)
    except SandboxError as error:
        return [
            Finding(
                sandbox.name,
                "sandbox",
                "missing" if chosen else "warning",
                f"expected it to start, found: {error}",
                NEXT[sandbox.name],
                required=chosen,
            )
        ]
    open_layers = [line.partition(":")[0] for line in unprotected(sandbox)]
    said = f"{reason}; not ensured: {', '.join(open_layers)}" if open_layers else reason
    promised = sandbox.layers()
    first = Finding(sandbox.name, "sandbox", "ok", said, required=chosen)
    return [first, *(judged(sandbox.name, trial, promised, chosen) for trial in trials)]


def judged(name: str, trial: Trial, promised: dict[str, bool], chosen: bool) -> Finding:
    """A layer that was promised and did not hold is missing; one never promised is a warning."""
    label = f"{name} {trial.layer}"
    if trial.held:
        return Finding(label, "sandbox", "ok", trial.said, required=chosen)
    state: State = "missing" if promised.get(trial.layer, True) else "warning"
    meaning = LAYERS.get(trial.layer, "the code inside starts")
    step = "take another site.sandbox, and report it" if state == "missing" else NEXT["bubblewrap"]
    return Finding(
        label,
        "sandbox",
        state,
        f"expected this to hold: {meaning}; found that {trial.said}",
        step,
        required=chosen,
    )
