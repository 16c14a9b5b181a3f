"""Report section: share of the variance explained by each setting (functional ANOVA)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gansweep.report.verdict import Verdict
from gansweep.section import Code, Paragraph, Section, Table
from gansweep.statistics.ranking import ranks_of_values
from gansweep.statistics.variance_shares import Effect, variance_shares

LEAST = 0.005


@dataclass(frozen=True)
class Sensitivity:
    """Variance shares of the settings over a full grid.

    Args:
        effects: sorted by share, largest first.
        seeds: share of the variance between seeds.
        by_rank: whether ranks were used instead of values, because some are N/A.
    """

    effects: list[Effect]
    seeds: float
    by_rank: bool


def sensitivity(verdict: Verdict) -> Sensitivity | None:
    """Return the variance shares; None if the grid is not full or nothing varies."""
    leaderboard = verdict.leaderboard
    values = [leaderboard.values(key) for key in leaderboard.keys]
    shape = [len(levels) for levels in values]
    if not shape or math.prod(shape) != len(leaderboard.configurations) or len(leaderboard.configurations) < 2:
        return None
    numbers = {len(configuration.scores) for configuration in leaderboard.configurations}
    if len(numbers) != 1 or 0 in numbers:
        return None
    # leaderboard.configurations are in the order of their keys' values, the last fastest
    scores = [list(configuration.scores.values()) for configuration in leaderboard.configurations]
    table = np.array(scores) * leaderboard.sign
    by_rank = not np.isfinite(table).all()
    if by_rank:
        table = ranks_of_values(table.ravel().tolist()).reshape(table.shape)
    effects, seeds = variance_shares(table.reshape(*shape, -1))
    return Sensitivity(effects, seeds, by_rank) if effects else None


def section(verdict: Verdict) -> Section | None:
    """Return the section; None without shares, or with one setting and one seed, where its share is trivially 1."""
    shares = sensitivity(verdict)
    seeds = len(verdict.leaderboard.configurations[0].scores)
    if shares is None or (len(shares.effects) == 1 and seeds == 1):
        return None
    keys = verdict.leaderboard.keys
    tested = not math.isnan(shares.effects[0].p)
    rows = [
        [
            " and ".join(keys[axis] for axis in effect.axes),
            f"{effect.share:.1%}",
            _p(effect.p) if tested else f"{effect.by_chance:.1%}",
        ]
        for effect in shares.effects
        if effect.share >= LEAST
    ]
    if seeds > 1:
        rows.append(["seeds", f"{shares.seeds:.1%}", ""])
    what = "ranks, because some runs are N/A (tied last)" if shares.by_rank else "values"
    column, meaning = (
        ("p", " is the p-value of the F test against the variance between seeds.")
        if tested
        else ("by chance", " is the expected share of random values; a test needs several seeds.")
    )
    omitted = any(effect.share < LEAST for effect in shares.effects)
    text = (
        f"Share of the variance of all runs' {what}, by setting (functional ANOVA on the full grid). "
        "A row with several settings is their interaction, without their main effects. "
        f"{f'Shares below {LEAST:.1%} are omitted. ' if omitted else ''}"
    )
    blocks = [Paragraph([text, Code(column), meaning]), Table(["setting", "share", column], rows)]
    return Section("Importance of settings", blocks)


def _p(p: float) -> str:
    return "" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"
