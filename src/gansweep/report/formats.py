"""Output formats of the report: Markdown, CSV, JSON, LaTeX and HTML, and its figures as PNG and SVG files."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep import papers
from gansweep.plot_style import save, styled
from gansweep.report import (
    columns,
    diverged,
    further,
    latex,
    markdown,
    noise,
    per_class,
    portraits,
    response,
    samples,
    sensitivity,
    targets,
    tasks,
    tuning,
    value_figures,
    verdict_text,
)
from gansweep.report.pivot import pivot, ranks
from gansweep.report.samples import Sample, sampled, samples_picture
from gansweep.report.study import Study
from gansweep.report.verdict import Margin, Verdict
from gansweep.results.configuration import FINAL
from gansweep.results.leaderboard import leaderboards
from gansweep.results.table import table
from gansweep.section import List, Paragraph, Picture, Section, file_name
from gansweep.sweep.cell import Result
from gansweep.sweep.metric_groups import DIFFERENT, differences, fingerprint_differences
from gansweep.sweep.sweep_keys import SEEDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SECTIONS: Sequence[Callable[[Verdict], Section | None]] = (
    value_figures.section,
    portraits.section,
    samples.section,
    noise.section,
    sensitivity.section,
    sensitivity.estimated_section,
    response.section,
    tuning.section,
    targets.section,
    further.section,
    per_class.section,
    diverged.section,
)
LETTERS_PER_INCH, LINE = 13, 0.17  # of a title in points as below; height of a line in inches
POINTS = 10


@dataclass(frozen=True)
class TableOptions:
    """Options of a report table.

    Args:
        select: the evaluation that runs are compared by.
        rows: keys of the rows.
        cols: key of the columns; None for the last that fits.
        group: keys to average over.
        margin: see `Margin`; None for no test of equivalence.
        tasks: keys that define a task of the section "Over tasks"; empty for the default.
        top: number of listed ranks; None for the default.
    """

    select: str = FINAL
    rows: Sequence[str] = ()
    cols: str | None = None
    group: Sequence[str] = SEEDS
    margin: Margin | None = None
    tasks: Sequence[str] = ()
    top: int | None = None

    @property
    def is_default_table(self) -> bool:
        """Whether the table is the one that the sweep wrote."""
        return replace(self, margin=None, tasks=(), top=None) == TableOptions()


def in_markdown(study: Study, options: TableOptions, folder: Path) -> str:
    """Return the report in Markdown: the sweep's result table, or the requested one, then the sections."""
    verdicts = judge(study, options)
    if options.is_default_table:
        boards = [verdict.leaderboard for verdict in verdicts]
        parts = [table(study.results, study.commands, " ".join(study.notes), study.code, boards).rstrip()]
    else:
        parts = [differences(_groups(verdicts))] if len(verdicts) > 1 else []
        for name, verdict in zip(names(verdicts), verdicts, strict=True):
            parts += [f"### {name[:1].upper()}{name[1:]}"] if name else []
            parts.append(markdown.write([pivot(verdict, options.rows, options.cols)]))
        parts += study.notes
    for section in sections(study, verdicts, options):
        if not section.needs_pictures:
            parts.append(f"## {section.heading}\n\n{markdown.write(section.blocks)}")
    return "\n\n".join(parts) + "\n"


def in_latex(study: Study, options: TableOptions, folder: Path) -> str:
    """Return the tables in LaTeX, without sections."""
    verdicts = judge(study, options)
    name = file_name(study.name).replace("_", "-") or "gansweep"
    labels = [f"tab:{name}", *(f"tab:{name}-{number}" for number in range(2, len(verdicts) + 1))]
    tables = (
        latex.write(latex.for_paper(pivot(verdict, options.rows, options.cols), verdict.leaderboard), label)
        for verdict, label in zip(verdicts, labels, strict=True)
    )
    lines = "".join(f"% {' '.join(line.split())}\n" for line in study.commands)
    return f"{lines}% needs \\usepackage{{booktabs}} and \\usepackage[T1]{{fontenc}}\n" + "\n".join(tables)


def in_csv(study: Study, options: TableOptions, folder: Path) -> str:
    """Return one CSV row per configuration; the columns are described in `columns.COLUMNS`."""
    return columns.as_csv(judge(study, options))


def in_json(study: Study, options: TableOptions, folder: Path) -> str:
    """Return the same as JSON, with the value of every run."""
    return columns.as_json(study, judge(study, options))


def in_html(study: Study, options: TableOptions, folder: Path) -> str:
    """Return one self-contained HTML page; links to runs are relative to `folder`."""
    from gansweep.report.html import ResultTable, images, page

    verdicts, tables = judge(study, options), []
    pivots = [pivot(verdict, options.rows, options.cols) for verdict in verdicts]
    found = sections(study, verdicts, options, with_ranks=False)
    image_of = images(found, len(study.results))  # the figures may be drawn while the page is made
    for number, (name, verdict, grid) in enumerate(zip(names(verdicts), verdicts, pivots, strict=True), 1):
        which = f"table {number}" if name else "the table"
        grids = {f"{which} of {verdict.leaderboard.metric_label}": grid}
        if len(verdict.order) > 1:
            grids[f"ranks of {which}"] = ranks(verdict, options.top)
        tables.append(ResultTable(name, verdict, grids, image_samples(verdict), sampled(verdict)))
    several = len(verdicts) > 1
    different = [Paragraph(DIFFERENT), List(fingerprint_differences(_groups(verdicts)))] if several else []
    return page(study, tables, different, found, folder, image_of)


def sections(
    study: Study, verdicts: Sequence[Verdict], options: TableOptions | None = None, with_ranks: bool = True
) -> list[Section]:
    """Return all sections below the tables; comparisons with published results come last."""
    found = []
    options = options or TableOptions()
    for name, verdict in zip(names(verdicts), verdicts, strict=True):
        parts = [verdict_text.section(verdict, with_ranks, options.top), *(part(verdict) for part in SECTIONS)]
        found += [replace(section, table=name) for section in parts if section is not None]
    together = tasks.section(verdicts, options.tasks)
    found += [together] if together else []
    if not any(papers.is_of_a_paper(result.cell) for result in study.results):
        return found  # the records need not be read a second time
    return found + [section for directory in study.directories for section in papers.sections(directory)]


def image_samples(verdict: Verdict) -> list[Sample]:
    """Return the sample images to show; empty if another section draws the samples as points."""
    return [] if samples.in_plane(verdict) or portraits.of_two_numbers(verdict) else sampled(verdict)


def names(verdicts: Sequence[Verdict]) -> list[str]:
    """Return a name per table, for example `table 2: w1, data=ring`; a single table has an empty name."""
    if len(verdicts) == 1:
        return [""]
    parts = [(verdict.leaderboard.metric_label, verdict.leaderboard.label) for verdict in verdicts]
    return [f"table {number}: {', '.join(filter(None, pair))}" for number, pair in enumerate(parts, 1)]


def judge(study: Study, options: TableOptions) -> list[Verdict]:
    """Return one verdict per group of comparable cells."""
    return [
        Verdict(leaderboard, options.margin)
        for leaderboard in leaderboards(study.results, options.select, options.group, study.code)
    ]


def _groups(verdicts: Sequence[Verdict]) -> list[list[Result]]:
    return [verdict.leaderboard.results for verdict in verdicts]


# Arguments: the study, the table options and the folder of the file to write.
FORMATS: Mapping[str, Callable[[Study, TableOptions, Path], str]] = {
    "md": in_markdown,
    "csv": in_csv,
    "json": in_json,
    "latex": in_latex,
    "html": in_html,
}


def write_pictures(study: Study, options: TableOptions, folder: Path) -> list[Path]:
    """Write every figure to the folder and return the files, named after what is drawn: `rates_by_optimizer.png`.

    With several tables, the name of the table is appended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    verdicts = judge(study, options)
    found = sections(study, verdicts, options)
    for verdict in verdicts:
        if image_samples(verdict):
            picture = Picture("Samples, best configuration first", partial(samples_picture, verdict), name="samples")
            found.append(Section("Samples", [picture]))
    files: dict[str, list[Path]] = {}
    for section in found:
        for picture in (block for block in section.blocks if isinstance(block, Picture)):
            name = "_".join(filter(None, (picture.file_name, file_name(section.table))))
            while name in files:
                name += "_2"
            with styled():
                files[name] = save(titled(picture.draw(), picture.caption), folder / f"{name}.png", svg=True)
    return [path for paths in files.values() for path in paths]


def titled(figure: Figure, caption: str) -> Figure:
    """Add the caption of a figure as its title; the figure grows by the lines of the title.

    A figure that has a title keeps it.
    """
    if figure.get_suptitle():
        return figure
    lines = textwrap.wrap(caption, max(20, int(figure.get_figwidth() * LETTERS_PER_INCH)))
    figure.set_figheight(figure.get_figheight() + LINE * len(lines))
    figure.suptitle("\n".join(lines), fontsize=POINTS)
    return figure
