"""Entries of a track on disk, and those that were its record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gansweep.track.entry import Entry
from gansweep.track.rule import is_record
from gansweep.track.track import Track

FOLDER = Path("tracks")  # tracks/TRACK/NAME.json


def comparable(track: Track, folder: Path = FOLDER) -> list[Entry]:
    """Return the entries of the present version of a track, with all judging seeds, in the order of their dates.

    Raises:
        BadEntry: a file is not a valid entry.
    """
    entries = [Entry.read(path) for path in sorted((folder / track.name).glob("*.json"))]
    entries = [entry for entry in entries if entry.fingerprint == track.fingerprint]
    entries = [entry for entry in entries if set(entry.times) == set(track.judging_seeds)]
    return sorted(entries, key=lambda entry: (entry.date, entry.name))


def records(track: Track, entries: Sequence[Entry]) -> list[Entry]:
    """Return the comparable entries that became the record, in the order of their dates; the last one holds it."""
    rule = {"seeds": track.judging_seeds, "level": track.level, "confidence": track.confidence}
    history: list[Entry] = []
    for entry in entries:
        if is_record(entry.times, history[-1].times if history else None, **rule):
            history.append(entry)
    return history
