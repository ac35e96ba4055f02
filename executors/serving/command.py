"""The command lines and the environment of vLLM: pure functions of a spec, a site and addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from executors.serving import cluster, determinism
from executors.serving.folder import ServerFolder
from executors.serving.spec import Launch, ServeSpec, SiteSpec, on_cpu

CPU_CONTEXT = 4096
CPU_CACHE_GB = "1"
STEP_GRACE_S = 60
"""Seconds that srun gives the other nodes once one of them has ended."""
_SECRET = re.compile(
    r"(^|_)(KEY|KEYS|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|CREDENTIALS)$", re.IGNORECASE
)


@dataclass(frozen=True)
class Place:
    """Where one start of a server listens, and where its nodes meet."""

    address: str
    """Of the first node, as the others and the users reach it."""
    port: int
    meeting_port: int = 0
    """Of the first node, for the other nodes; 0 where there are none."""
    bind_all: bool = False

    @property
    def base_url(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{self.port}/v1"


def server_command(
    spec: ServeSpec, site: SiteSpec, model: str, place: Place, rank: int = 0
) -> list[str]:
    """What starts vLLM on node number `rank`; it holds no secret.

    `model` is a folder with weights, or the repository's name. Options that `spec.args` hold are
    not given twice; those that make a server deterministic win over them. On processors it is the
    module and not the command `vllm`, which looks for a package of that name: the build for
    processors has another one.
    """
    cpu = on_cpu(spec, site)
    fixed = determinism.options(cpu) if spec.deterministic else {}
    command = _program(site, "python", "-m", "vllm.entrypoints.openai.api_server", "--model", model)
    if not cpu:
        command = _program(site, "vllm", "serve", model)
    command += ["--served-model-name", spec.served_name]
    if model == spec.repository and spec.revision and not Path(model).is_absolute():
        command += ["--revision", spec.revision]
    several = spec.nodes > 1
    headless = several and site.multi_node == "mp" and rank > 0
    if not headless:
        host = "0.0.0.0" if place.bind_all else place.address
        command += ["--host", host, "--port", str(place.port), "--disable-uvicorn-access-log"]
    for option, value in _derived(spec, cpu):
        if not spec.gives(option):
            command += [option, value] if value else [option]
    if several and site.multi_node == "ray":
        command += ["--distributed-executor-backend", "ray"]
    elif several:
        command += ["--nnodes", str(spec.nodes), "--node-rank", str(rank)]
        command += ["--master-addr", place.address, "--master-port", str(place.meeting_port)]
        command += ["--headless"] if headless else []
    for option, value in fixed.items():
        command += [option, value] if value else [option]
    return [*command, *determinism.without(spec.args, fixed)]


def _derived(spec: ServeSpec, cpu: bool) -> list[tuple[str, str]]:
    """Options that follow from the spec's own members; an empty value is a switch."""
    options: list[tuple[str, str]] = []
    if cpu:
        options += [("--dtype", "float32"), ("--enforce-eager", "")]
        options += [("--max-model-len", str(spec.context or CPU_CONTEXT))]
    elif spec.context is not None:
        options += [("--max-model-len", str(spec.context))]
    if spec.gpus and (spec.nodes > 1 or not cpu):
        options += [("--tensor-parallel-size", str(spec.tensor_parallel))]
        if spec.pipeline_parallel > 1:
            options += [("--pipeline-parallel-size", str(spec.pipeline_parallel))]
    if spec.reasoning_parser is not None:
        options += [("--reasoning-parser", spec.reasoning_parser)]
    return options


def node_command(
    spec: ServeSpec,
    site: SiteSpec,
    model: str,
    place: Place,
    rank: int = 0,
    room: Path | None = None,
) -> list[str]:
    """What runs on node number `rank`: vLLM, or Ray around it; in the site's image, if any.

    `room` is Ray's folder on that node's own disk.
    """
    command = server_command(spec, site, model, place, rank)
    if uses_ray(spec, site):
        meeting, cpus = f"{place.address}:{place.meeting_port}", cpus_per_node(spec, site)
        command = _program(site, "ray", *cluster.run_words(spec, cpus, meeting, room, command))
    if site.image is None:
        return command
    nvidia = [] if on_cpu(spec, site) else ["--nv"]
    return ["apptainer", "exec", *nvidia, *site.container_options, site.image, *command]


def step_command(launch: Launch, folder: ServerFolder, place: Place) -> list[str]:
    """What the keeper starts: the node program, here or by srun on every node of the job."""
    spec, site = launch.spec, launch.site
    program = [
        launch.python, "-m", "executors.serving.node",
        "--folder", str(folder.path),
        "--address", place.address,
        "--port", str(place.port),
    ]  # fmt: skip
    if spec.nodes == 1:
        return program
    return [
        "srun",
        f"--nodes={spec.nodes}",
        f"--ntasks={spec.nodes}",
        "--ntasks-per-node=1",
        f"--cpus-per-task={cpus_per_node(spec, site)}",
        "--kill-on-bad-exit=1",
        f"--wait={STEP_GRACE_S}",
        "--export=ALL",
        *program,
        "--meeting-port", str(place.meeting_port),
    ]  # fmt: skip


def farewell(spec: ServeSpec, job: str | None) -> list[str]:
    """What asks the programs on all nodes of `job` to end; empty where SIGTERM to ours does.

    srun that gets SIGTERM kills its step at once (SLURM 22.05, measured): vLLM and Ray could take
    nothing of theirs away. scancel sends it to the steps alone, not to the keeper.
    """
    several = spec.nodes > 1 and job is not None and job.isdigit()
    return ["scancel", "--signal=TERM", str(job)] if several else []


def uses_ray(spec: ServeSpec, site: SiteSpec) -> bool:
    """Whether the nodes of the server meet by Ray."""
    return spec.nodes > 1 and site.multi_node == "ray"


def cpus_per_node(spec: ServeSpec, site: SiteSpec) -> int:
    """Processors of one node of the server."""
    return site.cpus_per_gpu * max(1, spec.gpus_per_node)


def environment(
    launch: Launch, folder: ServerFolder, address: str, inherited: Mapping[str, str]
) -> dict[str, str]:
    """The variables of vLLM on the node with `address`, without its API key.

    What the job gave is kept (modules and drivers speak by variables), but for anything that looks
    like somebody's secret.
    """
    spec, site = launch.spec, launch.site
    variables = without_secrets(inherited)
    # Ours, for our interpreter; vLLM's must not find our packages.
    variables.pop("PYTHONPATH", None)
    # The spec says whether a server is deterministic, not the shell of whoever starts it.
    variables.pop(determinism.INVARIANT, None)
    if site.venv is not None and site.image is None:
        found = variables.get("PATH", "")
        variables["PATH"] = f"{site.venv}/bin:{found}" if found else f"{site.venv}/bin"
    variables |= {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if site.offline:
        variables |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    if site.hub is not None:
        variables["HF_HOME"] = site.hub
    if on_cpu(spec, site):
        variables["VLLM_CPU_KVCACHE_SPACE"] = CPU_CACHE_GB
    if spec.nodes > 1:
        variables["VLLM_HOST_IP"] = address
        if site.interface is not None:
            variables |= {
                "NCCL_SOCKET_IFNAME": site.interface,
                "GLOO_SOCKET_IFNAME": site.interface,
            }
    if uses_ray(spec, site):
        variables |= cluster.variables_of(folder)
    fixed = determinism.variables(on_cpu(spec, site)) if spec.deterministic else {}
    return {**variables, **site.environment, **fixed}


def without_secrets(variables: Mapping[str, str]) -> dict[str, str]:
    """`variables` but those whose names say that they hold a key, a token or a password."""
    return {name: text for name, text in variables.items() if not _SECRET.search(name)}


def _program(site: SiteSpec, name: str, *arguments: str) -> list[str]:
    """A program of the environment that holds vLLM, and its first arguments."""
    if site.image is None and site.venv is not None:
        return [f"{site.venv}/bin/{name}", *arguments]
    return [{"python": "python3"}.get(name, name), *arguments]


def shown(command: Sequence[str]) -> str:
    """A command line as a shell would take it, for logs."""
    import shlex

    return shlex.join(command)
