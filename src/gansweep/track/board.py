"""Entries of a track on disk and their leaderboard: order, record, history of records, ties, texts of their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from gansweep import section
from gansweep.statistics.estimate import median_interval
from gansweep.sweep.cell import State
from gansweep.track.checks import against_task
from gansweep.track.entry import BadEntry, Entry
from gansweep.track.methods import Method, varied
from gansweep.track.rule import Times, counted_steps, improvement_p, is_record, score
from gansweep.track.track import Track, names

FOLDER = Path("tracks")  # tracks/TRACK/NAME.json


@dataclass(frozen=True)
class Row:
    """An entry on the leaderboard.

    Args:
        entry: the entry.
        score: see `rule.score`.
        interval: two-sided interval of the median number of steps to the target.
        p_record: p-value of the hypothesis that the record is not faster; 1 for the record itself.
        is_tied: whether the record is not faster at the track's level; True for the record itself.
    """

    entry: Entry
    score: float
    interval: tuple[float, float]
    p_record: float
    is_tied: bool

    @property
    def times(self) -> Times:
        """Steps to the target by seed."""
        return self.entry.times

    @property
    def median(self) -> float:
        """Median number of steps to the target; infinity if half of the seeds do not reach it."""
        ordered = sorted(self.times.values())
        return float(np.mean([ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]]))

    @property
    def num_reached(self) -> int:
        """Number of seeds that reach the target."""
        return sum(math.isfinite(time) for time in self.times.values())

    @property
    def num_diverged(self) -> int:
        """Number of seeds that diverge, before or after the target."""
        return sum(run.state == State.DIVERGED.value for run in self.entry.runs.values())


@dataclass(frozen=True)
class Board:
    """Leaderboard of a track.

    Args:
        track: the track.
        rows: comparable entries by score; between equal scores by the mean time, a seed that does not reach the
            target counting as twice the length of a training.
        history: the entries that were the record, in order of their dates; the last one is. Entries of one day follow
            by score, so that their order does not depend on their names.
        others: entries that are not comparable, each with the reason.
    """

    track: Track
    rows: Sequence[Row]
    history: Sequence[Entry]
    others: Sequence[tuple[Entry, str]] = field(default=())

    @classmethod
    def of(cls, track: Track, entries: Sequence[Entry]) -> Board:
        """Return the leaderboard of entries, in any order."""
        reasons = [(entry, difference(track, entry)) for entry in in_order(entries)]
        comparable = [entry for entry, reason in reasons if not reason]
        history = records(track, comparable)
        record = history[-1].times if history else None
        rows = [_row(track, entry, record, bool(history) and entry is history[-1]) for entry in comparable]
        rows.sort(key=lambda row: (row.score, np.mean(counted_steps(row.times.values(), track.steps)), row.entry.name))
        return cls(track, rows, history, [(entry, reason) for entry, reason in reasons if reason])

    @property
    def record(self) -> Row | None:
        """The row of the record; None if no entry reaches the target often enough."""
        return next((row for row in self.rows if self.history and row.entry is self.history[-1]), None)

    def cell(self, row: Row, seed: int | None = None) -> str:
        """Return the name of the run of an entry with a seed, by default the first, in the data of the page."""
        return f"{self.track.name}/{row.entry.name}/{min(row.times) if seed is None else seed}"

    @cached_property
    def by_method(self) -> dict[Method, Row]:
        """The best row of every method, best first."""
        found: dict[Method, Row] = {}
        for row in self.rows:
            found.setdefault(method(row.entry), row)
        return found


def method(entry: Entry) -> Method:
    """Return the method of an entry; keys whose values differ among its tuning runs are tuned."""
    return Method.of(entry.overrides, varied_keys(entry))


def varied_keys(entry: Entry) -> set[str]:
    """Return the keys of the settings that the tuning of an entry has varied."""
    return varied([run.overrides for run in entry.tuning.runs]) if entry.tuning else set()


def boards(folder: Path = FOLDER) -> list[Board]:
    """Return the leaderboards of all tracks, from the files folder/TRACK/*.json.

    Raises:
        BadEntry: a file is not a valid entry.
    """
    return [Board.of(track, read(track, folder)) for track in map(Track.load, names())]


def _row(track: Track, entry: Entry, record: Times | None, holds_it: bool) -> Row:
    times = list(entry.times.values())
    p = 1.0 if record is None or holds_it else improvement_p(record, entry.times)
    is_tied = record is not None and p > track.level
    low, high = median_interval(times, track.confidence)
    return Row(entry, score(times, track.confidence), (max(low, 0.0), high), p, is_tied)


def verdict(board: Board, row: Row) -> str:
    """Return how an entry compares with the record."""
    if board.record is None:
        return "no record yet"
    if row is board.record:
        return "record"
    return f"{'tied with' if row.is_tied else 'behind'} the record ({p_text(row.p_record)})"


def steps(value: float) -> str:
    """Return a number of steps or seconds as text; infinity as N/A.

    >>> steps(275.0), steps(41.25), steps(math.inf)
    ('275', '41.2', 'N/A')
    """
    if not math.isfinite(value):
        return "N/A"
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def p_text(p: float) -> str:
    """Return a p-value as text.

    >>> p_text(0.0312), p_text(1e-5)
    ('p = 0.031', 'p < 0.001')
    """
    return f"p {p_value(p)}" if p < 0.001 else f"p = {p_value(p)}"


def p_value(p: float) -> str:
    """Return the number of a p-value as text.

    >>> p_value(0.0312), p_value(1e-5)
    ('0.031', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def number_entry(value: float) -> section.Entry:
    """Return a number of steps or seconds as an entry of a table."""
    return section.Entry(steps(value), value if math.isfinite(value) else None)


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


def comparable(track: Track) -> list[Entry]:
    """Return the entries of the present version of a track, with all judging seeds, in the order of `read`.

    Raises:
        BadEntry: a file is not a valid entry.
    """
    return [entry for entry in read(track) if not difference(track, entry)]


def records(track: Track, entries: Sequence[Entry]) -> list[Entry]:
    """Return the comparable entries that became the record, in their order; the last one holds it."""
    rule = {"seeds": track.judging_seeds, "level": track.level, "confidence": track.confidence}
    history: list[Entry] = []
    for entry in entries:
        if is_record(entry.times, history[-1].times if history else None, **rule):
            history.append(entry)
    return history
