"""What one choice adds beside tuning: paired comparison of entries that differ in that choice only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gansweep.section import Block, Entry, Paragraph, Section, Strong, Table
from gansweep.statistics.holm import holm
from gansweep.track.board import Board, Row, number_entry, p_value
from gansweep.track.methods import AVERAGING, DYNAMICS, SCHEDULE, TIME_SCALES, Method, pairs
from gansweep.track.rule import Times, improvement_p

ADDED = (SCHEDULE, TIME_SCALES, AVERAGING, DYNAMICS)


@dataclass(frozen=True)
class Addition:
    """Comparison of an entry with the one that has the default choice; both were tuned.

    Args:
        method: the method with the choice.
        choice: the choice.
        row: entry with the choice.
        plain: entry with the default.
        p: two-sided p-value of the signed-rank test over the seeds.
        adjusted: p after Holm's correction over all additions of the list.
    """

    method: Method
    choice: str
    row: Row
    plain: Row
    p: float
    adjusted: float = 1.0

    @property
    def num_earlier(self) -> int:
        """Number of seeds that reach the target earlier with the choice."""
        return sum(self.row.times[seed] < time for seed, time in self.plain.times.items())

    @property
    def num_later(self) -> int:
        """Number of seeds that reach the target later with the choice, or not any more."""
        return sum(self.row.times[seed] > time for seed, time in self.plain.times.items())


def two_sided(first: Times, second: Times) -> float:
    """Return the two-sided p-value of the signed-rank test of `rule.improvement_p`."""
    return min(1.0, 2 * min(improvement_p(first, second), improvement_p(second, first)))


def additions(board: Board, aspect: str) -> list[Addition]:
    """Return the comparisons for every choice of an aspect, such as every schedule with every optimizer."""
    rows = board.by_method
    found = [
        Addition(
            method, method.choice(aspect), rows[method], rows[plain], two_sided(rows[method].times, rows[plain].times)
        )
        for method, plain in pairs(list(rows), aspect)
    ]
    adjusted = holm([one.p for one in found])
    return [replace(one, adjusted=float(p)) for one, p in zip(found, adjusted, strict=True)]


def balance(compared: Sequence[tuple[Board, Addition]]) -> Mapping[tuple[str, int], float]:
    """Return for every track and seed the mean of sign(time with a choice - time without) over the additions.

    It is -1 if the seed reaches the target earlier with every choice. Additions share entries, so their times depend on
    each other; the seeds do not, and a test takes each seed as one observation.
    """
    signs: dict[tuple[str, int], list[float]] = {}
    for board, one in compared:
        for seed, time in one.plain.times.items():
            sign = (one.row.times[seed] > time) - (one.row.times[seed] < time)
            signs.setdefault((board.track.name, seed), []).append(float(sign))
    return {key: float(np.mean(values)) for key, values in signs.items()}


def section(boards: Sequence[Board]) -> Section | None:
    """Return the section; None without a pair of entries."""
    blocks: list[Block] = [
        Paragraph(
            "Every pair of entries that differ in one choice only; both were tuned with the same protocol. Earlier: "
            "number of seeds that reach the target earlier with the choice; p: two-sided signed-rank test over the "
            "seeds, corrected by Holm's method over the pairs of the track."
        )
    ]
    for aspect in ADDED:
        rows = [
            [
                board.track.name,
                one.choice,
                Entry(one.row.entry.name, cell=board.cell(one.row)),
                Entry(one.plain.entry.name, cell=board.cell(one.plain)),
                number_entry(one.row.score),
                number_entry(one.plain.score),
                str(one.num_earlier),
                str(one.num_later),
                Entry(p_value(one.adjusted), one.adjusted),
            ]
            for board in boards
            for one in additions(board, aspect)
        ]
        if rows:
            head = ["track", aspect, "with", "without", "score", "score without", "earlier", "later", "p"]
            verb = "add" if aspect == TIME_SCALES else "adds"
            blocks += [Paragraph(["What ", Strong(aspect), f" {verb}:"]), Table(head, rows)]
    return Section("What schedules and other choices add", blocks) if len(blocks) > 1 else None
