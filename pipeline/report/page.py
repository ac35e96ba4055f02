"""The page: one self-contained HTML file, filled from a template."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.report.tables.cell import Table
from pipeline.report.view import PointView

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class PageView:
    """The whole page: the run and its points; `points_table` only if there are several."""

    run: str
    title: str
    synthetic: bool
    points: tuple[PointView, ...]
    points_table: Table | None
    summaries: tuple[str, ...]


def data_uri(content: bytes, kind: str) -> str:
    """`content` of media type `kind` as a URI that holds it whole."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def render(page: PageView) -> str:
    """The HTML text of the page; the same view gives the same text."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["href"] = _href
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    return environment.get_template("report.html.j2").render(page=page, style=style)


def _href(file: str) -> str:
    """A path relative to the page, or a place on it, as a link target."""
    return file if file.startswith("#") else quote(file)
