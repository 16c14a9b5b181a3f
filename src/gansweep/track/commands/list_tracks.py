"""gansweep track list: the tracks."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gansweep.console import say
from gansweep.formatting import markdown


def parser(name: str) -> ArgumentParser:
    """Return the parser."""
    return ArgumentParser(name, description="List the tracks: their tasks, targets and what an entry may choose.")


def run(_options: Namespace) -> int:
    """Print the table of the tracks."""
    from gansweep.track.track import Track, names

    tracks = [Track.load(name) for name in names()]
    rows = [[t.name, t.title, f"{t.target:g}", str(t.steps), str(t.num_seeds), ", ".join(t.free)] for t in tracks]
    say(markdown(["track", "task", "target", "steps", "seeds", "free"], rows))
    return 0
