"""The part of the frozen settings that says who writes solutions, and what may be spent on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Provider = Literal["none", "scripted", "replay", "endpoint"]


@dataclass(frozen=True)
class ServeSettings:
    """What a server of the model needs; used by whoever starts one."""

    gpus: int = 0
    gpu_memory_gb: float | None = None
    """Per GPU, the least that the weights and a useful cache fit into."""
    tensor_parallel: int = 1
    nodes: int = 1
    reasoning_parser: str | None = None
    weights: str | None = None
    """Folder with the weights, where they lie on no hub."""
    args: tuple[str, ...] = ()
    """Further arguments of the server."""


@dataclass(frozen=True)
class PriceSettings:
    """What calls cost, in the currency of `solver.max_cost`."""

    per_million_prompt: float = 0.0
    per_million_completion: float = 0.0
    per_hour: float = 0.0
    per_gpu_hour: float = 0.0
    """For servers of one's own: used where a run is evaluated, and for no limit."""
    as_of: str | None = None
    """Date of these prices, for the reader of an evaluation."""

    @property
    def limiting(self) -> bool:
        """Whether `solver.max_cost` has a price to count with."""
        return any((self.per_million_prompt, self.per_million_completion, self.per_hour))


@dataclass(frozen=True)
class ModelSettings:
    """The language model that the agents use: what it is, where it is, how it is sampled."""

    name: str
    provider: Provider = "none"
    script: str | None = None
    """Provider scripted: a folder of pipeline/scripted/, of a script or of a skill."""
    recorded: str | None = None
    """Provider replay: the run whose replies are given again."""
    repository: str | None = None
    """Name under which the endpoint lists the model, e.g. owner/name on the Hugging Face hub."""
    revision: str | None = None
    licence: str | None = None
    parameters_b: float | None = None
    """Parameters in 10⁹, all of them."""
    active_b: float | None = None
    """Parameters in 10⁹ that one token uses; None for a dense model."""
    context: int | None = None
    """Tokens of prompt and reply together."""
    base_url: str | None = None
    """Where it is served, up to and with /v1."""
    api_key_file: str | None = None
    api_key_env: str | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 4096
    stop: tuple[str, ...] = ()
    response_format: Literal["json_schema", "json_object", "none"] = "json_schema"
    extra: dict[str, Any] = field(default_factory=dict)
    """Further members of the request, e.g. top_k."""
    deterministic: bool = False
    """Its server is set up for the same bits, alone and in a crowd; Ladon's own servers only."""
    timeout_s: float = 600.0
    max_retries: int = 5
    concurrency: int = 8
    serve: ServeSettings = field(default_factory=ServeSettings)
    prices: PriceSettings = field(default_factory=PriceSettings)


PLACE_OF_MODEL = (
    "base_url", "api_key_file", "api_key_env", "timeout_s", "max_retries", "concurrency", "serve",
)  # fmt: skip
"""Members of ModelSettings that say where and how it is reached, and do not decide a result."""
EVALUATED_PRICES = ("per_gpu_hour", "as_of")
"""Members of PriceSettings that only evaluations read: they do not decide a result either."""


@dataclass(frozen=True)
class SolverSettings:
    """Who writes the solutions, and the most that one stage may spend; None is no limit."""

    name: Literal["reference", "agent"]
    max_rounds: int = 3
    max_calls: int | None = 30
    max_tokens: int | None = None
    max_wall_s: float | None = None
    max_cost: float | None = None
    hints: bool = True
    """Whether the tasks give hints; they are checked either way."""


@dataclass(frozen=True)
class SandboxLimits:
    """What one solution may use; time is per call, everything else at any moment."""

    cpu_s: float = 1800.0
    wall_s: float = 3600.0
    trial_s: float = 300.0
    """Seconds, of CPU and of the wall, of a call on a slice of the inputs, before it is frozen."""
    memory_mb: int = 4096
    processes: int = 32
    file_mb: int = 256
    output_kb: int = 1024
    writable_mb: int = 256
