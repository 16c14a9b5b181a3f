"""Figures of a report as PNG and SVG files, each with its caption as title."""

from __future__ import annotations

import textwrap
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.plot_style import save, styled
from gansweep.report.formats import TableOptions, image_samples, judge, sections
from gansweep.report.samples import samples_picture
from gansweep.report.study import Study
from gansweep.section import Picture, Section, file_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LETTERS_PER_INCH, LINE = 13, 0.17  # of a title in points as below; height of a line in inches
POINTS = 10


def write(study: Study, options: TableOptions, folder: Path) -> list[Path]:
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
