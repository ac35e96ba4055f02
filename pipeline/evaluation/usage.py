"""What each stage used of the servers: GPU-seconds, and its share of their energy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.files import read_json

SERVERS_FILE = "servers.json"


@dataclass(frozen=True)
class Used:
    """What one stage used; None where no server reports it."""

    gpu_s: float | None = None
    energy_j: float | None = None


@dataclass(frozen=True)
class Usage:
    """What the stages of a run used, by `point/stage`."""

    stages: Mapping[str, Used] = field(default_factory=dict)

    def of(self, point: str, stage: str) -> Used:
        return self.stages.get(f"{point}/{stage}", Used())


def read_usage(run: Path) -> Usage:
    """What `servers.json` of a run tells; nothing where the run started no server.

    A server's energy is shared in proportion to its GPU-seconds, those of nobody (loading,
    waiting) included: what they took belongs to no stage, as their time does.
    """
    try:
        told = read_json(run / SERVERS_FILE)
    except FileNotFoundError:
        return Usage()
    seconds: dict[str, float] = told.get("gpu_seconds", {})
    energy = _energy(told.get("servers", []), seconds)
    return Usage({user: Used(s, energy.get(user)) for user, s in seconds.items() if user})


def _energy(servers: list[dict[str, Any]], seconds: Mapping[str, float]) -> dict[str, float]:
    """Joules by user. Files from before servers told their own GPU-seconds share what all of them
    took by the GPU-seconds of the run."""
    shares: dict[str, float] = {}
    known = [server for server in servers if server.get("energy_j") is not None]
    if any("gpu_seconds" not in server for server in known):
        joules = sum(server["energy_j"] for server in known)
        known = [{"energy_j": joules, "gpu_seconds": seconds, "gpu_seconds_all": None}]
    for server in known:
        own: Mapping[str, float] = server["gpu_seconds"]
        whole = server.get("gpu_seconds_all") or sum(own.values())
        for user, share in own.items():
            if whole > 0:
                shares[user] = shares.get(user, 0.0) + server["energy_j"] * share / whole
    return shares
