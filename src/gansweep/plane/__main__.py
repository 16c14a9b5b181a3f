"""Pictures of a sweep on points in the plane: python -m gansweep.plane outputs/mine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.console import exit_code, make_folder, path, say

if TYPE_CHECKING:
    from gansweep.plane.trained_cell import Played


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw what the arguments ask for and return the exit code."""
    options = _parser().parse_args(arguments)
    return exit_code(lambda: [say(f"wrote {picture}") for picture in _draw(options)])


def _draw(options: argparse.Namespace) -> list[Path]:
    # Here, so that --help does not wait for torch.
    from gansweep.plane.curves_picture import curves_picture
    from gansweep.plane.samples_picture import over_time, samples_pictures
    from gansweep.plane.trained_cell import read

    played, folder = read(options.sweep, options.allow), options.out or options.sweep
    make_folder("--out", folder)
    if options.over_time is not None:
        one = find(played, options.over_time)
        return over_time(one, folder / f"over_time_{one.cell.name}.png", options.svg)
    written = samples_pictures(played, folder, options.svg)
    if any(one.evaluations for one in played):
        written += curves_picture(played, folder, options.svg)
    else:
        say("nothing was measured yet: no curves")
    return written


def find(played: Sequence[Played], words: str) -> Played:
    """Find the cell whose name is, or alone holds, some words.

    Raises:
        ValueError: there is none, or more than one.
    """
    names = [one.cell.name for one in played]
    found = [one for one in played if one.cell.name == words] or [one for one in played if words in one.cell.name]
    if len(found) != 1:
        among = [one.cell.name for one in found] or names
        what = "no cell is called so" if not found else f"{len(found)} cells are called so"
        raise ValueError(f"--over-time {words}: {what}, expected one of\n  " + "\n  ".join(among))
    return found[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m gansweep.plane",
        description="Draws a sweep on points in the plane, finished or not: every cell's points over the data's and "
        "its discriminator (samples.png), and the metric over the steps (w1.png).",
        epilog="Example: python -m gansweep.plane outputs/mescheder_2d --over-time loss=r1",
    )
    parser.add_argument("sweep", type=path, help="directory of a sweep, such as outputs/mescheder_2d")
    parser.add_argument(
        "--over-time", metavar="CELL", help="draw the points of one cell at its steps instead; part of its name will do"
    )
    parser.add_argument("--out", type=path, help="directory of the pictures (default: the sweep's)")
    parser.add_argument("--svg", action="store_true", help="write SVG too")
    parser.add_argument(
        "--allow", action="append", default=[], metavar="MODULE", help="trust a module whose classes the sweep names"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
