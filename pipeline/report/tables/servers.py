"""The table of the servers: the GPU time of each stage, and what each server did."""

from __future__ import annotations

from typing import Any

from pipeline.controller import SERVERS_FILE
from pipeline.report.folder import PointFolder
from pipeline.report.notation import DASH, whole
from pipeline.report.tables.cell import Cell, Table, numeric


def servers_tables(point: PointFolder) -> tuple[Table, ...]:
    """GPU-seconds by stage, and the servers; nothing where the run started none."""
    if not point.exists(SERVERS_FILE):
        return ()
    told = point.json(SERVERS_FILE)
    if not told["servers"]:
        return ()
    return _by_stage(point, told["gpu_seconds"]), _by_server(told["servers"])


def _by_stage(point: PointFolder, seconds: dict[str, float]) -> Table:
    own = {k.partition("/")[2]: v for k, v in seconds.items() if k.partition("/")[0] == point.name}
    rows = [(stage, own[stage]) for stage in point.plan.stages if stage in own]
    rows.append(("loading, and waiting for stages", seconds.get("", 0.0)))
    rows.append(("all", sum(value for _, value in rows)))
    return Table(
        "gpu_seconds",
        "Time of GPUs by stage",
        "All GPUs of a server for the time that a stage held it; a moment with several stages is "
        "shared evenly by them. What nobody held is told apart.",
        ("stage", "GPU-seconds"),
        tuple((Cell(name), numeric(f"{value:.1f}", SERVERS_FILE, value)) for name, value in rows),
        frozenset({len(rows) - 1}),
    )


def _by_server(servers: list[dict[str, Any]]) -> Table:
    rows = []
    for server in servers:
        rate, energy = server["prefix_hit_rate"], server["energy_j"]
        rows.append(
            (
                Cell(server["server"]),
                Cell(server["status"].lower(), hint=server["reason"] or ""),
                numeric(whole(server["gpus"]), SERVERS_FILE, server["gpus"]),
                numeric(whole(server["restarts"]), SERVERS_FILE, server["restarts"]),
                *(
                    _count(server[key])
                    for key in ("requests", "prompt_tokens", "generation_tokens")
                ),
                numeric(DASH if rate is None else f"{100 * rate:.0f} %", SERVERS_FILE, rate),
                numeric(
                    DASH if energy is None else f"{energy / 1000:.1f} kJ", SERVERS_FILE, energy,
                    hint=server["energy_note"] or "",
                ),
            )
        )  # fmt: skip
    return Table(
        "servers",
        "Servers of the model",
        "As vLLM counts in /metrics, over all its starts; cache hits are tokens of prompts that "
        "its prefix cache knew.",
        (
            "server", "status", "GPUs", "restarts", "requests", "tokens in", "out", "cache hits",
            "energy",
        ),
        tuple(rows),
    )  # fmt: skip


def _count(value: float | None) -> Cell:
    return numeric(DASH if value is None else whole(round(value)), SERVERS_FILE, value)
