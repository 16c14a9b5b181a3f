"""A report as one self-contained HTML page: styles, scripts, data and figures are embedded.

All texts of records are data: Jinja2 escapes them in the markup, the script reads the others as JSON and writes them
as text. A content security policy allows the two embedded scripts, by their hashes, and images; nothing is requested.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.forking import Forked, can_fork, num_cores
from gansweep.plot_style import STYLE, styled
from gansweep.report import charts, facts
from gansweep.report.samples import Sample
from gansweep.report.study import Study
from gansweep.report.verdict import Verdict
from gansweep.section import Block, Code, List, Paragraph, Picture, Section, Strong, Table

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "page"
DPI = 160  # of the embedded images; they are displayed at `savefig.dpi`, so that they stay sharp when zoomed
MAX_SAMPLES, OPEN_SAMPLES, MAX_NOTES, TALL = 36, 8, 8, 40
MANY_RUNS = 1000  # figures of fewer take about as long as the start of a process
SAMPLE_BYTES = 1_200_000  # of embedded sample images for each table; base64 adds a third
LIBRARY = FOLDER / "uplot" / "uPlot.iife.min.js"
SCRIPTS = tuple(FOLDER / f"{name}.js" for name in ("elements", "tables", "marks", "plot", "page"))
STYLES = (FOLDER / "uplot" / "uPlot.min.css", FOLDER / "page.css")


@dataclass(frozen=True)
class ResultTable:
    """A table of results of the page.

    Args:
        name: its name; empty if the page has a single one.
        verdict: the verdict.
        tables: tables of its values, by name.
        samples: sample images of the section "Samples".
        all_samples: sample images that a chosen row shows.
    """

    name: str
    verdict: Verdict
    tables: dict[str, Table]
    samples: Sequence[Sample] = ()
    all_samples: Sequence[Sample] = ()


def page(
    study: Study,
    tables: Sequence[ResultTable],
    differences: Sequence[Block],
    sections: Sequence[Section],
    folder: Path,
    image_of: Callable[[Picture], dict[str, Any]],
) -> str:
    """Return the page; `image_of` is the result of `images` for the sections."""
    verdicts = {part.name: part.verdict for part in tables}
    samples = [sample for part in tables for sample in part.all_samples]
    return environment().get_template("page.html").render(
        study=study,
        data=charts.data(study, verdicts, samples, folder),
        title=study.name,
        tables=tables,
        table_numbers={name: number for number, name in enumerate(verdicts)},
        differences=differences,
        sections=[(f"section-{number}", section) for number, section in enumerate(sections, 1)],
        address=lambda path: facts.address(path, folder),
        image=image_of,
        runs=facts.runs(study, folder),
    )  # fmt: skip


@cache
def environment(scripts: Sequence[Path] = SCRIPTS, folders: Sequence[Path] = (FOLDER,)) -> Environment:
    """Return the Jinja2 environment of a page.

    Args:
        scripts: the embedded scripts, besides uPlot; they are joined to one.
        folders: folders of templates.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    limits = {"OPEN_SAMPLES": OPEN_SAMPLES, "MAX_NOTES": MAX_NOTES, "TALL": TALL}
    environment.globals |= limits | {"facts": facts, "image": image, "png": png, "embeddable": embeddable}
    own = "".join(file.read_text(encoding="utf-8") for file in scripts)
    embedded = [LIBRARY.read_text(encoding="utf-8"), f'(() => {{\n"use strict";\n{own}}})();\n']
    environment.globals |= {
        "scripts": embedded,
        "styles": [file.read_text(encoding="utf-8") for file in STYLES],
        "policy": policy(embedded),
    }
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    environment.filters["sort_key"] = sort_key
    environment.tests["numeric"] = lambda table, column: column in table.numeric_columns
    for kind in (Code, Strong, Paragraph, List, Table):
        environment.tests[kind.__name__.lower()] = partial(_is, kind)
    return environment


def policy(scripts: Sequence[str]) -> str:
    """Return the content security policy of a page with these embedded scripts."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: file: 'self'"


def _is(kind: type, value: object) -> bool:
    return isinstance(value, kind)


def sort_key(value: float | None) -> str:
    """Return the text that `page.js` sorts a numeric column by; an empty text comes last in both directions."""
    return "" if value is None or not math.isfinite(value) else f"{value:.12g}"


def image(picture: Picture) -> dict[str, Any]:
    """Draw a figure and return its source, width and height."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    content = io.BytesIO()
    figure = picture.draw()
    with styled():
        figure.set_dpi(DPI)
        FigureCanvasAgg(figure).print_png(content)  # `savefig` draws twice for the same image
    width, height = (round(inches * STYLE["savefig.dpi"]) for inches in figure.get_size_inches())
    return {"source": _data(content.getvalue()), "width": width, "height": height}


def images(sections: Sequence[Section], num_runs: int) -> Callable[[Picture], dict[str, Any]]:
    """Return `image` for the figures of sections; those of a large sweep are drawn by one fork per core from now on."""
    pictures = [block for section in sections for block in section.blocks if isinstance(block, Picture)]
    processes = min(num_cores() if can_fork() else 1, len(pictures))
    if num_runs < MANY_RUNS or processes < 2:
        return image
    from matplotlib.backends import backend_agg  # noqa: F401, imported once and not by every fork

    shares = [pictures[n::processes] for n in range(processes)]
    drawn = [cache(Forked(partial(_images, share)).result) for share in shares]
    places = {id(picture): divmod(n, processes) for n, picture in enumerate(pictures)}

    def drawn_image(picture: Picture) -> dict[str, Any]:
        place, share = places[id(picture)]
        return drawn[share]()[place]

    return drawn_image


def _images(pictures: Sequence[Picture]) -> list[dict[str, Any]]:
    return [image(picture) for picture in pictures]


def embeddable(samples: Sequence[Sample], most: int = SAMPLE_BYTES) -> list[Sample]:
    """Return the first samples, as many as `most` bytes hold, at least one and at most `MAX_SAMPLES`."""
    sizes = itertools.accumulate(sample.path.stat().st_size for sample in samples[:MAX_SAMPLES])
    return [sample for n, (sample, size) in enumerate(zip(samples, sizes, strict=False)) if size <= most or n == 0]


def png(path: Path) -> str:
    """Return the content of a PNG file as a URL."""
    return _data(path.read_bytes())


def _data(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
