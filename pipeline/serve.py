"""Servers of models for a run: `ladon serve`, and the model that finds or starts its own server."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from executors.serving import metrics
from executors.serving.client import acquire
from executors.serving.folder import ServerFolder
from executors.serving.pool import Pool
from executors.serving.record import ENDED, Endpoint
from executors.serving.relay import Relay, answer_requests
from executors.serving.scheduler import scheduler_of
from executors.serving.spec import Launch, ServeSpec, SiteSpec, on_cpu
from pipeline.determinism.record import newest, sentence
from pipeline.settings import Settings, SettingsError

FOLDER = "servers"
"""Folder beside the runs that holds the servers: runs share them."""
REQUESTS = ".requests"
"""Folder among them in which steps in containers ask the controllers of their runs."""
OPTIONS = ("--list", "--stop", "--check-determinism")
"""What `ladon serve` takes besides overrides."""
NOWHERE = "http://no-server-yet.invalid/v1"
"""Stands for the address of a server that is not there yet."""
_REPOSITORY = Path(__file__).resolve().parent.parent


def serve(arguments: Sequence[str], console: Console) -> int:
    """`ladon serve model=... site=...`: start a server and wait until it is ready.

    With --list the servers are shown, with --stop those of the model (of all models, where none is
    named) are stopped; --check-determinism measures whether a ready one answers with the same bits
    alone and in a crowd. The exit code is 0; what goes wrong is raised.
    """
    from pipeline.configure import configure

    options = {a for a in arguments if a.startswith("-")}
    overrides = [a for a in arguments if not a.startswith("-")]
    if unknown := options - set(OPTIONS):
        raise SettingsError(
            f"unknown option {sorted(unknown)[0]!r} of serve; known: {', '.join(OPTIONS)}"
        )
    settings = configure(overrides)
    pool = pool_of(settings)
    if "--list" in options:
        console.print(table_of([pool.look(folder) for folder, _ in pool.servers()]))
        return 0
    named = any(o.startswith(("model=", "model.repository=")) for o in overrides)
    if "--stop" in options:
        wanted = serve_spec(settings).sha256 if named else None
        for folder, endpoint in pool.servers():
            if endpoint.status not in ENDED and wanted in (None, endpoint.spec_sha256):
                ended = pool.stop(folder, "was stopped by `ladon serve --stop`")
                console.print(f"{folder.name}: {ended.status}", highlight=False)
        return 0

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    launch = launch_of(settings, owner="")
    with acquire(pool, launch, f"serve/{os.getpid()}", time.time(), say) as held:
        say(f"{launch.spec.served_name} is ready at {held.base_url}")
        say(f"model.base_url={held.base_url} model.api_key_file={held.api_key_file}")
        if "--check-determinism" in options:
            from pipeline.determinism.check import check

            check(settings, launch, held, console)
    return 0


def serve_spec(settings: Settings) -> ServeSpec:
    """The model of the settings as its server needs to know it.

    Raises SettingsError where there is nothing to serve, ServeSpecError where it makes no sense.
    """
    model = settings.model
    if model.provider != "endpoint" or not model.repository:
        raise SettingsError(
            f"model={model.name} has nothing that could be served; take a model with a repository"
        )
    weights = model.serve.weights
    return ServeSpec(
        name=model.name,
        repository=str(Path(weights).expanduser().absolute()) if weights else model.repository,
        served_name=model.repository,
        revision=model.revision,
        gpus=model.serve.gpus,
        tensor_parallel=model.serve.tensor_parallel,
        nodes=model.serve.nodes,
        reasoning_parser=model.serve.reasoning_parser,
        context=model.context,
        args=model.serve.args,
        deterministic=model.deterministic,
    )


def site_spec(settings: Settings) -> SiteSpec:
    """The site's way of serving, with vLLM's environment found where tools/vllm.sh puts it."""
    site = settings.site.serve
    if site.venv is None and site.image is None:
        found = Path(os.environ.get("LADON_VLLM_VENV", _REPOSITORY / ".venv-vllm"))
        return replace(site, venv=str(found.resolve()) if found.is_dir() else None)
    venv = None if site.venv is None else str(Path(site.venv).expanduser().absolute())
    image = None if site.image is None else str(Path(site.image).expanduser().absolute())
    return replace(site, venv=venv, image=image)


def why_not_served(settings: Settings) -> str | None:
    """Why no server of the model can be started at the site, in a sentence; None if one can."""
    spec, site = serve_spec(settings), site_spec(settings)
    weights = settings.model.serve.weights
    if weights is not None and not Path(weights).is_dir():
        return (
            f"expected its weights in {weights}, found no such folder; "
            "tools/memo/train.py makes those of model=memo"
            if settings.model.name == "memo"
            else f"expected its weights in model.serve.weights={weights}, found no such folder"
        )
    if spec.gpus == 0 and weights is None and site.device == "gpu":
        return "model.serve.gpus=0 says that its server needs no GPU; say how many it needs"
    if site.scheduler == "slurm":
        return None
    if spec.gpus and not on_cpu(spec, site) and shutil.which("nvidia-smi") is None:
        return f"it needs {spec.gpus} GPUs, and there is no nvidia-smi on this machine"
    if site.venv is None and site.image is None and shutil.which("vllm") is None:
        return "there is no vLLM on this machine; tools/vllm.sh makes its environment"
    return None


def launch_of(settings: Settings, owner: str) -> Launch:
    """One server for the model of the settings; `owner` is the run it is for, or empty."""
    return Launch(
        spec=serve_spec(settings),
        site=site_spec(settings),
        python=sys.executable,
        repository=str(_REPOSITORY),
        owner=owner,
    )


def pool_of(settings: Settings, outputs: Path | None = None) -> Pool:
    """The servers beside the runs; `outputs` for those who work elsewhere than `ladon` was called.

    A step works in the folder of its run: Path.cwd().parent.
    """
    place = (outputs or Path(settings.run.outputs)).resolve() / FOLDER
    return Pool(place, scheduler_of(site_spec(settings)))


def pool_inside(outputs: Path) -> Pool:
    """The same for a step in a container, from where the controller of its run is asked."""
    place = outputs.resolve() / FOLDER
    return Pool(place, Relay(place / REQUESTS))


def answer_steps(settings: Settings) -> None:
    """Do what steps in containers ask for: start, look after and end servers."""
    pool = pool_of(settings)

    def own(launch: Launch) -> Launch:
        ours = launch_of(settings, launch.owner)
        return replace(launch, site=ours.site, python=ours.python, repository=ours.repository)

    answer_requests(pool.path / REQUESTS, pool.scheduler, own)


def usage_of(pool: Pool, run: str) -> dict[str, Any]:
    """What the run used of its servers: GPU-seconds by user (point/stage), and the servers.

    A moment of a server is shared evenly by the stages that held it; the rest, while it loaded or
    waited with nobody there, is under '' for servers that were started for this run. Each server
    tells the same of itself, and with `gpu_seconds_all` what it cost for whatever run.
    """
    seconds: dict[str, float] = {}
    servers = []
    for folder, endpoint in pool.servers():
        shares = metrics.gpu_seconds(metrics.load(folder.metrics))
        ours = {u.removeprefix(f"{run}/"): s for u, s in shares.items() if u.startswith(f"{run}/")}
        if endpoint.owner == run and "" in shares:
            ours[""] = shares[""]
        if not ours and endpoint.owner != run:
            continue
        for user, share in ours.items():
            seconds[user] = round(seconds.get(user, 0.0) + share, 3)
        used = {"gpu_seconds": ours, "gpu_seconds_all": round(sum(shares.values()), 3)}
        servers.append({**_told(folder, endpoint), **used, **_measured(pool, endpoint)})
    return {"gpu_seconds": dict(sorted(seconds.items())), "servers": servers}


def _told(folder: ServerFolder, endpoint: Endpoint) -> dict[str, Any]:
    last = endpoint.metrics or {}
    return {
        "server": folder.name,
        "status": endpoint.status,
        "reason": endpoint.reason,
        "restarts": endpoint.restarts,
        "gpus": endpoint.gpus,
        "requests": last.get("requests"),
        "prompt_tokens": last.get("prompt_tokens"),
        "generation_tokens": last.get("generation_tokens"),
        "prefix_hit_rate": last.get("prefix_hit_rate"),
        "energy_j": endpoint.energy_j,
        "energy_note": endpoint.energy_note,
    }


def _measured(pool: Pool, endpoint: Endpoint) -> dict[str, Any]:
    """What the last measurement of such a server says; empty where there is none."""
    found = newest(pool.path, endpoint.spec_sha256)
    if found is None:
        return {}
    server, record = found
    return {"determinism": {"server": server, "sentence": sentence(record)}}


def table_of(endpoints: Sequence[Endpoint]) -> Table:
    """The servers as a table for the terminal."""
    table = Table("server", "status", "model", "job", "node", "address", "tokens/s", "reason")
    for e in endpoints:
        rate = (e.metrics or {}).get("generation_tokens_per_s")
        cells = [e.server, e.status, e.served_name, e.job, e.node, e.base_url, rate, e.reason]
        table.add_row(*("" if cell is None else str(cell) for cell in cells))
    return table
