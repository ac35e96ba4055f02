"""What the chosen site needs of the machine that is looked at, read from the settings alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.settings import Settings


@dataclass(frozen=True)
class Needs:
    """What must be there, where it is looked for."""

    slurm: bool
    """The site's steps are jobs of SLURM."""
    steps: bool
    """Steps run here: this is a node, or the site has no scheduler."""
    nodes: bool
    """A node is looked at as well (--nodes)."""
    sandbox: str | None
    """The sandbox that the site names (auto too); None where no code of a model runs in one."""
    container: str | None
    """Image that every step runs in."""
    sandbox_image: bool
    """An image for the sandbox has to be there."""
    served: bool
    """The site starts a server for the model."""
    served_image: bool
    """It does so in an image."""

    @property
    def apptainer(self) -> bool:
        """Apptainer has to be there."""
        return self.container is not None or self.sandbox_image or self.served_image

    @classmethod
    def of(
        cls,
        settings: Settings,
        on_node: bool = False,
        nodes: bool = False,
        variables: Mapping[str, str] = os.environ,
    ) -> Needs:
        """The needs of the settings, here or `on_node`; `variables` tell whether this is a job."""
        site, model = settings.site, settings.model
        slurm = site.scheduler == "slurm"
        served = model.provider == "endpoint" and not model.base_url
        jailed = settings.solver.name != "reference" and site.sandbox != "none"
        return cls(
            slurm=slurm,
            steps=on_node or not slurm or "SLURM_JOB_ID" in variables,
            nodes=nodes,
            sandbox=site.sandbox if jailed else None,
            container=site.container,
            sandbox_image=jailed and site.sandbox == "apptainer",
            served=served,
            served_image=served and site.serve.image is not None,
        )
