"""A report as one self-contained HTML page: styles, script and figures are embedded."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.plot_style import STYLE, styled
from gansweep.report import facts
from gansweep.report.samples import Sample
from gansweep.report.study import Study
from gansweep.report.verdict import Verdict
from gansweep.section import Block, Code, List, Paragraph, Picture, Section, Strong, Table

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "page"
DPI = 160  # of the embedded images; they are displayed at `savefig.dpi`, so that they stay sharp when zoomed
MAX_SAMPLES, OPEN_SAMPLES, MAX_NOTES, TALL = 36, 8, 8, 40


@dataclass(frozen=True)
class ResultTable:
    """A table of results of the page."""

    name: str
    verdict: Verdict
    tables: dict[str, Table]
    samples: Sequence[Sample] = field(default=())


def page(
    study: Study, tables: Sequence[ResultTable], differences: Sequence[Block], sections: Sequence[Section], folder: Path
) -> str:
    """Return the page."""
    return _environment().get_template("page.html").render(
        study=study,
        title=study.name,
        tables=tables,
        differences=differences,
        sections=[(f"section-{number}", section) for number, section in enumerate(sections, 1)],
        address=lambda path: facts.address(path, folder),
        runs=facts.runs(study, folder),
    )  # fmt: skip


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    limits = {"MAX_SAMPLES": MAX_SAMPLES, "OPEN_SAMPLES": OPEN_SAMPLES, "MAX_NOTES": MAX_NOTES, "TALL": TALL}
    environment.globals |= limits | {"facts": facts, "image": image, "png": png}
    environment.filters["sort_key"] = sort_key
    environment.tests["numeric"] = lambda table, column: any(row[column].sort is not None for row in table.entries)
    for kind in (Code, Strong, Paragraph, List, Table):
        environment.tests[kind.__name__.lower()] = partial(_is, kind)
    return environment


def _is(kind: type, value: object) -> bool:
    return isinstance(value, kind)


def sort_key(value: float | None) -> str:
    """Return the text that `page.js` sorts a numeric column by; an empty text comes last in both directions."""
    return "" if value is None or not math.isfinite(value) else f"{value:.12g}"


def image(picture: Picture) -> dict[str, Any]:
    """Draw a figure and return its source, width and height."""
    content = io.BytesIO()
    figure = picture.draw()
    with styled():
        figure.savefig(content, format="png", dpi=DPI)
    width, height = (round(inches * STYLE["savefig.dpi"]) for inches in figure.get_size_inches())
    return {"source": _data(content.getvalue()), "width": width, "height": height}


def png(path: Path) -> str:
    """Return the content of a PNG file as a URL."""
    return _data(path.read_bytes())


def _data(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
