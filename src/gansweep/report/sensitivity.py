"""Report sections: importance of the settings of a full grid (functional ANOVA) and of a search (PED-ANOVA)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from gansweep.formatting import counted
from gansweep.report.verdict import Verdict
from gansweep.section import Block, Code, Paragraph, Section, Table
from gansweep.statistics.crossed_seeds import factors
from gansweep.statistics.ranking import ranks_of_values
from gansweep.statistics.variance_shares import Effect, variance_shares
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import is_number

LEAST = 0.005
MIN_CONFIGURATIONS = 20  # of which the best tenth is compared with all


@dataclass(frozen=True)
class Sensitivity:
    """Variance shares of the settings over a full grid.

    Args:
        effects: main effects and interactions of two settings, sorted by share, largest first.
        seeds: share of the variance between seeds.
        num_seeds: number of runs of every configuration that the shares are computed from.
        by_rank: whether ranks were used instead of values, because some are N/A.
    """

    effects: list[Effect]
    seeds: float
    num_seeds: int
    by_rank: bool

    @property
    def rest(self) -> float:
        """Share of the interactions of three and more settings."""
        return max(0.0, 1 - self.seeds - sum(effect.share for effect in self.effects))


def sensitivity(verdict: Verdict) -> Sensitivity | None:
    """Return the variance shares from the seeds that all configurations have; None without any, or if nothing varies.

    The grid has to be full.
    """
    leaderboard, seeds = verdict.leaderboard, _common_seeds(verdict)
    if not is_full_grid(verdict) or not seeds:
        return None
    # leaderboard.configurations are in the order of their keys' values, the last fastest
    scores = [[configuration.scores[seed] for seed in seeds] for configuration in leaderboard.configurations]
    table = np.array(scores) * leaderboard.sign
    by_rank = not np.isfinite(table).all()
    if by_rank:
        table = ranks_of_values(table.ravel().tolist()).reshape(table.shape)
    levels = leaderboard.seed_levels
    crossed = factors([levels[seed] for seed in seeds]) if levels else None
    shape = [len(leaderboard.values(key)) for key in leaderboard.keys]
    effects, between_seeds = variance_shares(table.reshape(*shape, -1), crossed=crossed)
    return Sensitivity(effects, between_seeds, len(seeds), by_rank) if effects else None


def is_full_grid(verdict: Verdict) -> bool:
    """Return whether every combination of the values of the settings is a configuration."""
    board = verdict.leaderboard
    count = len(board.configurations)
    return bool(board.keys) and count > 1 and math.prod(len(board.values(key)) for key in board.keys) == count


def _common_seeds(verdict: Verdict) -> list[str]:
    """Return the seeds with a finished run of every configuration."""
    first, *others = verdict.leaderboard.configurations
    return [seed for seed in first.scores if all(seed in one.scores for one in others)]


def section(verdict: Verdict) -> Section | None:
    """Return the section; None without shares, or with one setting and one seed, where its share is trivially 1."""
    shares = sensitivity(verdict)
    most = max(len(one.scores) for one in verdict.leaderboard.configurations)
    if shares is None and is_full_grid(verdict) and most > 1:
        text = "No seed has a finished run of every configuration, so the shares of the settings are not computed."
        return Section("Importance of settings", [Paragraph(text)]) if not _common_seeds(verdict) else None
    if shares is None or (len(shares.effects) == 1 and shares.num_seeds == 1):
        return None
    tested = shares.num_seeds > 1
    column, meaning = (
        ("p", " is the p-value of the F test against the interaction with the seeds.")
        if tested
        else ("by chance", " is the expected share of random values; a test needs several seeds.")
    )
    what = "ranks, because some runs are N/A (tied last)" if shares.by_rank else "values"
    parts = [f"Share of the variance of all runs' {what}, by setting (functional ANOVA on the full grid). "]
    if len(verdict.leaderboard.keys) > 1:
        parts.append("A row with several settings is their interaction, without their main effects. ")
    if any(effect.share < LEAST for effect in shares.effects):
        parts.append(f"Shares below {LEAST:.1%} are omitted. ")
    if shares.num_seeds < most:
        parts.append(f"Only runs of the {counted(shares.num_seeds, 'seed')} that every configuration has are used. ")
    if tested and verdict.leaderboard.seed_levels:
        parts.append(f"The test accounts for runs that share a {' or '.join(verdict.leaderboard.repeated)}. ")
    rows = _rows(shares, verdict.leaderboard.keys, tested)
    return Section(
        "Importance of settings",
        [Paragraph(["".join(parts), Code(column), meaning]), Table(["setting", "share", column], rows)],
    )


def _rows(shares: Sensitivity, keys: Sequence[str], tested: bool) -> list[list[str]]:
    """Return the shares of all effects, of the interactions of more settings together, and of the seeds."""
    rows = [
        [
            " and ".join(keys[axis] for axis in effect.axes),
            f"{effect.share:.1%}",
            _p(effect.p) if tested else f"{effect.by_chance:.1%}",
        ]
        for effect in shares.effects
        if effect.share >= LEAST
    ]
    if len(keys) > 2 and shares.rest >= LEAST:
        rows.append(["interactions of three or more settings", f"{shares.rest:.1%}", ""])
    if shares.num_seeds > 1:
        rows.append(["seeds", f"{shares.seeds:.1%}", ""])
    return rows


def _p(p: float) -> str:
    return "" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def estimated_section(verdict: Verdict) -> Section | None:
    """Return the section; None for a full grid, whose shares are exact, and for few configurations or one setting."""
    board = verdict.leaderboard
    if len(board.keys) < 2 or is_full_grid(verdict):
        return None
    if sum(bool(one.scores) for one in board.configurations) < MIN_CONFIGURATIONS:
        return None
    blocks: list[Block]
    if find_spec("optuna") is None:
        text = "The settings are not a full grid; their importance is estimated after "
        blocks = [Paragraph([text, Code("pip install 'gansweep[search]'"), "."])]
    else:
        shares = sorted(importance(verdict).items(), key=lambda item: -item[1])
        text = (
            "Estimate, because the settings are not a full grid: how much each setting distinguishes the best tenth of "
            "the configurations from all (PED-ANOVA, Watanabe et al. 2023, arXiv:2304.10255, computed by Optuna). "
            "Interactions and seeds are not included; N/A counts as worst."
        )
        blocks = [Paragraph(text), Table(["setting", "share"], [[key, f"{share:.1%}"] for key, share in shares])]
    return Section("Importance of settings", blocks)


def importance(verdict: Verdict) -> dict[str, float]:
    """Return the estimated shares of all varied settings, which sum to 1."""
    optuna: Any = import_module("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    board = verdict.leaderboard
    ended = [one for one in board.configurations if one.scores]
    means = [board.sign * one.estimate.mean if not one.estimate.num_na else math.nan for one in ended]
    spaces = {key: _distribution(optuna, board.values(key)) for key in board.keys}
    study = optuna.create_study()
    for one, rank in zip(ended, ranks_of_values(means), strict=True):
        params = {key: float(v) if _is_continuous(board.values(key)) else plain(v) for key, v in one.settings.items()}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=spaces, value=float(rank)))
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {key: float(shares.get(key, 0.0)) for key in board.keys}


def _is_continuous(values: list[Any]) -> bool:
    return len(values) > 1 and all(map(is_number, values))


def _distribution(optuna: Any, values: list[Any]) -> Any:
    if not _is_continuous(values):
        return optuna.distributions.CategoricalDistribution([plain(value) for value in values])
    low, high = float(min(values)), float(max(values))
    return optuna.distributions.FloatDistribution(low, high, log=0 < 10 * low <= high)
