"""Divergences during tuning: share of the tried settings whose training diverges, by optimizer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gansweep.section import Paragraph, Section, Table
from gansweep.sweep.cell import State
from gansweep.track.board import Board, method
from gansweep.track.methods import OPTIMIZER
from gansweep.track.tunability import first_runs


@dataclass(frozen=True)
class Divergences:
    """Trainings of tried settings with the first tuning seed, of all entries with one optimizer.

    Args:
        optimizer: the optimizer.
        num_diverged: number of trainings that diverged.
        num_missed: number of trainings that completed without reaching the target.
        num_runs: number of trainings.
    """

    optimizer: str
    num_diverged: int
    num_missed: int
    num_runs: int

    @property
    def share(self) -> float:
        """Share of the trainings that diverged."""
        return self.num_diverged / self.num_runs


def divergences(boards: Sequence[Board]) -> list[Divergences]:
    """Return the counts of every optimizer over tracks, the largest share first.

    The trainings of the best settings with further seeds are left out, because these settings were selected.
    """
    counts: dict[str, list[int]] = {}
    for board in boards:
        for row in board.rows:
            optimizer = method(row.entry).choice(OPTIMIZER).split()[0]
            for run in first_runs(board.track, row.entry):
                count = counts.setdefault(optimizer, [0, 0, 0])
                count[0] += run.state == State.DIVERGED.value
                count[1] += run.state != State.DIVERGED.value and math.isinf(run.steps_to_target)
                count[2] += 1
    found = [Divergences(optimizer, *count) for optimizer, count in counts.items()]
    return sorted(found, key=lambda one: (-one.share, one.optimizer))


def section(boards: Sequence[Board]) -> Section | None:
    """Return the section; None without tuning runs."""
    every = divergences(boards)
    if not every:
        return None
    by_track = {board.track.name: {one.optimizer: one for one in divergences([board])} for board in boards}
    rows = []
    for one in every:
        parts = [found.get(one.optimizer) for found in by_track.values()]
        rows.append(
            [
                one.optimizer,
                f"{one.share:.0%}",
                *(f"{part.share:.0%}" if part else "-" for part in parts),
                f"{one.num_missed / one.num_runs:.0%}",
                str(one.num_runs),
            ]
        )
    head = ["optimizer", "diverged", *by_track, "target not reached", "tried"]
    text = (
        "Share of the tried settings whose training with the first tuning seed diverges; the others complete, some of "
        "them without reaching the target."
    )
    return Section("What diverged", [Paragraph(text), Table(head, rows)])
