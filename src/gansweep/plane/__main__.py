"""Figures of a sweep on 2D data: python -m gansweep.plane outputs/mine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.console import allowed_modules, command_name, exit_code, make_folder, path, say

if TYPE_CHECKING:
    from gansweep.plane.trained_cell import TrainedCell


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the requested figures and return the exit code."""
    options = _parser().parse_args(arguments)
    return exit_code(lambda: [say(f"wrote {picture}") for picture in _draw(options)])


def _draw(options: argparse.Namespace) -> list[Path]:
    # Imported here so that --help does not import torch.
    from gansweep.plane.pictures import curves_picture, over_time, samples_pictures
    from gansweep.plane.trained_cell import read

    if unknown := [word for word in options.words if not word.startswith("allow=")]:
        raise ValueError(f"{unknown[0]}: expected no further words, except allow=[MODULE]")
    cells = read(options.sweep, [*options.allow, *allowed_modules(options.words)])
    folder = options.out or options.sweep
    make_folder("--out", folder)
    if options.over_time is not None:
        trained = find(cells, options.over_time)
        return over_time(trained, folder / f"over_time_{trained.cell.name}.png", options.svg)
    written = samples_pictures(cells, folder, options.svg)
    if any(trained.evaluations for trained in cells):
        written += curves_picture(cells, folder, options.svg)
    else:
        say("no evaluations yet: no learning curves drawn")
    return written


def find(cells: Sequence[TrainedCell], words: str) -> TrainedCell:
    """Return the cell whose name equals `words`, or the only cell whose name contains them.

    Raises:
        ValueError: no cell matches, or more than one.
    """
    names = [trained.cell.name for trained in cells]
    found = [trained for trained in cells if trained.cell.name == words] or [
        trained for trained in cells if words in trained.cell.name
    ]
    if len(found) != 1:
        among = [trained.cell.name for trained in found] or names
        what = "no cell matches" if not found else f"{len(found)} cells match"
        raise ValueError(f"--over-time {words}: {what}, expected one of\n  " + "\n  ".join(among))
    return found[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        command_name("plane"),
        description="Draw a finished or unfinished sweep on 2D data: generated points of every cell over the data and "
        "the discriminator (samples.png), and the metric over steps (w1.png).",
        epilog="Example: %(prog)s outputs/mescheder_2d --over-time loss=r1",
    )
    parser.add_argument("sweep", type=path, help="directory of a sweep, for example outputs/mescheder_2d")
    parser.add_argument("words", nargs="*", metavar="allow=[MODULE]", help="the same as --allow MODULE")
    parser.add_argument(
        "--over-time",
        metavar="CELL",
        help="draw the points of one cell over its steps instead; a part of its name is enough",
    )
    parser.add_argument("--out", type=path, help="folder of the figures (default: the sweep directory)")
    parser.add_argument("--svg", action="store_true", help="also write SVG")
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="MODULE",
        help="allow classes from this module in the configs of the sweep",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
