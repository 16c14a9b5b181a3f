"""Results of the tracks, from the entries: the second part of docs/track.md, its figures, and an interactive page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from gansweep.config.errors import SettingError
from gansweep.formatting import visible
from gansweep.plot_style import styled
from gansweep.report import html, markdown
from gansweep.section import Picture, Section
from gansweep.track import charts
from gansweep.track.board import Board
from gansweep.track.sections import sections
from gansweep.training import atomic

PAGE, INTERACTIVE, PICTURES = "track.md", "leaderboard.html", "pictures"
BEGIN, END = "<!-- results -->", "<!-- end -->"
EMPTY = f"# GAN Track\n\n{BEGIN}\n{END}\n"
IN_TEXT = ("track", "track_tunability", "track_sensitivity")  # figures of the Markdown page
DPI = 160
TAG = re.compile(r"<(?=[a-zA-Z/!?])")  # entries may contain HTML and the markers
COLOURS = 256  # of the palette of a figure
FOLDER = Path(__file__).parent / "page"
SCRIPTS = (*html.SCRIPTS[:-1], FOLDER / "leaderboard.js", html.SCRIPTS[-1])


def write(boards: Sequence[Board], folder: Path) -> list[Path]:
    """Write the page, its figures and the interactive page to a folder, and return the files.

    Raises:
        SettingError: the folder has a page without the markers of the results.
    """
    found = sections(boards)
    text = with_results(_text(folder / PAGE), results(found))
    files = [folder / PAGE, folder / INTERACTIVE]
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    for picture in _pictures(found):
        with styled():
            figure = picture.draw()
            figure.set_dpi(DPI)
            figure.savefig(path := folder / PICTURES / f"{picture.file_name}.png", dpi=DPI)
        with Image.open(path) as image:  # a palette halves the size of the file
            image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
        files.append(path)
    atomic.write(files[0], text)
    atomic.write(files[1], visible(page(boards, found)))
    return files


def results(found: Sequence[Section]) -> str:
    """Return the sections in Markdown."""
    return "\n\n".join(f"## {section.heading}\n\n{_blocks(section)}" for section in found)


def with_results(text: str, results: str) -> str:
    """Return a page in which the part between the markers is replaced.

    Raises:
        SettingError: the text does not have both markers once.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise SettingError(PAGE, None, f"the results belong between the lines {BEGIN} and {END}; one is missing")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    return f"{before}{BEGIN}\n\n{results}\n\n{END}{after}"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else EMPTY


def _pictures(found: Sequence[Section]) -> list[Picture]:
    pictures = [block for section in found for block in section.blocks if isinstance(block, Picture)]
    return [picture for picture in pictures if picture.file_name in IN_TEXT]


def _blocks(section: Section) -> str:
    parts = []
    for block in section.blocks:
        if not isinstance(block, Picture):
            parts.append(TAG.sub("&lt;", markdown.write([block])))
        elif block.file_name in IN_TEXT:
            parts.append(f"![{block.caption}]({PICTURES}/{block.file_name}.png)")
    return "\n\n".join(parts)


def page(boards: Sequence[Board], sections: Sequence[Section]) -> str:
    """Return the page."""
    used = [board for board in boards if board.rows]
    return html.environment(SCRIPTS, (FOLDER, html.FOLDER)).get_template("track.html").render(
        title="GAN Track",
        data=charts.data(used),
        numbers={board.track.name: n for n, board in enumerate(used)},
        sections=[(f"section-{n}", section) for n, section in enumerate(sections, 1)],
    )  # fmt: skip
