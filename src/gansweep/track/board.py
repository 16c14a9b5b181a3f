"""Leaderboard of a track from the files of its entries: order, record, history of records, ties."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from gansweep.statistics.median_interval import median_interval
from gansweep.sweep.cell import State
from gansweep.track.entry import Entry
from gansweep.track.history import FOLDER, difference, in_order, read, records
from gansweep.track.methods import Method, varied
from gansweep.track.rule import Times, improvement_p, score
from gansweep.track.track import Track, names


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
        rows.sort(key=lambda row: (row.score, _mean(track, row.times), row.entry.name))
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


def _mean(track: Track, times: Times) -> float:
    return float(np.mean([min(time, 2 * track.steps) for time in times.values()]))
