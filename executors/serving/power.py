"""The power of a node's GPUs, where nvidia-smi tells it; elsewhere nothing, and why."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

TIMEOUT_S = 10.0


@dataclass
class PowerMeter:
    """Adds up the energy of the GPUs that this job was given on this node."""

    program: str | None
    devices: str | None
    """Their identifiers, as CUDA_VISIBLE_DEVICES has them; None is all of the node's."""
    note: str | None = None
    """Why there is no energy; None while there is."""
    energy_j: float | None = None

    @classmethod
    def of(cls, variables: Mapping[str, str], gpus: int, nodes: int) -> PowerMeter:
        """The meter of this node."""
        program = shutil.which("nvidia-smi", path=variables.get("PATH"))
        if gpus == 0:
            return cls(None, None, "energy is not known: the server has no GPU")
        if program is None:
            return cls(None, None, "energy is not known: nvidia-smi is not on this node")
        note = f"of the first of {nodes} nodes" if nodes > 1 else None
        return cls(program, variables.get("CUDA_VISIBLE_DEVICES"), note)

    def watts(self, seconds: float) -> float | None:
        """Their power now, in W, counted for the last `seconds`; None where nobody tells it."""
        if self.program is None:
            return None
        only = [f"--id={self.devices}"] if self.devices else []
        query = ["--query-gpu=power.draw", "--format=csv,noheader,nounits"]
        try:
            told = subprocess.run(
                [self.program, *only, *query],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=True,
            )
            power = sum(float(text) for text in told.stdout.split())
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self.program = None
            self.note = f"energy is not known further: nvidia-smi gave no power ({error})"
            return None
        self.energy_j = round((self.energy_j or 0.0) + power * seconds, 3)
        return power
