"""`ladon serve --check-determinism`: measure a server that is held, print it, keep the record."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from executors.serving import metrics
from executors.serving.client import Held
from executors.serving.probe import Probe
from executors.serving.record import Endpoint
from executors.serving.spec import Launch, on_cpu
from pipeline.determinism.counting import answers_sha256, by_temperature
from pipeline.determinism.measure import CROWD, MAX_TOKENS, measure, requests
from pipeline.determinism.record import ALONE, CROWDED, FILE, Compared, Record, sentence
from pipeline.models import spec_of
from pipeline.provenance import hardware
from pipeline.settings import Settings


def check(settings: Settings, launch: Launch, held: Held, console: Console) -> Record:
    """Measure the server, print the table and the sentence, and write FILE into its folder.

    Raises what EndpointModel raises: a server that does not answer is no measurement.
    """

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    record = measured(settings, launch, held, say)
    path = held.folder.path / FILE
    record.save(path)
    console.print(table_of(record))
    say(sentence(record))
    say(f"kept in {path}")
    return record


def measured(
    settings: Settings, launch: Launch, held: Held, say: Callable[[str], None] = lambda _: None
) -> Record:
    """The record of a measurement of the server that is held."""
    model = replace(
        settings.model, base_url=held.base_url, api_key_file=held.api_key_file, api_key_env=None
    )
    spec = spec_of(model, settings.seed)
    spec = replace(spec, max_tokens=min(spec.max_tokens, MAX_TOKENS), response_format="none")
    probe = Probe(held.base_url, Path(held.api_key_file))
    asked = requests(spec.temperature)
    rounds = measure(spec, asked, CROWD, lambda: metrics.read(probe.metrics()).running, say)
    temperatures = [one.temperature for one in asked]
    compared = [
        Compared(name, temperature, found)
        for name, other in ((ALONE, rounds.again), (CROWDED, rounds.crowd))
        for temperature, found in by_temperature(temperatures, rounds.alone, other).items()
    ]
    return Record(
        model=launch.spec.served_name,
        revision=launch.spec.revision,
        deterministic=launch.spec.deterministic,
        spec_sha256=launch.spec.sha256,
        server_version=rounds.server_version,
        device="cpu" if on_cpu(launch.spec, launch.site) else "gpu",
        hardware=hardware_of(launch, held.endpoint),
        crowd=CROWD,
        running=rounds.running,
        disturbed=rounds.disturbed,
        max_tokens=spec.max_tokens,
        tokens=rounds.tokens,
        compared=tuple(compared),
        alone_sha256=answers_sha256(rounds.alone),
        measured=round(time.time(), 3),
    )


def hardware_of(launch: Launch, endpoint: Endpoint) -> dict[str, Any]:
    """What the server runs on, as far as it is known here: its node's own words, or the site's."""
    site = launch.site
    told: dict[str, Any] = {"node": endpoint.node, "gpus": launch.spec.gpus}
    if endpoint.node == socket.gethostname():
        told |= {**hardware(), "processor": _processor(), "gpu": _gpu()}
    elif site.scheduler == "slurm":
        told |= {"partition": site.partition, "constraint": site.constraint, "gres": site.gres}
    return {name: value for name, value in told.items() if value is not None}


def table_of(record: Record) -> Table:
    """The counts as a table for the terminal."""
    title = f"deterministic={str(record.deterministic).lower()}"
    table = Table("rounds", "temperature", "requests", "same text", "same log-prob.", title=title)
    for row in record.compared:
        logprobs = "not told" if row.count.logprobs is None else str(row.count.logprobs)
        cells = (f"{row.temperature:g}", str(row.count.requests), str(row.count.texts), logprobs)
        table.add_row(row.rounds, *cells)
    return table


def _processor() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else None


def _gpu() -> str | None:
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return ", ".join(dict.fromkeys(done.stdout.split("\n"))).strip(", ") or None
