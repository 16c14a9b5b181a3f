"""gansweep track list: the tracks and their records."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gansweep.console import say
from gansweep.formatting import markdown
from gansweep.terminal_layout import for_terminal


def parser(name: str) -> ArgumentParser:
    """Return the parser."""
    return ArgumentParser(
        name,
        description="List the tracks: task, target, length of a training, number of judging seeds, tuning budget, "
        "current record, and the settings that an entry may choose.",
    )


def run(_options: Namespace) -> int:
    """Print the table of the tracks, and return the exit code."""
    from gansweep.track.board import comparable, records
    from gansweep.track.track import Track, names

    rows, free = [], dict[str, list[str]]()
    for track in map(Track.load, names()):
        entries = comparable(track)
        record = next(reversed(records(track, entries)), None)
        numbers = [f"{track.target:g}", str(track.steps), str(track.num_seeds), str(track.tuning_budget)]
        holder = "none" if record is None else f"{record.name}, {record.score:g} steps"
        rows.append([track.name, track.title, *numbers, str(len(entries)), holder])
        free.setdefault(", ".join(track.free), []).append(track.name)
    head = ["track", "task", "target", "steps", "seeds", "tuning budget", "entries", "record"]
    say(for_terminal(markdown(head, rows)))
    for settings, tracks in free.items():
        say(f"\nFree in {', '.join(tracks)}: {settings}")
    return 0
