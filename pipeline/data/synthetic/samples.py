"""Which synthetic samples there are: names, DSIDs, files, and how many events each has."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.data.errors import GenerationError
from pipeline.data.identity import basename
from pipeline.data.manifest import Sample, Skim, load_manifest

RELEASE = "2025e-13tev-beta"
SKIMS = {"hyy": "GamGam", "hzz4l": "exactly4lep"}
SIMULATED: dict[str, dict[str, tuple[str, int]]] = {
    "hyy": {
        "343981": ("ggH", 20_000),
        "346214": ("VBF", 10_000),
        "345317": ("WmH", 10_000),
        "345318": ("WpH", 10_000),
        "345319": ("ZH", 10_000),
        "345061": ("ggZH", 10_000),
        "346525": ("ttH", 10_000),
    },
    "hzz4l": {
        "345060": ("ggH", 20_000),
        "346228": ("VBF", 10_000),
        "700600": ("llll", 250_000),
    },
}
"""Channel -> DSID -> (model of the process, generated events)."""
HIGGS = ("ggH", "VBF", "WmH", "WpH", "ZH", "ggZH", "ttH")
"""Processes that the injected signal strength multiplies."""


@dataclass(frozen=True)
class SyntheticSample:
    """One file to be made; names and cross-section are those of the real sample."""

    channel: str
    real: Sample
    process: str
    """Model of the process; the period for data."""
    generated: int
    """Generated events of a simulated sample; 0 for data."""
    share: float
    """Share of the luminosity that a data period has; 0 for simulation."""

    @property
    def name(self) -> str:
        return self.real.name

    @property
    def kind(self) -> str:
        return self.real.kind

    @property
    def file_name(self) -> str:
        """The file's name on the portal."""
        return basename(self.real.files[0].uri)

    @property
    def uri(self) -> str:
        """Where the file is below the folder of synthetic samples; not an address."""
        return f"synthetic/{SKIMS[self.channel]}/{self.file_name}"


def sample_names(channel: str) -> list[str]:
    """Names of the samples that can be made for a channel: data periods, then simulation."""
    return [*_data_periods(_skim(channel)), *SIMULATED[channel]]


def samples(channel: str) -> list[SyntheticSample]:
    """All samples of a channel; the shares of the data periods add up to 1."""
    return [sample_of(channel, name) for name in sample_names(channel)]


def sample_of(channel: str, name: str) -> SyntheticSample:
    """One sample by name; GenerationError if it cannot be made.

    A period's share of the luminosity is its share of the bytes of the record's files.
    """
    skim = _skim(channel)
    if name not in sample_names(channel):
        raise GenerationError(
            f"no synthetic sample {name!r} for channel {channel}; known: "
            f"{', '.join(sample_names(channel))}"
        )
    real = skim.sample(name)
    if real.kind == "data":
        total = sum(skim.sample(n).size for n in _data_periods(skim))
        return SyntheticSample(channel, real, name, 0, real.size / total)
    process, generated = SIMULATED[channel][name]
    return SyntheticSample(channel, real, process, generated, 0.0)


def _skim(channel: str) -> Skim:
    if channel not in SKIMS:
        raise GenerationError(
            f"no synthetic samples for channel {channel!r}; known: {', '.join(SKIMS)}"
        )
    return load_manifest(RELEASE).skim(SKIMS[channel])


def _data_periods(skim: Skim) -> list[str]:
    return [name for name, s in skim.samples.items() if s.kind == "data"]
