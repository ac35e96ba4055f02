"""Words of the view: durations, sizes, states and their colours."""

from __future__ import annotations

from rich.text import Text

from pipeline.status.snapshot import Owner, StepState

GLYPHS: dict[StepState, str] = {
    "done": "✓", "running": "●", "queued": "◌", "waiting": "·", "failed": "✗", "skipped": "–",
    "error": "!",
}  # fmt: skip
COLOURS: dict[str, str] = {
    "done": "green", "running": "bold cyan", "queued": "yellow", "waiting": "dim",
    "failed": "red", "skipped": "dim", "error": "bold red",
    "finished": "bold green", "stopped": "bold yellow", "unknown": "bold yellow",
    "READY": "green", "FAILED": "red", "STOPPED": "dim", "RUNNING": "bold cyan",
}  # fmt: skip
"""Of steps, runs, servers and jobs."""


def clock(seconds: float | None) -> str:
    """A duration as h:mm:ss, with days where there are any; '' for None."""
    if seconds is None:
        return ""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    text = f"{hour}:{minute:02d}:{second:02d}"
    return f"{days}-{text}" if days else text


def count(value: float | None) -> str:
    """A count, short: 950, 12.3 k, 4.56 M; '' for None."""
    if value is None:
        return ""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= max(0.9995 * size, 1e4):
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f}"


def megabytes(value: float | None) -> str:
    """Memory as SLURM writes it: 850M, 3.2G; '' for None."""
    if value is None:
        return ""
    return f"{value:.0f}M" if value < 1024 else f"{value / 1024:.1f}G"


def short(text: str, length: int) -> str:
    """One line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


def state(name: StepState) -> Text:
    return Text(name, style=COLOURS[name])


def glyph(name: StepState) -> Text:
    return Text(GLYPHS[name], style=COLOURS[name])


def legend() -> Text:
    told = "   ".join(f"{sign} {name}" for name, sign in GLYPHS.items())
    return Text(told, style="dim")


def title_of(owner: Owner) -> str:
    """A point by its name; a reference with the beginning of its key."""
    kind, _, name = owner.name.partition("/")
    return name if kind == "points" else f"reference {name[:8]}"


def yielding(text: str) -> Text:
    """A text that is cut where a narrow terminal has no room for it, and never folded.

    Its column must not be `no_wrap`: those that may wrap are narrowed first.
    """
    return Text(text, no_wrap=True, overflow="ellipsis")
