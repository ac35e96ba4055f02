"""What a plan cannot know, or a run would not verify: a sentence for each."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.plan.inventory import Part
from pipeline.settings import Settings


def unknown(parts: Sequence[Part]) -> list[str]:
    """Sentences about what the manifest does not know of the channel's files."""
    notes = []
    for part in parts:
        missing = [f for f in part.files if f.entries is None]
        if missing:
            notes.append(
                f"{part.kind}: entries of {len(missing)} of {len(part.files)} files are in no "
                "source; they are counted by the jobs that convert them"
            )
        if part.hidden is not None:
            runs = sum(not s.resolved for s in part.samples)
            notes.append(
                f"{part.kind}: {part.hidden.files:,} files of {runs} runs are known by the indexes "
                "of their runs alone: `ladon fetch --index` resolves them before a run"
            )
        empty = [s.name for s in part.samples if not s.files and s.resolved]
        if empty:
            notes.append(f"{part.kind}: no file is listed of sample(s) {', '.join(empty[:5])}")
        if part.kind == "mc":
            bare = [s.name for s in part.samples if s.sum_of_weights is None]
            if bare:
                notes.append(
                    f"mc: no sum of weights in the manifest for sample(s) {', '.join(bare[:5])}"
                    f"{' …' if len(bare) > 5 else ''}: they cannot be normalised"
                )
    return notes


def unverified(settings: Settings, parts: Sequence[Part]) -> list[str]:
    """Sentences about files that a run would read without comparing their checksums."""
    data, notes = settings.data, []
    listed = [f for part in parts for f in part.files]
    bare = sum(not f.adler32 for f in listed)
    if bare:
        notes.append(f"the checksums of {bare:,} of {len(listed):,} files are in no source")
    if data.access == "stream":
        notes.append("data.access=stream: sizes of files are compared, their checksums are not")
    elif data.verify != "checksum":
        said = "sizes alone are compared" if data.verify == "size" else "nothing is compared"
        notes.append(f"data.verify={data.verify}: {said}, no checksum of a file is verified")
    return notes
