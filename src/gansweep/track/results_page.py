"""Results of the tracks, from the entries: the second part of docs/track.md, its figures, and an interactive page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gansweep.config.errors import SettingError
from gansweep.formatting import visible
from gansweep.plot_style import is_wide, styled
from gansweep.report import html, markdown
from gansweep.report.charts import compact, with_colours
from gansweep.section import Picture, Section
from gansweep.track.board import Board, Row, method, verdict
from gansweep.track.methods import AVERAGING, DYNAMICS, OPTIMIZER, OTHER, SCHEDULE, TIME_SCALES
from gansweep.track.pictures import evaluations, metric_name
from gansweep.track.sections import sections
from gansweep.training import atomic

PAGE, INTERACTIVE, PICTURES = "track.md", "leaderboard.html", "pictures"
BEGIN, END = "<!-- results -->", "<!-- end -->"
EMPTY = f"# GAN Track\n\n{BEGIN}\n{END}\n"
IN_TEXT = ("track", "track_tunability", "track_sensitivity")  # figures of the Markdown page
DPI = 160
TAG = re.compile(r"<(?=[a-zA-Z/!?])")  # entries may contain HTML and the markers
PALETTE = 256  # colours of a figure
FOLDER = Path(__file__).parent / "page"
SCRIPTS = (*html.SCRIPTS[:-1], FOLDER / "leaderboard.js", html.SCRIPTS[-1])
KEYS = (OPTIMIZER, SCHEDULE, DYNAMICS, TIME_SCALES, AVERAGING, OTHER)


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
            image.convert("RGB").quantize(PALETTE, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
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
        data=chart_data(used),
        numbers={board.track.name: n for n, board in enumerate(used)},
        sections=[(f"section-{n}", section) for n, section in enumerate(sections, 1)],
    )  # fmt: skip


def chart_data(boards: Sequence[Board]) -> dict[str, Any]:
    """Return the data of all charts of the page, in the form of `gansweep.report.charts`: a track is a table.

    A configuration is an entry, its keys are the aspects of its method, its runs are the judging seeds. In addition to
    the fields of a report it has `entry`: score, median, interval, reached, diverged, seconds; null for infinity.
    """
    return with_colours([_table(board) for board in boards])


def _table(board: Board) -> dict[str, Any]:
    every = [evaluations(row) for row in board.rows]
    choices = [[method(row.entry).choice(key) or "none" for key in KEYS] for row in board.rows]
    keys = [
        {"key": key, "values": list(dict.fromkeys(values)), "numbers": None}
        for key, values in zip(KEYS, zip(*choices, strict=True), strict=True)
    ]
    steps = [list(found) for found in dict.fromkeys(tuple(map(int, steps)) for steps, _ in every)]
    top = float(np.nanmax([values[:, 0] for _, values in every]))
    name = metric_name(board)
    return {
        "name": board.track.name,
        "metric": f"{name} ≤ {board.track.target:g}",
        "how": "steps to",
        "lower": True,
        "repeated": ["seed"],
        "axes": {"rate": None, "method": OPTIMIZER, "rest": []},
        "fields": {
            "value": {
                "name": name,
                "untrained": None,
                "floor": None,
                "target": compact(board.track.target),
                "top": compact(top),
                "log": is_wide([board.track.target, top]),
            }
        },
        "keys": keys,
        "command": f"python -m gansweep.track try {board.track.name}",
        "steps": steps,
        "times": [[]],
        "configurations": [
            _configuration(
                board, place, [k["values"].index(c) for k, c in zip(keys, choices[place], strict=True)], steps
            )
            for place in range(len(board.rows))
        ],
    }


def _configuration(board: Board, place: int, at: Sequence[int], steps: list[list[int]]) -> dict[str, Any]:
    row = board.rows[place]
    own, values = evaluations(row)
    number = steps.index(own.tolist())
    has_value = np.isfinite(values)
    known = has_value.any(axis=0)
    reduced = [np.where(known, reduce(np.where(known, values, 0.0), axis=0), np.nan)
               for reduce in (np.nanmean, np.nanmin, np.nanmax)]  # fmt: skip
    missing = np.flatnonzero(~has_value.all(axis=0))
    ends = {int(np.flatnonzero(line)[-1]) for line in has_value if line.any() and not line[-1]}
    return {
        "name": row.entry.name,
        "at": at,
        "rank": place + 1,
        "verdict": verdict(board, row),
        "mean": None,
        "low": None,
        "high": None,
        "na": len(row.times) - row.num_reached,
        "sample": None,
        "entry": {
            "score": compact(row.score),
            "median": compact(row.median),
            "interval": [compact(end) for end in row.interval],
            "reached": row.num_reached,
            "diverged": row.num_diverged,
            "seconds": compact(row.entry.seconds),
        },
        "curves": {
            "value": {
                "steps": number,
                "times": 0,
                **{
                    name: list(map(compact, line.tolist()))
                    for name, line in zip(("mean", "low", "high"), reduced, strict=True)
                },
                "common": int(missing[0]) if len(missing) else len(own),
                "lost": sorted(ends),
            }
        },
        "runs": [
            _run(board, row, seed, number, line.tolist()) for seed, line in zip(sorted(row.times), values, strict=True)
        ],
    }


def _run(board: Board, row: Row, seed: int, number: int, values: Sequence[float]) -> dict[str, Any]:
    run = row.entry.runs[seed]
    lost = run.divergence
    return {
        "cell": board.cell(row, seed),
        "seed": str(seed),
        "state": run.state,
        "score": compact(row.times[seed]),
        "trouble": f"diverged at step {lost['step']}: {lost['cause']}" if lost else "",
        "line": " ".join(row.entry.overrides),
        "steps": number,
        "times": 0,
        "value": list(map(compact, values)),
    }
