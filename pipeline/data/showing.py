"""`ladon data show`: everything that is known of a release, a skim or a sample."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from pipeline.data.identity import basename
from pipeline.data.listing import list_releases
from pipeline.data.manifest import Manifest, Sample, Skim, load_manifest
from pipeline.data.totals import count_text, of_skims, size_text

WIDTH = 200
"""Columns of the table of samples at least: names of processes are long."""
FILES_SHOWN = 20
"""Files of a sample that the terminal shows; --json has all."""


def show(console: Console, path: str, as_json: bool) -> dict[str, Any] | None:
    """Print what `RELEASE[/SKIM[/SAMPLE]]` names; the JSON form instead if asked for.

    Raises ManifestError, with the nearest names, for what there is not.
    """
    release, _, rest = path.strip("/").partition("/")
    skim_name, _, sample_name = rest.partition("/")
    manifest = load_manifest(release)
    if not skim_name:
        if as_json:
            return _release_json(manifest)
        _show_release(console, manifest)
        return None
    skim = manifest.skim(skim_name)
    if not sample_name:
        if as_json:
            return _skim_json(skim)
        _show_skim(console, manifest, skim)
        return None
    sample = skim.sample(sample_name)
    if as_json:
        return {"release": release, "skim": skim.name, "tree": skim.tree, **_sample_json(sample)}
    _show_sample(console, skim, sample)
    return None


def _show_release(console: Console, manifest: Manifest) -> None:
    list_releases(console, [manifest.release], as_json=False)
    for kind, published in manifest.published.items():
        _say(
            console,
            f"{kind}: {count_text(published.files)} files, {count_text(published.events)} events, "
            f"{size_text(published.bytes, published.rounded)} ({published.source})",
        )
    reasons = [x.reason for x in manifest.left_out]
    for reason in dict.fromkeys(reasons):
        _say(console, f"left out of the records: {reasons.count(reason)} entries, {reason}")
    for name, digest in manifest.sources.items():
        _say(console, f"source {name} sha256 {digest}")


def _release_json(manifest: Manifest) -> dict[str, Any]:
    return {
        "release": manifest.release,
        "sources": manifest.sources,
        "published": {kind: asdict(p) for kind, p in manifest.published.items()},
        "left_out": [asdict(x) for x in manifest.left_out],
        "skims": {
            name: {
                "tree": manifest.skims[name].tree,
                "samples": len(manifest.skims[name].samples),
                "files": total.files,
                "unresolved": total.unresolved,
                "bytes": total.bytes,
            }
            for name, total in of_skims(manifest).items()
        },
    }


def _show_skim(console: Console, manifest: Manifest, skim: Skim) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    right = ("files", "entries", "size", "xsec/pb", "filter", "k", "sum of weights")
    for heading in ("sample", *right, "", "process"):
        table.add_column(heading, justify="right" if heading in right else "left", no_wrap=True)
    for sample in skim.samples.values():
        table.add_row(
            sample.name,
            count_text(len(sample.files)) if sample.resolved else "?",
            count_text(sample.entries),
            size_text(sample.size) if sample.resolved else "?",
            *(_number(v) for v in _factors(sample)),
            "c" * bool(sample.corrections) + "!" * bool(sample.warnings),
            sample.process if sample.process != sample.name else "",
        )
    _say(console, f"{skim.release}/{skim.name}, tree {skim.tree}")
    Console(file=console.file, width=max(console.width, WIDTH)).print(table)
    total = of_skims(manifest)[skim.name]
    _say(
        console,
        f"{len(skim.samples)} samples, {count_text(total.files)} files, {total.size}"
        + (f", {count_text(total.unresolved)} files unresolved (?)" if total.unresolved else ""),
    )
    if any(s.corrections or s.warnings for s in skim.samples.values()):
        _say(console, f"c corrected, ! warning: ladon data show {skim.release}/{skim.name}/SAMPLE")


def _skim_json(skim: Skim) -> dict[str, Any]:
    return {
        "release": skim.release,
        "skim": skim.name,
        "tree": skim.tree,
        "samples": [
            {
                **{k: v for k, v in _sample_json(s).items() if k not in ("files", "indexes")},
                "files": len(s.files),
                "indexes": len(s.indexes),
            }
            for s in skim.samples.values()
        ],
    }


def _show_sample(console: Console, skim: Skim, sample: Sample) -> None:
    facts = {
        "sample": f"{skim.release}/{skim.name}/{sample.name}, {sample.kind}, tree {skim.tree}",
        "process": sample.process,
        "campaign": sample.campaign,
        "cross-section": _unit(sample.cross_section_pb, "pb"),
        "filter efficiency": _unit(sample.filter_efficiency),
        "k-factor": _unit(sample.k_factor),
        "effective": _unit(_effective(sample), "pb"),
        "sum of weights": _unit(sample.sum_of_weights),
        "sum of squares": _unit(sample.sum_of_weights_squared),
        "generated": None if sample.n_events is None else f"{sample.n_events:,} events",
        "facts from": sample.facts_source,
        "files": _files_text(sample),
    }
    for name, value in facts.items():
        if value is not None:
            _say(console, f"{name:18}{value}")
    for c in sample.corrections:
        _say(console, f"corrected         {c.quantity} from {c.old!r} to {c.new!r}: {c.reason}")
        _say(console, f"                  source: {c.source}")
    for text in sample.warnings:
        _say(console, f"warning           {text}")
    for file in sample.files[:FILES_SHOWN]:
        _say(
            console,
            f"  {basename(file.uri)}  {file.size} bytes  adler32 {file.adler32}  "
            f"{count_text(file.entries)} entries",
        )
    if len(sample.files) > FILES_SHOWN:
        _say(console, f"  and {len(sample.files) - FILES_SHOWN} more: --json lists all")
    for index in sample.indexes:
        _say(console, f"  index {index.uri}  {index.size} bytes  adler32 {index.adler32}")


def _files_text(sample: Sample) -> str:
    if not sample.resolved:
        return "not known before `ladon fetch --index` has fetched the index of the run"
    entries = "" if sample.entries is None else f", {sample.entries:,} entries"
    return f"{len(sample.files):,}, {size_text(sample.size)}{entries}"


def _sample_json(sample: Sample) -> dict[str, Any]:
    return {
        **asdict(sample),
        "resolved": sample.resolved,
        "entries": sample.entries,
        "size": sample.size,
        "effective_cross_section_pb": _effective(sample),
    }


def _factors(sample: Sample) -> tuple[float | None, ...]:
    return (
        sample.cross_section_pb,
        sample.filter_efficiency,
        sample.k_factor,
        sample.sum_of_weights,
    )


def _effective(sample: Sample) -> float | None:
    if None in (sample.cross_section_pb, sample.filter_efficiency, sample.k_factor):
        return None
    return sample.effective_cross_section_pb


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _unit(value: float | None, unit: str = "") -> str | None:
    return None if value is None else f"{value!r} {unit}".rstrip()


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
