"""Inputs: the settings that decide a result, and the data that it is made from, labelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from pipeline.crate.software import context
from pipeline.files import to_json
from pipeline.settings import Settings, deciding

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
OPEN_DATA = "https://opendata.atlas.cern/"
SYNTHETIC = "Synthetic data, made by Ladon's generator; not ATLAS data."
SYNTHETIC_LISTED = "Synthetic data, as its manifest says; not ATLAS data."
SETTINGS_SAID = (
    "The settings that decide the result, without site, place and name of the run. The SHA-256 of "
    "these bytes is settings_sha256 of results.json, unless a path was taken out of them."
)


def settings_text(settings: Settings) -> str:
    """Canonical JSON of what decides a result; its SHA-256 is the settings' own hash."""
    return to_json(deciding(settings))


def add_source(crate: ROCrate, settings: Settings) -> ContextEntity:
    """Where the events come from: ATLAS Open Data under CC0, or the generator."""
    data = settings.data
    if data.synthetic_manifest:
        return context(
            crate,
            f"#synthetic-{data.release}",
            {
                "@type": "CreativeWork",
                "name": f"Synthetic samples with the names of release {data.release}",
                "description": SYNTHETIC_LISTED,
                "keywords": "synthetic data",
            },
        )
    if data.synthetic:
        return context(
            crate,
            f"#synthetic-{data.release}",
            {
                "@type": "CreativeWork",
                "name": f"Synthetic samples with the names of release {data.release}",
                "description": f"{SYNTHETIC} {data.luminosity:g} fb⁻¹, signal strength "
                f"{data.mu:g}, seed {data.seed}.",
                "keywords": "synthetic data",
            },
        )
    licence = context(
        crate,
        CC0,
        {
            "@type": "CreativeWork",
            "name": "Creative Commons Zero 1.0 (public domain)",
            "identifier": "https://spdx.org/licenses/CC0-1.0",
            "description": "The licence of the ATLAS Open Data.",
        },
    )
    atlas = context(
        crate, "https://atlas.cern", {"@type": "Organization", "name": "ATLAS Collaboration"}
    )
    return context(
        crate,
        f"{OPEN_DATA}#{data.release}",
        {
            "@type": "CreativeWork",
            "name": f"ATLAS Open Data, release {data.release}",
            "identifier": data.release,
            "url": {"@id": OPEN_DATA},
            "license": licence,
            "creator": atlas,
        },
    )


def describe(crate: ROCrate, run: str, points: Mapping[str, Settings], whole: bool) -> None:
    """Name, description and keywords of the crate."""
    every = list(points.values())
    titles = ", ".join(dict.fromkeys(s.channel.title for s in every))
    kinds = dict.fromkeys(s.data.labelled_synthetic for s in every)
    said = [f"One run of Ladon, {len(every)} point{'s' if len(every) > 1 else ''}: {titles}."]
    if any(s.data.synthetic for s in every):
        said.append(SYNTHETIC)
    if any(s.data.synthetic_manifest for s in every):
        said.append(SYNTHETIC_LISTED)
    if any(s.model.provider == "scripted" and s.solver.name != "reference" for s in every):
        said.append("Scripted replies: no language model.")
    if all(s.solver.name == "reference" for s in every):
        said.append("The solutions are Ladon's own: no language model.")
    if not whole:
        said.append("The tables that solutions made are not in it; record.json has their hashes.")
    said.append("Paths of the machine it ran on are replaced by words in angle brackets.")
    crate.name = f"Ladon run {run}: {titles}"
    crate.description = " ".join(said)
    crate.keywords = ["high energy physics", *(["synthetic data"] if True in kinds else [])]


def add_licence(crate: ROCrate, given: str | None) -> Any:
    """The licence of the crate: the one that was given, or a statement that none was chosen."""
    if given is None:
        return context(
            crate,
            "#licence-not-chosen",
            {
                "@type": "CreativeWork",
                "name": "No licence was chosen for this run",
                "description": "Whoever exported the run named none (--licence). Ladon's code is "
                "under the MIT licence; ATLAS Open Data are under CC0.",
            },
        )
    url = given if "://" in given else f"https://spdx.org/licenses/{given}"
    return context(crate, url, {"@type": "CreativeWork", "name": given, "url": url,
                                "description": f"The licence of this crate: {given}."})  # fmt: skip
