"""`ladon data diff`: what two manifests say differently, sample by sample and file by file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rich.console import Console

from pipeline.data.errors import ManifestError
from pipeline.data.manifest import Manifest, Sample, Skim, manifest_path
from pipeline.data.manifest_form import read_manifest

VALUES = tuple(f.name for f in fields(Sample) if f.name not in ("name", "files"))
"""What is compared of a sample beside its files."""
SHOWN = 10
"""Names that a line of the terminal shows; --json has all."""


@dataclass(frozen=True)
class SampleDifference:
    """What two manifests say differently of one sample."""

    skim: str
    sample: str
    values: dict[str, tuple[Any, Any]]
    """Quantity -> old and new."""
    files_added: tuple[str, ...]
    files_removed: tuple[str, ...]
    files_changed: tuple[str, ...]
    """Addresses of files with another size, checksum or number of entries."""


@dataclass(frozen=True)
class Difference:
    """What two manifests say differently."""

    old: str
    new: str
    skims_added: tuple[str, ...]
    skims_removed: tuple[str, ...]
    samples_added: tuple[str, ...]
    """As SKIM/SAMPLE, of the skims that both have."""
    samples_removed: tuple[str, ...]
    samples_changed: tuple[SampleDifference, ...]
    trees: dict[str, tuple[str, str]]
    """Skim -> old and new name of the tree."""
    sources: dict[str, tuple[str | None, str | None]]
    """Source -> old and new SHA-256."""

    @property
    def same(self) -> bool:
        """Whether both say the same of the data, whatever they were made from."""
        return not (
            self.skims_added or self.skims_removed or self.samples_added or self.samples_removed
            or self.samples_changed or self.trees
        )  # fmt: skip


def compare(old: Manifest, new: Manifest, names: tuple[str, str]) -> Difference:
    """What `new` says otherwise than `old`; `names` are what the user calls the two."""
    both = [name for name in old.skims if name in new.skims]
    return Difference(
        *names,
        skims_added=tuple(n for n in new.skims if n not in old.skims),
        skims_removed=tuple(n for n in old.skims if n not in new.skims),
        samples_added=tuple(x for n in both for x in _only(new.skims[n], old.skims[n])),
        samples_removed=tuple(x for n in both for x in _only(old.skims[n], new.skims[n])),
        samples_changed=tuple(x for n in both for x in _changed(old.skims[n], new.skims[n])),
        trees={
            n: (old.skims[n].tree, new.skims[n].tree)
            for n in both
            if old.skims[n].tree != new.skims[n].tree
        },
        sources={
            n: (old.sources.get(n), new.sources.get(n))
            for n in {**old.sources, **new.sources}
            if old.sources.get(n) != new.sources.get(n)
        },
    )


def manifest_named(name: str, folder: Path | None = None) -> Manifest:
    """The manifest that a user names: a file, or a release (in `folder` if given).

    Run indexes that were fetched are left out of it: manifests are compared as they are written.
    """
    if folder is not None:
        path = folder / f"{name}.json.gz"
    elif Path(name).is_file():
        path = Path(name)
    elif "/" in name or name.endswith(".gz"):
        raise ManifestError(f"expected a manifest in {name}, found no file; check the path")
    else:
        path = manifest_path(name)
    if not path.is_file():
        raise ManifestError(f"expected a manifest in {path}, found no file; check the folder")
    return read_manifest(path)


def print_difference(console: Console, found: Difference) -> None:
    """Print a difference in lines: + added, - removed, ~ changed."""

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    say(f"old {found.old}")
    say(f"new {found.new}")
    for mark, what, names in (
        ("+", "skims", found.skims_added),
        ("-", "skims", found.skims_removed),
        ("+", "samples", found.samples_added),
        ("-", "samples", found.samples_removed),
    ):
        if names:
            say(f"{mark} {len(names)} {what}: {_some(names)}")
    for skim, (before, after) in found.trees.items():
        say(f"~ {skim}: tree {before} -> {after}")
    for change in found.samples_changed:
        say(f"~ {change.skim}/{change.sample}")
        for quantity, (before, after) in change.values.items():
            say(f"    {quantity}: {before!r} -> {after!r}")
        for mark, uris in (
            ("+", change.files_added),
            ("-", change.files_removed),
            ("~", change.files_changed),
        ):
            if uris:
                say(f"    {mark} {len(uris)} files: {_some(uris)}")
    for source in found.sources:
        say(f"source {source} is another")
    if found.same:
        say("both say the same of every skim, sample and file")


def to_plain(found: Difference) -> dict[str, Any]:
    """The JSON form."""
    return {**asdict(found), "same": found.same}


def _only(here: Skim, there: Skim) -> list[str]:
    return [f"{here.name}/{name}" for name in here.samples if name not in there.samples]


def _changed(old: Skim, new: Skim) -> list[SampleDifference]:
    return [
        found
        for name in old.samples
        if name in new.samples
        and (found := _sample(old.name, old.samples[name], new.samples[name])) is not None
    ]


def _sample(skim: str, old: Sample, new: Sample) -> SampleDifference | None:
    if old == new:
        return None
    before = {f.uri: f for f in old.files}
    after = {f.uri: f for f in new.files}
    return SampleDifference(
        skim,
        old.name,
        {
            name: (_plain(getattr(old, name)), _plain(getattr(new, name)))
            for name in VALUES
            if getattr(old, name) != getattr(new, name)
        },
        tuple(uri for uri in after if uri not in before),
        tuple(uri for uri in before if uri not in after),
        tuple(uri for uri, f in before.items() if uri in after and after[uri] != f),
    )


def _plain(value: Any) -> Any:
    """Tuples of dataclasses (corrections, indexes) as plain types."""
    if not isinstance(value, tuple):
        return value
    return [x if isinstance(x, str) else asdict(x) for x in value]


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
