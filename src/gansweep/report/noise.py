"""Report section: how much of the noise comes from training and how much from the evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gansweep.formatting import number
from gansweep.report.verdict import Verdict
from gansweep.results.configuration import FINAL, Configuration
from gansweep.section import Block, Paragraph, Section, Table
from gansweep.statistics.variance_components import (
    Component,
    TrainingAndEvaluation,
    crossed_intervals,
    full_grid,
    training_and_evaluation,
)
from gansweep.sweep.sweep_keys import SEEDS, value

KINDS = {"seed_init": "initial weights", "seed_data": "order of the data", "seed_noise": "latents, noise and dropout"}


def section(verdict: Verdict) -> Section | None:
    """Return the section; None without repeated evaluations and without several kinds of seeds."""
    if verdict.leaderboard.how != FINAL:
        return None
    blocks = [*_evaluation(verdict), *_kinds(verdict)]
    return Section("Sources of noise", blocks) if blocks else None


def _evaluation(verdict: Verdict) -> list[Block]:
    """Return the components of training and evaluation, from values measured on several draws of latents."""
    groups = [group for one in verdict.leaderboard.configurations if (group := draws(one)) is not None]
    if not groups or len({group.shape[1] for group in groups}) > 1 or max(map(len, groups)) < 2:
        return []
    found = training_and_evaluation(groups)
    rows = [
        _row("training (other seeds)", found.training, found),
        _row("evaluation (other latents)", found.evaluation, found),
    ]
    name, count = verdict.leaderboard.metric_label, len(groups)
    pooled = f", pooled over {count} configurations" if count > 1 else ""
    error = math.sqrt(found.variance_of_mean(found.runs, found.draws))
    mean = f"A mean of {found.runs} seeds with {found.draws} evaluations each has the standard error {number(error)}. "
    if verdict.leaderboard.seed_levels:
        mean = ""  # the runs share seeds; the intervals of the ranks account for it
    text = f"Standard deviations of {name} by nested analysis of variance{pooled}. {mean}{_advice(found)}"
    return [Paragraph(text), Table(["source", "standard deviation", "95 % interval", "share of the variance"], rows)]


def draws(one: Configuration) -> np.ndarray | None:
    """Return the draws of the final values (runs, draws); None if a run has no value or only one draw."""
    rows = []
    for run in one.runs.values():
        evaluations = run.metric.get("evaluations") or [{}]
        found = evaluations[-1].get("draws") or []
        if run.final is None or len(found) < 2 or any(value is None for value in found):
            return None
        rows.append(found)
    return np.array(rows, dtype=np.float64) if len({len(row) for row in rows}) == 1 else None


def _row(name: str, component: Component, of: TrainingAndEvaluation) -> list[str]:
    total = sum(max(part.variance, 0.0) for part in (of.training, of.evaluation))
    share = f"{max(component.variance, 0.0) / total:.0%}" if total else "-"
    return [name, *_deviations(component), share]


def _deviations(component: Component) -> tuple[str, str]:
    low, high = (number(math.sqrt(end)) for end in (component.low, component.high))
    return number(math.sqrt(max(component.variance, 0.0))), f"{low} to {high}"


def _advice(found: TrainingAndEvaluation) -> str:
    more = found.draws_worth_one_run()
    if found.training.variance <= 0:
        return "The noise of the training does not show; more evaluations (eval_seeds) narrow the intervals."
    if more is None or more > 1000:
        return "One more training seed is worth more than any number of further evaluations."
    return f"One more training seed is worth about {more} more evaluation{'s' if more != 1 else ''} of each run."


def _kinds(verdict: Verdict) -> list[Block]:
    """Return the components of initialisation, data order and noise, if their seeds were swept on a full grid."""
    board = verdict.leaderboard
    keys = [key for key in SEEDS if key in board.repeated]
    if len(keys) < 2:
        return []
    grids = [grid for one in board.configurations if (grid := _grid(one, keys)) is not None]
    if not grids or len({grid.shape for grid in grids}) > 1 or min(grids[0].shape) < 2:
        return []
    rows = [
        [KINDS.get(name, name), *_deviations(component)] for name, component in crossed_intervals(grids, keys).items()
    ]
    pooled = f", averaged over {len(grids)} configurations" if len(grids) > 1 else ""
    text = (
        f"Standard deviations of {board.metric_label} by kind of seed: crossed random effects, method of "
        f"moments{pooled}; intervals of Satterthwaite and Williams, which assume normal values."
    )
    return [Paragraph(text), Table(["source", "standard deviation", "95 % interval"], rows)]


def _grid(one: Configuration, keys: Sequence[str]) -> np.ndarray | None:
    points = {}
    for run in one.runs.values():
        at = tuple(int(value(run.cell, key)) for key in keys)
        points[at] = math.nan if run.final is None else float(run.final)
    return full_grid(points, len(keys))
