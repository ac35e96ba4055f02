"""The verb `ladon status`: a run on the terminal until it ends, once, or as JSON."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from rich.console import Console
from rich.live import Live

from pipeline.files import to_json
from pipeline.status.view import render
from pipeline.status.watch import Watch

REFRESH_S = 2.0
OPTIONS = ("--json", "--once")


def status(
    run: Path, options: Collection[str], console: Console, refresh_s: float = REFRESH_S
) -> int:
    """Show how the run in this folder stands; the exit code is 0, however that is.

    Live until the run has ended or Ctrl-C (which ends the view and not the run); `--once`, or
    where there is no terminal, one view; `--json` one snapshot as JSON. Raises NoRunError where
    there is no run.
    """
    watch = Watch(run)
    if "--json" in options:
        print(to_json(watch.look().to_dict()), end="")
        return 0
    snapshot = watch.look()
    if "--once" in options or not console.is_terminal or snapshot.ended:
        console.print(render(snapshot), highlight=False)
        return 0
    try:
        with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
            while True:
                live.update(render(snapshot, rows=console.height - 1), refresh=True)
                if snapshot.ended:
                    return 0
                time.sleep(refresh_s)
                snapshot = watch.look()
    except KeyboardInterrupt:
        return 0
