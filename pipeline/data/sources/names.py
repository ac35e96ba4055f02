"""Which sample a file belongs to: what the names on the portal say, release by release.

2016  `MC/mc_105986.ZZ.root`, `Data/DataEgamma.root`
2020  `mc_343981.ggH125_gamgam.GamGam.root`, `data_A.GamGam.root`
2025  `ODEO_FEB2025_v0_GamGam_mc_343981.<process>.GamGam.root`, `…_data15_periodD.GamGam.root`;
      the skims 2bjets70 and noskim leave out `ODEO_FEB2025_v0_<skim>_` and are in another folder
2024  `DAOD_PHYSLITE.38191546._000012.pool.root.1`: neither dataset nor run. The client knows the
      dataset of most files, the name of the index that lists a file gives the run, or the dataset
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.data.errors import ManifestError
from pipeline.data.identity import basename, portal_path
from pipeline.data.manifest import Kind
from pipeline.data.sources.client import Dataset
from pipeline.data.sources.records import Listed

_SIMULATED = re.compile(r"(?:^|_)mc_(\d{6})\.([^.]+)\.")
_PERIOD = re.compile(r"(?:^|_)([dD]ata[0-9A-Za-z_]*)\.")
_CAMPAIGN = re.compile(r"(?:data|mc)\d\d_\w+")
_ENERGY = re.compile(r"_\d+(p\d+)?TeV$")
_RUN = re.compile(r"_Run_(\d{8})_")
_PROCESS = re.compile(r"_MC_(.+)_file_index\.json$")


@dataclass(frozen=True)
class Identity:
    """The sample that a file belongs to."""

    kind: Kind
    name: str
    dsid: int | None
    process: str
    campaign: str | None


@dataclass(frozen=True)
class Datasets:
    """The client's datasets, to be asked for by path, by name and by number."""

    every: Sequence[Dataset]
    by_path: dict[str, Dataset]
    by_short: dict[str, Dataset]
    by_number: dict[str, list[Dataset]]

    @classmethod
    def of(cls, every: Iterable[Dataset]) -> Datasets:
        """Index the datasets of a release."""
        found = list(every)
        by_number: dict[str, list[Dataset]] = defaultdict(list)
        for one in found:
            by_number[one.number].append(one)
        return cls(
            found,
            {path: one for one in found for paths in one.paths.values() for path in paths},
            {one.short: one for one in found if one.short},
            dict(by_number),
        )


def identify(listed: Listed, datasets: Datasets) -> Identity:
    """The sample of a file; ManifestError if neither names nor client tell."""
    uri = listed.file.uri
    name = basename(uri)
    if match := _SIMULATED.search(name):
        return Identity("mc", match[1], int(match[1]), match[2], None)
    campaign = campaign_of(uri)
    if campaign is None:
        if match := _PERIOD.search(name):
            return Identity("data", match[1], None, match[1], None)
    elif campaign.startswith("data"):
        return run_of(listed.index or "", campaign)
    elif dataset := _dataset(listed, datasets):
        number = dataset.number
        return Identity("mc", number, int(number), dataset.short or number, campaign)
    raise ManifestError(
        f"expected a name that tells the sample of {uri}, found {name!r} in index "
        f"{listed.index!r}, which the client does not list either; teach "
        "pipeline/data/sources/names.py what the portal calls its files"
    )


def run_of(index: str, campaign: str) -> Identity:
    """The run whose files an index lists; ManifestError if its name does not say."""
    match = _RUN.search(index)
    if match is None:
        raise ManifestError(
            f"expected the name of an index such as {campaign}_Run_00266904_file_index.json, "
            f"found {index!r}"
        )
    name = f"{_ENERGY.sub('', campaign)}_run_{match[1]}"
    return Identity("data", name, None, name, campaign)


def campaign_of(uri: str) -> str | None:
    """Data-taking or simulation campaign that a file's folder names, e.g. `mc20_13TeV`."""
    folder = portal_path(uri).removesuffix(basename(uri)).removesuffix("file-indexes/")
    last = folder.rstrip("/").rsplit("/", 1)[-1]
    return last if _CAMPAIGN.fullmatch(last) else None


def _dataset(listed: Listed, datasets: Datasets) -> Dataset | None:
    known = datasets.by_path.get(portal_path(listed.file.uri))
    match = _PROCESS.search(listed.index or "")
    if known is not None or match is None:
        return known
    return datasets.by_short.get(match[1])
