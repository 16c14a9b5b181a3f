"""Agreement of the tracks: whether methods rank alike on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gansweep.section import Paragraph, Section, Table
from gansweep.statistics.rank_agreement import Agreement, agreement, kendall
from gansweep.track.board import Board, Row, p_text
from gansweep.track.methods import Method
from gansweep.track.rule import counted_steps


@dataclass(frozen=True)
class TrackAgreement:
    """Agreement of the rankings of several tracks, each by the mean steps to the target.

    Args:
        tracks: names of the tracks with entries.
        agreement: of the rankings; its pairs refer to `tracks` by index.
        within: Kendall's tau of every track between the seeds with even and those with odd numbers. Rankings of two
            tracks with the same order of the methods would agree about as well.
    """

    tracks: Sequence[str]
    agreement: Agreement
    within: Sequence[float]


def track_agreement(boards: Sequence[Board]) -> TrackAgreement:
    """Compare the rankings of the methods that tracks have in common; of a method the best entry counts."""
    used = [board for board in boards if board.rows]
    rankings = [{_name(method): mean_steps(board, row) for method, row in board.by_method.items()} for board in used]
    return TrackAgreement([board.track.name for board in used], agreement(rankings), [_within(board) for board in used])


def mean_steps(board: Board, row: Row, seeds: Sequence[int] | None = None) -> float:
    """Return the mean steps to the target; a seed that does not reach it counts as twice the steps of the track.

    Scores of many entries are equal, because they are one order statistic of evaluated steps; means are seldom.
    """
    chosen = list(row.times) if seeds is None else seeds
    return float(np.mean(counted_steps((row.times[seed] for seed in chosen), board.track.steps)))


def _within(board: Board) -> float:
    if len(board.rows) < 2:
        return math.nan
    halves = [[seed for seed in board.track.judging_seeds if seed % 2 == part] for part in (0, 1)]
    return float(kendall(*(np.array([mean_steps(board, row, half) for row in board.rows]) for half in halves)))


def _name(method: Method) -> str:
    return repr(method.choices)


def section(boards: Sequence[Board]) -> Section | None:
    """Return the section; None if no two tracks have two methods in common."""
    found = track_agreement(boards)
    if not found.agreement.pairs:
        return None
    rows = [
        [f"{found.tracks[a]} and {found.tracks[b]}", f"{tau:.2f}", str(n)]
        for (a, b), (tau, n) in found.agreement.pairs.items()
    ]
    rows += [
        [f"{name}, even and odd seeds", f"{tau:.2f}", str(len(board.rows))]
        for name, tau, board in zip(found.tracks, found.within, boards, strict=True)
        if not math.isnan(tau)
    ]
    text = (
        f"Kendall's tau between the rankings of the methods that two tracks have in common, by the mean steps to the "
        f"target; mean {found.agreement.tau:.2f}, {p_text(found.agreement.p)} (one-sided, permutations of the methods "
        "within each track). Between the halves of the seeds of one track it shows how well the order is known there."
    )
    return Section("Agreement of the tracks", [Paragraph(text), Table(["rankings", "tau", "methods"], rows)])
