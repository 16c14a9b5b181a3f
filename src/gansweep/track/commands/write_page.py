"""gansweep track page: write the results of the tracks from their entries."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from gansweep.config.errors import SettingError
from gansweep.console import path, say


def parser(name: str) -> ArgumentParser:
    """Return the parser."""
    parser = ArgumentParser(
        name,
        description="Write the results of all tracks from their entries: the results part of track.md, its figures, "
        "and leaderboard.html, an interactive page in one file.",
    )
    parser.add_argument(
        "--entries", type=path, default=Path("tracks"), help="folder of the entries (default: %(default)s)"
    )
    parser.add_argument("--out", type=path, default=Path("docs"), help="folder to write to (default: %(default)s)")
    return parser


def run(options: Namespace) -> int:
    """Write the page and return the exit code."""
    from gansweep.console import make_folder
    from gansweep.track import results_page
    from gansweep.track.board import boards

    if not options.entries.is_dir():
        raise SettingError("--entries", options.entries, "no such folder; expected one with TRACK/NAME.json")
    make_folder("--out", options.out)
    for file in results_page.write(boards(options.entries), options.out):
        say(f"wrote {file}")
    return 0
