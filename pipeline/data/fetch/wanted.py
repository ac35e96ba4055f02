"""What is wanted: the files that a channel needs, their cache, and where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from executors.base import is_remote
from pipeline.data.chosen import expanded
from pipeline.data.fetch.address import PORTAL, check_sources, scheme
from pipeline.data.fetch.cache import Cache, default_folder
from pipeline.data.fetch.transfer import Transfer
from pipeline.data.fetch.xrootd import installed
from pipeline.data.manifest import ManifestFile
from pipeline.data.manifest_choice import chosen_manifest, chosen_sha256
from pipeline.data.share import share_of
from pipeline.data_settings import DataSettings
from pipeline.files import sha256_json
from pipeline.settings import Settings


def wanted_files(settings: Settings, whole_skim: bool = False) -> list[ManifestFile]:
    """Files of the samples that the channel's processes name, or of all samples of its skim.

    Of each process those that `data.share` leaves.
    """
    skim = chosen_manifest(settings.data).skim(settings.channel.skim)
    if whole_skim:
        return skim.files
    wanted: list[ManifestFile] = []
    for process in settings.channel.processes.values():
        names = expanded(process.samples, skim.samples)
        files = [file for name in names for file in skim.sample(name).files]
        chosen = share_of([file.uri for file in files], settings.data.share)
        wanted += [file for file in files if file.uri in chosen]
    return wanted


def unknown_runs(settings: Settings, whole_skim: bool = False) -> list[str]:
    """Samples among the wanted ones whose files nobody knows before their indexes are fetched."""
    skim = chosen_manifest(settings.data).skim(settings.channel.skim)
    named = [name for p in settings.channel.processes.values() for name in p.samples]
    names = list(skim.samples) if whole_skim else expanded(named, skim.samples)
    return [name for name in names if not skim.sample(name).resolved]


def sources_of(data: DataSettings) -> tuple[str, ...]:
    """Addresses that files are copied from, in order: data.source, the location, or the portal.

    Whoever names one door of the portal gets the other one where that fails. Sources whose protocol
    cannot be spoken here are left out as long as there is another.
    """
    named = data.source
    if not named and data.location is not None and is_remote(data.location):
        named = (data.location.rstrip("/"),)
    if not named:
        named = PORTAL
    elif len(named) == 1 and named[0] in PORTAL:
        named = (*named, *(door for door in PORTAL if door not in named))
    return spoken(check_sources(named))


def spoken(sources: Sequence[str]) -> tuple[str, ...]:
    """Those of `sources` that can be read here; all of them if none can, so that it is said why."""
    able = tuple(s for s in sources if scheme(s) != "root" or installed())
    return able or tuple(sources)


def cache_of(data: DataSettings) -> Cache:
    """The cache that the settings name, and the shelf that files of this kind have in it."""
    folder = default_folder() if data.cache is None else Path(data.cache)
    limit = None if data.cache_gb is None else int(data.cache_gb * 1e9)
    facts: dict[str, object] = {}
    if data.manifest is not None:
        facts["manifest"] = chosen_sha256(data)
    if data.verify != "checksum":
        facts |= {"verify": data.verify, "sources": list(sources_of(data))}
    return Cache(folder, limit, sha256_json(facts)[:12] if facts else "")


def transfer_of(data: DataSettings, jobs: int | None = None) -> Transfer:
    """How files of these settings are brought into their cache."""
    transfer = Transfer(cache_of(data), sources_of(data), data.verify)
    if jobs is not None:
        transfer.jobs = jobs
    return transfer
