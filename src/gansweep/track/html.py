"""Interactive page of the tracks: one self-contained HTML file in the frame of a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gansweep.report import html
from gansweep.section import Section
from gansweep.track import charts
from gansweep.track.board import Board

FOLDER = Path(__file__).parent / "page"
SCRIPTS = (*html.SCRIPTS[:-1], FOLDER / "leaderboard.js", html.SCRIPTS[-1])


def page(boards: Sequence[Board], sections: Sequence[Section]) -> str:
    """Return the page."""
    used = [board for board in boards if board.rows]
    return html.environment(SCRIPTS, (FOLDER, html.FOLDER)).get_template("track.html").render(
        title="GAN Track",
        data=charts.data(used),
        numbers={board.track.name: n for n, board in enumerate(used)},
        sections=[(f"section-{n}", section) for n, section in enumerate(sections, 1)],
    )  # fmt: skip
