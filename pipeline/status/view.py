"""The view: a snapshot as something that fits a terminal, or a page of a log."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pipeline.status.graph_view import many_points, one_point, reference_lines
from pipeline.status.snapshot import Snapshot, Stage, Step
from pipeline.status.words import COLOURS, clock, count, megabytes, short, title_of, yielding

ROWS = 40
"""Lines of a view where no height is given."""
WIDTH = 100
"""Characters that a line is made for."""
MOST_NOW, MOST_JOBS, MOST_SERVERS, MOST_CHUNKS, MOST_PROBLEMS = 6, 8, 4, 4, 4
"""Lines of each part; what is left out is counted."""


def render(snapshot: Snapshot, rows: int = ROWS) -> RenderableType:
    """The snapshot as a rich renderable of about 100 columns and at most `rows` lines.

    A run of one point is shown stage by stage, one of many points in counts and with a line for
    each of those that matter most now.
    """
    head = [*_head(snapshot), Text()]
    tail: list[RenderableType] = []
    for part in (_now(snapshot), _chunks(snapshot), _jobs(snapshot), _servers(snapshot)):
        tail += part
    tail += [*_spent(snapshot), *_problems(snapshot)]
    points = [owner for owner in snapshot.owners if owner.is_point]
    references = [owner for owner in snapshot.owners if not owner.is_point]
    if len(points) == 1:
        body = [*one_point(points[0]), *reference_lines(references)]
    else:
        left = rows - _lines(head) - _lines(tail)
        body = many_points(snapshot.owners, left)
    return Group(*head, *body, *tail)


def _head(snapshot: Snapshot) -> Iterator[RenderableType]:
    yield Text.assemble(
        (snapshot.run, "bold"),
        "  ",
        (snapshot.sentence, COLOURS.get(snapshot.state, "")),
        (f"  {clock(snapshot.elapsed_s)}", ""),
    )
    line = Table.grid(padding=(0, 1))
    total = max(snapshot.total, 1)
    line.add_row(
        ProgressBar(total=total, completed=snapshot.done, width=40),
        f"{snapshot.done} of {snapshot.total} files",
        Text(_prepared(snapshot)),
    )
    yield line


def _prepared(snapshot: Snapshot) -> str:
    """What goes on outside of the stages."""
    said = {"synthesize": "samples are made", "fileset": "files are found and verified"}
    said["report"] = "the report is drawn"
    for work in snapshot.work:
        if work.state in ("running", "queued", "error"):
            far = f" {work.done}/{work.total}" if work.total else ""
            what = said.get(work.name, work.name) if work.state == "running" else work.name
            return f"{what}{far}" if work.state == "running" else f"{work.name}: {work.state}"
    return ""


def _now(snapshot: Snapshot) -> list[RenderableType]:
    """The steps that are under way."""
    found = [
        (owner, stage, name, step)
        for owner in snapshot.owners
        for stage in owner.stages
        for name, step in _named(stage)
        if step.state == "running"
    ]
    if not found:
        return []
    table = _table("now", "", "", "", "")
    for owner, stage, name, step in found[:MOST_NOW]:
        doing = (stage.doing or "") if name == "solve" else ""
        job = f"job {step.job}" if step.job else ""
        since = None if step.since is None else snapshot.taken - step.since
        table.add_row(
            short(title_of(owner), 30),
            f"{name} {stage.stage}",
            clock(since),
            job,
            yielding(short(doing, 40)),
        )
    return [Text(), table, *_more(len(found) - MOST_NOW, "steps under way")]


def _named(stage: Stage) -> list[tuple[str, Step]]:
    return list(zip(("solve", "execute", "judge"), stage.steps, strict=False))


def _chunks(snapshot: Snapshot) -> list[RenderableType]:
    """Conversions that are not complete; of a single point also those that are."""
    owners = {owner.name: owner for owner in snapshot.owners}
    single = sum(owner.is_point for owner in snapshot.owners) == 1
    shown = [c for c in snapshot.conversions if c.done < c.total or single]
    if not shown:
        return []
    table = _table("chunks", "", "", "events", "events/s")
    for conversion in shown[:MOST_CHUNKS]:
        table.add_row(
            short(title_of(owners[conversion.owner]), 30),
            ProgressBar(total=max(1, conversion.total), completed=conversion.done, width=24),
            f"{conversion.done}/{conversion.total}",
            count(conversion.events),
            count(conversion.events_per_s),
        )
    return [Text(), table, *_more(len(shown) - MOST_CHUNKS, "conversions")]


def _jobs(snapshot: Snapshot) -> list[RenderableType]:
    queue = snapshot.queue
    lines: list[RenderableType] = []
    if queue.problem is not None:
        age = (
            "" if queue.asked is None else f" (jobs as of {snapshot.taken - queue.asked:.0f} s ago)"
        )
        lines = [Text(), Text(f"SLURM: {short(queue.problem, 160)}{age}", style="yellow")]
    if not queue.jobs:
        return lines
    table = _table("job", "state", "what", "queue", "node", "elapsed", "limit", "memory")
    order = sorted(queue.jobs, key=lambda job: job.state != "RUNNING")
    for job in order[:MOST_JOBS]:
        used = megabytes(job.memory_used_mb)
        table.add_row(
            job.id,
            Text(job.state.lower(), style=COLOURS.get(job.state, "yellow")),
            yielding(short(job.what, 38)),
            job.partition,
            short(job.node or job.reason, 18),
            job.elapsed,
            job.limit,
            f"{used} of {job.memory}" if used else job.memory,
        )
    return [*lines, Text(), table, *_more(len(order) - MOST_JOBS, "jobs")]


def _servers(snapshot: Snapshot) -> list[RenderableType]:
    if not snapshot.servers:
        return []
    table = _table("server", "status", "job", "node", "tokens/s", "requests", "held by", "")
    for server in snapshot.servers[-MOST_SERVERS:]:
        requests = "" if server.running is None else f"{server.running:.0f}"
        if server.waiting:
            requests += f" + {server.waiting:.0f} waiting"
        table.add_row(
            short(server.name, 26),
            Text(server.status, style=COLOURS.get(server.status, "yellow")),
            server.job or "",
            server.node or "",
            count(server.tokens_per_s),
            requests,
            short(", ".join(server.users), 20),
            yielding(short(server.reason or "", 40)),
        )
    return [Text(), table, *_more(len(snapshot.servers) - MOST_SERVERS, "servers")]


def _spent(snapshot: Snapshot) -> list[RenderableType]:
    spent = snapshot.spent
    if not spent.calls:
        return []
    gpu = sum(snapshot.gpu_seconds.values())
    used = f", {clock(gpu)} of GPU" if gpu else ""
    told = f", tokens {count(spent.prompt)} prompt + {count(spent.completion)} completion"
    return [Text(), Text(f"{spent.calls} calls{told if spent.tokens else ''}{used}")]


def _problems(snapshot: Snapshot) -> list[RenderableType]:
    if not snapshot.problems:
        return []
    shown = [Text(f"✗ {short(p, 3 * WIDTH - 8)}", "red") for p in snapshot.problems[:MOST_PROBLEMS]]
    more = _more(len(snapshot.problems) - MOST_PROBLEMS, "problems")
    return [Text(), *shown, *more]


def _table(*columns: str) -> Table:
    """A table without lines; columns of numbers are on the right."""
    right = ("events", "events/s", "elapsed", "tokens/s")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in columns:
        justify = "right" if name in right else "left"
        # What is not no_wrap is narrowed first: see words.yielding.
        stays = name not in ("what", "")
        table.add_column(name, no_wrap=stays, justify=justify)  # type: ignore[arg-type]
    return table


def _more(number: int, what: str) -> list[RenderableType]:
    return [Text(f"… and {number} more {what}", style="dim")] if number > 0 else []


def _lines(parts: list[RenderableType]) -> int:
    """Lines that these parts take at WIDTH."""
    found = 0
    for part in parts:
        if isinstance(part, Table):
            found += part.row_count + bool(part.show_header)
        else:
            found += max(1, -(-len(str(part)) // WIDTH))
    return found
