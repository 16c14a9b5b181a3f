"""Report section: estimated importance of the settings of a search, which are no full grid (PED-ANOVA)."""

from __future__ import annotations

import math
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from gansweep.report.sensitivity import is_full_grid
from gansweep.report.verdict import Verdict
from gansweep.section import Block, Code, Paragraph, Section, Table
from gansweep.statistics.ranking import ranks_of_values
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import is_number

MIN_CONFIGURATIONS = 20  # of which the best tenth is compared with all


def section(verdict: Verdict) -> Section | None:
    """Return the section; None for a full grid, whose shares are exact, and for few configurations or one setting."""
    board = verdict.leaderboard
    if len(board.keys) < 2 or is_full_grid(verdict):
        return None
    if sum(bool(one.scores) for one in board.configurations) < MIN_CONFIGURATIONS:
        return None
    blocks: list[Block]
    if find_spec("optuna") is None:
        text = "The settings are no full grid; their importance is estimated after "
        blocks = [Paragraph([text, Code("pip install 'gansweep[search]'"), "."])]
    else:
        shares = sorted(importance(verdict).items(), key=lambda item: -item[1])
        text = (
            "Estimate, because the settings are no full grid: how much each setting distinguishes the best tenth of "
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
