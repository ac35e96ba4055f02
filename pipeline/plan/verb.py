"""`ladon plan`: what a run would read and cost, before anything is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from pipeline.configure import configure
from pipeline.files import to_json, write_json
from pipeline.plan.estimate import make_plan
from pipeline.plan.view import show
from pipeline.settings import SettingsError

VALUED = ("--measure", "--write")
"""Options that are followed by a file."""


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    overrides: tuple[str, ...]
    json: bool
    synthetic: bool
    measure: Path | None
    write: Path | None

    @classmethod
    def read(cls, arguments: Sequence[str]) -> Wanted:
        """Raises SettingsError for an option without its file."""
        files: dict[str, Path] = {}
        rest: list[str] = []
        words = iter(arguments)
        for word in words:
            if word not in VALUED:
                rest.append(word)
                continue
            value = next(words, None)
            if value is None or value.startswith("-"):
                raise SettingsError(f"expected a file after {word}, found {value!r}")
            files[word] = Path(value)
        options = {w for w in rest if w.startswith("-")}
        return cls(
            tuple(w for w in rest if w not in options), "--json" in options,
            "--synthetic" in options, files.get("--measure"), files.get("--write"),
        )  # fmt: skip


def plan(arguments: Sequence[str], console: Console) -> int:
    """Print the plan of the settings that the overrides mean; 0."""
    wanted = Wanted.read(arguments)
    settings = configure(wanted.overrides, located=False)
    if wanted.measure is not None:
        from pipeline.plan.calibrate import calibrate
        from pipeline.plan.throughput import default_file, keep

        if not wanted.measure.is_file():
            raise SettingsError(
                f"expected a file of the data after --measure, found no file {wanted.measure}; "
                f"give one that data={settings.data.name} has"
            )
        found = calibrate(settings, wanted.measure, wanted.synthetic)
        keep(found, default_file(settings))
        if not wanted.json:
            console.print(
                f"{found.what}: {found.s_per_event * 1e6:.3g} µs per event, "
                f"{found.s_per_chunk * 1e3:.3g} ms per chunk, {found.s_per_file * 1e3:.3g} ms per "
                f"file and {found.s_per_process:.3g} s per worker; kept in "
                f"{default_file(settings)}", highlight=False, soft_wrap=True,
            )  # fmt: skip
    made = make_plan(settings)
    if wanted.write is not None:
        write_json(wanted.write, made.plain())
    if wanted.json:
        print(to_json(made.plain()), end="")
    else:
        show(made, console)
    return 0
