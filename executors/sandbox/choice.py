"""Which sandbox is used: by name, or the strongest that works here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from executors.sandbox.apptainer import Apptainer
from executors.sandbox.base import Limits, Sandbox, SandboxUnavailableError
from executors.sandbox.bubblewrap import Bubblewrap
from executors.sandbox.plain import Plain

STRONGEST_FIRST: dict[str, Callable[[Limits], Sandbox]] = {
    "bubblewrap": Bubblewrap,
    "apptainer": Apptainer,
    "plain": Plain,
}
"""What `auto` tries, in this order; another kind of sandbox is another line here.

The first two protect from the same things; bubblewrap starts faster and needs no image.
"""


def named(name: str, limits: Limits, image: Path | None = None) -> Sandbox:
    """The sandbox that settings call `name`; `auto` is the strongest that works here.

    `image` is for those that need one; None is what LADON_SANDBOX_IMAGE names. Raises
    SandboxUnavailableError, which says for each kind why it does not work; ValueError for another
    name.
    """
    if name == "auto":
        return strongest(limits, image)
    if name not in STRONGEST_FIRST:
        known = ", ".join(["auto", *STRONGEST_FIRST])
        raise ValueError(f"expected one of {known} as sandbox, found {name!r}")
    sandbox = made(name, limits, image)
    available, reason = sandbox.available()
    if not available:
        raise SandboxUnavailableError(f"the {name} sandbox cannot be used here: {reason}")
    return sandbox


def strongest(limits: Limits, image: Path | None = None) -> Sandbox:
    """The first of STRONGEST_FIRST that is available."""
    reasons = []
    for name in STRONGEST_FIRST:
        sandbox = made(name, limits, image)
        available, reason = sandbox.available()
        if available:
            return sandbox
        reasons.append(f"{name}: {reason}")
    raise SandboxUnavailableError("no sandbox works on this machine: " + "; ".join(reasons))


def made(name: str, limits: Limits, image: Path | None) -> Sandbox:
    """The sandbox `name`, whether it works here or not."""
    kind = STRONGEST_FIRST[name]
    return Apptainer(limits, image) if kind is Apptainer else kind(limits)
