"""Output formats of the report: Markdown, CSV, JSON, LaTeX, HTML, and figures as files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gansweep.report import columns, latex, markdown, portraits, scatter
from gansweep.report.pivot import pivot
from gansweep.report.sections import names, sections
from gansweep.report.study import Study
from gansweep.report.verdict import Verdict
from gansweep.results.leaderboard import FINAL, contests
from gansweep.results.table import table
from gansweep.section import Section
from gansweep.sweep.metric_groups import differences
from gansweep.sweep.sweep_keys import SEED


@dataclass(frozen=True)
class Wish:
    """Options of a report table.

    Args:
        select: the evaluation that runs are compared by.
        rows: keys of the rows.
        cols: key of the columns; None for the last that fits.
        group: keys to average over.
    """

    select: str = FINAL
    rows: Sequence[str] = ()
    cols: str | None = None
    group: Sequence[str] = (SEED,)


def in_markdown(study: Study, wish: Wish, folder: Path) -> str:
    """Return the report in Markdown: the sweep's result table, or the requested one, then the sections."""
    verdicts = judge(study, wish)
    if wish == Wish():
        parts = [table(study.results, study.commands).rstrip()]
    else:
        parts = [differences([v.contest.results for v in verdicts])] if len(verdicts) > 1 else []
        for name, verdict in zip(names(verdicts), verdicts, strict=True):
            parts += [f"### {name[:1].upper()}{name[1:]}"] if name else []
            parts.append(markdown.write(pivot(verdict, wish.rows, wish.cols)))
    parts += [
        f"## {section.title}\n\n{section.text.strip()}"
        for section in sections(study, verdicts)
        if not section.text_is_about_pictures
    ]
    return "\n\n".join(parts) + "\n"


def in_latex(study: Study, wish: Wish, folder: Path) -> str:
    """Return the tables in LaTeX, without sections."""
    verdicts = judge(study, wish)
    marks = ["tab:gansweep", *(f"tab:gansweep{number}" for number in range(2, len(verdicts) + 1))]
    tables = (latex.write(pivot(v, wish.rows, wish.cols), mark) for v, mark in zip(verdicts, marks, strict=True))
    lines = "".join(f"% {' '.join(line.split())}\n" for line in study.commands)
    return f"{lines}% needs \\usepackage{{booktabs}} and \\usepackage[T1]{{fontenc}}\n" + "\n".join(tables)


def in_csv(study: Study, wish: Wish, folder: Path) -> str:
    """Return one CSV row per configuration; the columns are described in `columns.COLUMNS`."""
    return columns.as_csv(judge(study, wish))


def in_json(study: Study, wish: Wish, folder: Path) -> str:
    """Return the same as JSON, with the value of every run."""
    return columns.as_json(study, judge(study, wish))


def in_html(study: Study, wish: Wish, folder: Path) -> str:
    """Return one self-contained HTML page; links to runs are relative to `folder`."""
    from gansweep.report.html.page import page

    verdicts = judge(study, wish)
    return page(study, verdicts, sections(study, verdicts), folder, wish.rows, wish.cols)


def pictures(study: Study, wish: Wish, folder: Path) -> list[Path]:
    """Write every figure as PNG and SVG, named after its section, and return the files."""
    from gansweep.plot_style import save, styled
    from gansweep.report.pictures.samples import sampled, samples_picture

    folder.mkdir(parents=True, exist_ok=True)
    written, verdicts = [], judge(study, wish)
    found = sections(study, verdicts)
    for verdict in verdicts:
        if sampled(verdict) and not (
            scatter.in_plane(verdict) or portraits.of_two_numbers(verdict)
        ):  # drawn in another section
            found.append(Section("Samples", "", {"The best first": partial(samples_picture, verdict)}))
    for section in found:
        name = re.sub(r"[^a-z0-9]+", "_", section.title.lower()).strip("_")
        for place, draw in enumerate(section.pictures.values(), 1):
            suffix = f"_{place}" if len(section.pictures) > 1 else ""
            with styled():
                written += save(draw(), folder / f"{name}{suffix}.png", svg=True)
    return written


def judge(study: Study, wish: Wish) -> list[Verdict]:
    """Return one verdict per group of comparable cells."""
    return [Verdict(contest) for contest in contests(study.results, wish.select, wish.group)]


# Arguments: the study, the table options and the folder of the file to write.
FORMATS: Mapping[str, Callable[[Study, Wish, Path], str]] = {
    "md": in_markdown,
    "csv": in_csv,
    "json": in_json,
    "latex": in_latex,
    "html": in_html,
}
