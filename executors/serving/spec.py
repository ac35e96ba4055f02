"""What is served and where: the model's side (ServeSpec) and the site's side (SiteSpec)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from executors.serving import determinism
from executors.serving.errors import ServeSpecError


@dataclass(frozen=True)
class ServeSpec:
    """A model as a server of it needs to know it."""

    name: str
    """Name in the catalogue, e.g. qwen3_coder_30b; for people and for names of jobs."""
    repository: str
    """Repository on the Hugging Face hub, or a folder with weights."""
    served_name: str
    """What requests call the model."""
    revision: str | None = None
    gpus: int = 1
    """Of all nodes together; 0 is a server on processors."""
    tensor_parallel: int = 1
    nodes: int = 1
    reasoning_parser: str | None = None
    context: int | None = None
    """Tokens of prompt and reply together; None leaves it to the model."""
    args: tuple[str, ...] = ()
    """Further arguments of `vllm serve`; they win over what follows from the other members."""
    deterministic: bool = False
    """The same bits for a request, whatever else is asked meanwhile; its options win over args."""

    def __post_init__(self) -> None:
        for member in ("repository", "served_name"):
            if not getattr(self, member):
                raise ServeSpecError(f"expected {member} of model {self.name!r}, found none")
        if self.gpus < 0 or self.nodes < 1 or self.tensor_parallel < 1:
            raise ServeSpecError(
                f"expected gpus >= 0, nodes >= 1 and tensor_parallel >= 1 for {self.name!r}, found "
                f"{self.gpus!r}, {self.nodes!r} and {self.tensor_parallel!r}"
            )
        if self.gpus % self.nodes:
            raise ServeSpecError(
                f"expected gpus of {self.name!r} to be shared evenly by its nodes, found "
                f"{self.gpus} GPUs for {self.nodes} nodes; correct model.serve"
            )
        if self.gpus and self.gpus % self.ranks:
            raise ServeSpecError(
                f"expected gpus of {self.name!r} to be a multiple of tensor_parallel times "
                f"--data-parallel-size = {self.ranks}, found {self.gpus}; correct model.serve"
            )
        against = [option for option in determinism.FORBIDDEN if self.gives(option)]
        if self.deterministic and against:
            raise ServeSpecError(
                f"expected no {against[0]} in model.serve.args of {self.name!r} with "
                "model.deterministic=true, found it; remove it, or take deterministic=false"
            )

    @property
    def sha256(self) -> str:
        """Hash of what is served: two specs with the same one can share a server.

        A server that is not deterministic has the hash that it had before there were others.
        """
        plain = asdict(self)
        del plain["name"]
        if not self.deterministic:
            del plain["deterministic"]
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()

    @property
    def gpus_per_node(self) -> int:
        return self.gpus // self.nodes

    @property
    def ranks(self) -> int:
        """GPUs of one pipeline stage: tensor parallel times data parallel."""
        return self.tensor_parallel * int(self.argument("--data-parallel-size") or 1)

    @property
    def pipeline_parallel(self) -> int:
        """Stages of the pipeline that the remaining GPUs make."""
        return max(1, self.gpus // self.ranks)

    def argument(self, option: str) -> str | None:
        """Value of `option` in `args` (`--a b` or `--a=b`); None if it is not there."""
        for position, word in enumerate(self.args):
            if word == option and position + 1 < len(self.args):
                return self.args[position + 1]
            if word.startswith(f"{option}="):
                return word.partition("=")[2]
        return None

    def gives(self, option: str) -> bool:
        """Whether `args` hold `option` already."""
        return any(word == option or word.startswith(f"{option}=") for word in self.args)


@dataclass(frozen=True)
class SiteSpec:
    """How and where a site runs servers; the part `serve` of a file in conf/site."""

    scheduler: Literal["none", "slurm"] = "none"
    """none: the server is a process of this machine."""
    device: Literal["gpu", "cpu"] = "gpu"
    """cpu: vLLM's build for processors, on whatever a job is given (tests, testbed)."""
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    gres: str | None = "gpu"
    """Generic resource of one GPU; its number per node is added: gpu:4. None asks for none."""
    cpus_per_gpu: int = 8
    """Processors per GPU of a node (of the node, where there is no GPU)."""
    memory_gb_per_gpu: float | None = None
    """Memory per GPU of a node (of the node, where there is no GPU); None leaves it to SLURM."""
    exclusive: bool = False
    """Whole nodes; always so for several nodes with Ray, whose `ray stop` ends all of a node's."""
    time: str = "04:00:00"
    """Walltime of a server, [days-]hours:minutes:seconds."""
    sbatch_options: tuple[str, ...] = ()
    """Further options of sbatch, e.g. --reservation=open."""
    setup: tuple[str, ...] = ()
    """Lines of shell before anything else in a job, e.g. module load cuda."""
    venv: str | None = None
    """Folder of the virtual environment that holds vLLM; None takes `vllm` from PATH."""
    image: str | None = None
    """Apptainer image that holds vLLM and Ray; wins over venv."""
    container_options: tuple[str, ...] = ()
    """Further options of `apptainer exec`, e.g. --bind=/data."""
    interface: str | None = None
    """Network interface that servers listen on; None takes the node's private address."""
    bind_all: bool = False
    """Listen on every interface of the node (0.0.0.0)."""
    ports: tuple[int, int] = (20000, 59999)
    """First and last port that may be taken."""
    multi_node: Literal["ray", "mp"] = "ray"
    """How several nodes find each other: Ray, or vLLM's own way without it."""
    hub: str | None = None
    """HF_HOME of the site, the folder that weights were fetched to; None is the user's own."""
    scratch: str | None = None
    """Folder on each node's own disk that weights are copied to first; $VARIABLES are expanded."""
    keep_weights: bool = False
    """Leave the copy there for the next server on that node."""
    offline: bool = True
    """Nothing is fetched from the hub."""
    environment: dict[str, str] = field(default_factory=dict)
    """Further variables of the server; no secrets."""
    idle_minutes: float = 30.0
    """A server without a request for so long stops."""
    linger_minutes: float = 10.0
    """A server that was started for a run, and that nobody holds any more, stops after so long."""
    drain_minutes: float = 10.0
    """Before the walltime: no new users, and requests under way are finished."""
    load_minutes: float = 60.0
    """A server that is not ready by then has failed."""
    queue_minutes: float = 1440.0
    """Those who need a server wait so long for its job to start."""
    restarts: int = 2
    """A server that dies is started again so many times."""
    poll_s: float = 10.0
    """Seconds between two looks at a server."""
    lease_s: float = 180.0
    """A user that gave no sign of life for so long does not hold its server any more."""

    def __post_init__(self) -> None:
        low, high = self.ports
        if not 1024 <= low <= high <= 65535:
            raise ServeSpecError(
                f"expected site.serve.ports between 1024 and 65535, found {list(self.ports)!r}"
            )
        if self.restarts < 0 or self.poll_s <= 0 or self.lease_s <= 0:
            raise ServeSpecError(
                "expected site.serve.restarts >= 0, poll_s > 0 and lease_s > 0, found "
                f"{self.restarts!r}, {self.poll_s!r} and {self.lease_s!r}"
            )
        walltime_s(self.time)


@dataclass(frozen=True)
class Launch:
    """One server to be: what, where, and with which of our own code it is kept."""

    spec: ServeSpec
    site: SiteSpec
    python: str
    """Our interpreter on the node; it runs the keeper."""
    repository: str
    """Folder that holds our packages."""
    owner: str = ""
    """The run that it was started for; empty for one started by hand, which waits for users."""

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Launch:
        """What `save` wrote."""
        plain = json.loads(path.read_text(encoding="utf-8"))
        spec, site = (
            _build(kind, plain[k]) for kind, k in ((ServeSpec, "spec"), (SiteSpec, "site"))
        )
        return cls(**{**plain, "spec": spec, "site": site})


def on_cpu(spec: ServeSpec, site: SiteSpec) -> bool:
    """Whether vLLM computes on processors."""
    return spec.gpus == 0 or site.device == "cpu"


def walltime_s(text: str) -> int:
    """Seconds of a walltime as SLURM writes it; ServeSpecError for anything else."""
    days, _, clock = text.rpartition("-")
    words = clock.split(":")
    if not all(word.isdigit() for word in words) or len(words) != 3 or not (days or "0").isdigit():
        raise ServeSpecError(
            f"expected site.serve.time as [days-]hours:minutes:seconds, found {text!r}"
        )
    hours, minutes, seconds = map(int, words)
    return int(days or 0) * 86400 + hours * 3600 + minutes * 60 + seconds


def _build(kind: type[Any], plain: Mapping[str, Any]) -> Any:
    known = {f.name: plain[f.name] for f in fields(kind) if f.name in plain}
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in known.items()})
