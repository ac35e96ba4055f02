"""What the page is filled with: headline numbers, sections of figures and tables, statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.report.content import Content
from pipeline.report.dialogues import StageDialogue, stage_dialogues
from pipeline.report.export import FigureFiles
from pipeline.report.folder import PointFolder
from pipeline.report.gallery import Plate
from pipeline.report.headline import Headline, headlines
from pipeline.report.model import NOTHING_MEASURED, solvers
from pipeline.report.tables.agents import agents_table
from pipeline.report.tables.analysis import (
    categories_table,
    cut_flow_table,
    official_table,
    samples_table,
    yields_table,
)
from pipeline.report.tables.cell import Table
from pipeline.report.tables.determinism import determinism_line
from pipeline.report.tables.fit import functions_table, measurement_table
from pipeline.report.tables.run import anchor, checks_table, provenance_table, stages_table
from pipeline.report.tables.servers import servers_tables

COMPARISON = frozenset({"cutflow", "roc", "scores", "boundaries", "likelihood"})
"""Figures that stand two in a row."""


@dataclass(frozen=True)
class FigureView:
    """A figure with its files; `image` is what the page embeds, as a data URI, or empty."""

    plate: Plate
    files: FigureFiles
    image: str
    wide: bool


@dataclass(frozen=True)
class Section:
    """A part of a point's report.

    `beside` stands after the figure of that name; `folded` tables open at a click.
    """

    id: str
    title: str
    figures: tuple[FigureView, ...] = ()
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()
    beside: Mapping[str, Table] = field(default_factory=dict)
    dialogues: tuple[StageDialogue, ...] = ()


@dataclass(frozen=True)
class PointView:
    """One point of the page."""

    id: str
    folder: PointFolder
    badges: tuple[tuple[str, str], ...]
    statements: tuple[str, ...]
    headlines: tuple[Headline, ...]
    facts: tuple[tuple[str, str, str], ...]
    sections: tuple[Section, ...]


def point_view(
    point: PointFolder,
    content: Content,
    figures: Mapping[str, FigureView],
    exported: str,
    whole: bool = True,
) -> PointView:
    """Everything the page shows of a point; `exported` is the folder of the figures' numbers.

    Dialogues are shown if the report is `whole`: one of many points would be too large.
    """
    who = solvers(point)
    scripted = (NOTHING_MEASURED,) if who is not None and who.scripted else ()
    return PointView(
        id=anchor(point),
        folder=point,
        badges=_badges(point, content),
        statements=(_blinding(point, content), *scripted, *point.results.get("notes", ())),
        headlines=headlines(point),
        facts=_facts(point),
        sections=_sections(point, content, figures, exported, whole),
    )


def _badges(point: PointFolder, content: Content) -> tuple[tuple[str, str], ...]:
    """(text, kind) of the labels beside the title."""
    found = []
    if point.settings.data.labelled_synthetic:
        found.append(("Synthetic data", "synthetic"))
    who = solvers(point)
    if who is not None and who.scripted:
        found.append(("Scripted replies", "warning"))
    if point.partial:
        found.append(("Partial data", "warning"))
    state = "Blinded"
    if point.settings.unblind or content.data is None or not content.data.blinded:
        state = "Not blinded"
    elif content.data.hidden is None:
        state = "Unblinded"
    found.append((state, "plain"))
    return tuple(found)


def _blinding(point: PointFolder, content: Content) -> str:
    low, high = point.settings.channel.blind
    what = f"selected data between {low:g} and {high:g} GeV"
    if point.settings.unblind:
        return f"Not blinded (unblind=true): solvers could see the {what} before the measurement."
    if content.data is None:
        return "No data were selected, so that there is nothing to blind."
    if content.data.hidden is not None:
        return f"Blinded: the {what} have not been looked at, and no figure shows them."
    if content.data.blinded:
        return (
            f"Unblinded by the measurement: the {what} were in no file that a solver could read; "
            "frozen solutions were run on them once, for this report."
        )
    return "Not blinded: no selected data were kept from solvers in this channel."


def _facts(point: PointFolder) -> tuple[tuple[str, str, str], ...]:
    """(what, value, file) of the configuration."""
    settings = point.settings
    kind = (
        "synthetic samples with its names"
        if settings.data.labelled_synthetic
        else "ATLAS Open Data"
    )
    luminosity = f"{settings.data.luminosity:g} fb⁻¹"
    who = solvers(point)
    return tuple(
        (name, value, point.settings_file)
        for name, value in (
            ("channel", f"{settings.channel.name} ({settings.channel.title})"),
            ("release", f"{settings.data.release}, {kind}"),
            ("luminosity", f"part of {luminosity}" if point.partial else luminosity),
            ("stages", ", ".join(settings.stages) + f" ({settings.chain})"),
            ("solver", settings.solver.name),
            ("model", who.text if who is not None else "none: our own solutions"),
            ("seed, trial", f"{settings.seed}, {settings.trial}"),
            ("files verified by", settings.data.verify),
        )
    )


def _sections(
    point: PointFolder,
    content: Content,
    figures: Mapping[str, FigureView],
    exported: str,
    whole: bool,
) -> tuple[Section, ...]:
    def shown(*names: str) -> tuple[FigureView, ...]:
        return tuple(figures[name] for name in names if name in figures)

    yields = content.yields
    flow = cut_flow_table(content.cut_flow) if content.cut_flow else None
    sections = [
        Section(
            "mass", "Mass spectrum",
            shown("stack", "spectrum", "spectrum_weighted", "spectrum_categories"),
            (yields_table(point, yields, f"{exported}/yields.csv"),) if yields else (),
        ),
        Section(
            "fit", "Fit", shown("likelihood", "nuisances", "correlation"), (),
            _present(functions_table(content.measurement) if content.measurement else None),
            _named("likelihood", measurement_table(point)),
        ),
        Section(
            "categories", "Classifier and categories", shown("roc", "scores", "boundaries"),
            beside=_named("boundaries", categories_table(point)),
        ),
        Section(
            "selection", "Selection", shown("cutflow"),
            (*_present(official_table(point)), *_present(flow)), (samples_table(point),),
        ),
        Section(
            "stages", "Stages and verdicts", (), (stages_table(point),),
            _present(checks_table(point)),
        ),
        _agents(point, whole),
        Section("provenance", "Provenance", (), (provenance_table(point),)),
    ]  # fmt: skip
    return tuple(s for s in sections if s.figures or s.tables or s.folded)


def _agents(point: PointFolder, whole: bool) -> Section:
    """What the agents did, and their dialogues; empty if they were not asked."""
    who = solvers(point)
    if who is None:
        return Section("agents", "Agents")
    dialogues = stage_dialogues(point) if whole else ()
    tables = (agents_table(point, who, determinism_line(point)), *servers_tables(point))
    return Section("agents", "Agents", (), tables, dialogues=dialogues)


def _named(figure: str, table: Table | None) -> dict[str, Table]:
    return {figure: table} if table is not None else {}


def _present(table: Table | None) -> tuple[Table, ...]:
    return (table,) if table is not None else ()
