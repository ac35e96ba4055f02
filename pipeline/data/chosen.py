"""Which samples a process of a channel names: one by one, or all data of a skim at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.data.manifest import Sample

ALL_DATA = "data:*"
"""In a channel's list of samples: every data sample of the manifest's skim."""


def expanded(names: Sequence[str], listed: Mapping[str, Sample]) -> list[str]:
    """Names of samples with `data:*` replaced by all data samples of `listed`, by name; each once.

    The one place that reads the pattern: filesets and plans ask it. `listed` holds the samples of
    the channel's skim by name. A name that is none of them comes back as it is.
    """
    data = sorted(name for name, sample in listed.items() if sample.kind == "data")
    found = (n for name in names for n in (data if name == ALL_DATA else [name]))
    return list(dict.fromkeys(found))
