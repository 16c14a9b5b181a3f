"""Entries of a track on disk, and those that were its record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from gansweep.track.checks import against_task
from gansweep.track.entry import BadEntry, Entry
from gansweep.track.rule import is_record
from gansweep.track.track import Track

FOLDER = Path("tracks")  # tracks/TRACK/NAME.json


def read(track: Track, folder: Path = FOLDER) -> list[Entry]:
    """Return the entries of a track in the order of their dates, those of one day by score.

    Entries of one day would otherwise become the record or not by their names.

    Raises:
        BadEntry: a file is not a valid entry.
    """
    entries = {path: Entry.read(path) for path in sorted((folder / track.name).glob("*.json"))}
    for path, entry in entries.items():
        if entry.name != path.stem:
            raise BadEntry(path, [f"name is {entry.name}, expected that of the file, {path.stem}"])
    return in_order(entries.values())


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries in the order of their dates, those of one day by score."""
    return sorted(entries, key=lambda entry: (entry.date, entry.score, entry.name))


def difference(track: Track, entry: Entry) -> str:
    """Return why an entry is not comparable with the others of a track; "" if it is."""
    if entry.fingerprint != track.fingerprint:
        return "other version of the track"
    if set(entry.times) != set(track.judging_seeds):
        return f"{len(entry.times)} of {track.num_seeds} seeds"
    return next(against_task(entry, track), "")


def comparable(track: Track, folder: Path = FOLDER) -> list[Entry]:
    """Return the entries of the present version of a track, with all judging seeds, in the order of `read`.

    Raises:
        BadEntry: a file is not a valid entry.
    """
    return [entry for entry in read(track, folder) if not difference(track, entry)]


def records(track: Track, entries: Sequence[Entry]) -> list[Entry]:
    """Return the comparable entries that became the record, in their order; the last one holds it."""
    rule = {"seeds": track.judging_seeds, "level": track.level, "confidence": track.confidence}
    history: list[Entry] = []
    for entry in entries:
        if is_record(entry.times, history[-1].times if history else None, **rule):
            history.append(entry)
    return history
