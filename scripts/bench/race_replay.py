"""Replay race=steps on fully trained grids, beside ASHA, Hyperband and Optuna's WilcoxonPruner; docs/records/race.md.

    python scripts/bench/race_replay.py extract outputs/circle docs/records/race/circle.csv
    python scripts/bench/race_replay.py replay docs/records/race/*.csv --resamples 1000

A table has one row per run: settings, seed and the value at every evaluation. A resample draws an order of the seeds
and, with --share 0.8, of the configurations. The winner is the configuration with the lowest mean final value over all
seeds of the table. A method's cost are the steps that it trains; the grid's are those of all configurations and seeds.
"""

from __future__ import annotations

import argparse
import csv
import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gansweep.statistics.step_race import Curve, StepRace, coverage
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep import Sweep
from gansweep.sweep.sweep_keys import SEED, swept_keys, value

ETA = 3


class Grid(NamedTuple):
    """Values (configurations, seeds, evaluations) of a fully trained grid; NaN after a divergence."""

    settings: list[tuple[str, ...]]
    steps: list[int]
    values: np.ndarray


class Outcome(NamedTuple):
    """What a method leaves: the configurations that are not dropped, its choice, and its cost in evaluations."""

    remaining: Sequence[int]
    choice: int
    cost: float


def extract(root: Path, path: Path) -> None:
    """Write the curves of a sweep as a table."""
    results = Sweep(root, []).results
    keys = [key for key in swept_keys([result.cell for result in results]) if key != SEED]
    steps = sorted({step for result in results for step in result.values()})
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*keys, SEED, *steps])
        for result in results:
            values = result.values()
            row = [f"{values[step]:.6g}" if step in values else "" for step in steps]
            writer.writerow([*(plain(value(result.cell, key)) for key in keys), result.cell.config[SEED], *row])


def read(path: Path) -> Grid:
    """Read a table."""
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    place = head.index(SEED)
    settings = list(dict.fromkeys(tuple(row[:place]) for row in rows))
    seeds = sorted({int(row[place]) for row in rows})
    values = np.full((len(settings), len(seeds), len(head) - place - 1), np.nan)
    for row in rows:
        curve = [float(text) if text else np.nan for text in row[place + 1 :]]
        values[settings.index(tuple(row[:place])), seeds.index(int(row[place]))] = curve
    return Grid(settings, [int(step) for step in head[place + 1 :]], values)


def best_mean(finals: np.ndarray) -> int:
    """Return the configuration with the fewest N/A and the lowest mean of its finals (m, seeds)."""
    lost = ~np.isfinite(finals)
    return int(
        np.lexsort((np.nanmean(np.where(np.all(lost, axis=1, keepdims=True), np.inf, finals), axis=1), lost.mean(1)))[0]
    )


def grid(of: Grid, rng: np.random.Generator) -> Outcome:
    """Train everything."""
    del rng
    finals = of.values[:, :, -1]
    return Outcome(range(len(finals)), best_mean(finals), _length(of.values).sum())


def race(of: Grid, rng: np.random.Generator, level: float) -> Outcome:
    """race=steps."""
    del rng
    m, num_seeds, _ = of.values.shape
    scores, order = np.log(of.values), coverage(of.settings)
    curves: list[dict[int, Curve]] = [{} for _ in range(m)]
    rule, cost = StepRace(tuple(range(num_seeds)), level), 0
    while (stage := rule.stage(curves, order)).wanted:
        for place, seed in stage.wanted:
            curve = _stopped(scores[place, seed], of.steps, stage.limits.get((place, seed), {}))
            curves[place][seed] = curve
            cost += len(curve.scores) - 1
    finals = np.full((m, num_seeds), np.nan)
    for place in stage.remaining:
        for seed, curve in curves[place].items():
            finals[place, seed] = of.values[place, seed, -1] if curve.state == "complete" else np.nan
    means = [np.nanmean(finals[p]) if np.isfinite(finals[p]).any() else np.inf for p in stage.remaining]
    return Outcome(stage.remaining, stage.remaining[int(np.argmin(means))], cost)


def _stopped(scores: np.ndarray, steps: Sequence[int], limits: Any) -> Curve:
    seen: dict[int, float] = {}
    for step, score in zip(steps, scores, strict=True):
        if not math.isfinite(score):
            return Curve(seen, "diverged")
        seen[step] = float(score)
        if score > limits.get(step, math.inf):
            return Curve(seen, "out")
    return Curve(seen)


def asha(of: Grid, rng: np.random.Generator) -> Outcome:
    """ASHA of Optuna (SuccessiveHalvingPruner) over configurations, each with its first seed, in random order."""
    from optuna.pruners import SuccessiveHalvingPruner

    return _pruned(of, rng, SuccessiveHalvingPruner(min_resource=1, reduction_factor=ETA))


def hyperband(of: Grid, rng: np.random.Generator) -> Outcome:
    """Hyperband of Optuna over configurations, each with its first seed, in random order."""
    from optuna.pruners import HyperbandPruner

    most = of.values.shape[2] - 1
    return _pruned(of, rng, HyperbandPruner(min_resource=1, max_resource=most, reduction_factor=ETA))


def _pruned(of: Grid, rng: np.random.Generator, pruner: Any) -> Outcome:
    """Train one seed of every configuration with a pruner that sees the values of its evaluations."""
    study, cost, finals = _study(pruner, rng), 0, {}
    for place in rng.permutation(len(of.values)):
        trial = study.ask()
        for number, now in enumerate(of.values[place, 0, 1:], 1):
            cost += 1
            if not math.isfinite(now):
                study.tell(trial, state=_state("FAIL"))
                break
            trial.report(now, number)
            if number < of.values.shape[2] - 1 and trial.should_prune():
                study.tell(trial, state=_state("PRUNED"))
                break
        else:
            finals[int(place)] = float(of.values[place, 0, -1])
            study.tell(trial, finals[int(place)])
    return Outcome([*finals], min(finals, key=lambda place: finals[place]), cost)


def wilcoxon(of: Grid, rng: np.random.Generator) -> Outcome:
    """Optuna's WilcoxonPruner over configurations: complete runs of the seeds, in order; it compares final values."""
    from optuna.pruners import WilcoxonPruner

    warnings.simplefilter("ignore")  # it is experimental
    study, cost, means = _study(WilcoxonPruner(p_threshold=0.1), rng), 0, {}
    for place in rng.permutation(len(of.values)):
        trial, length = study.ask(), _length(of.values[place])
        for seed, final in enumerate(of.values[place, :, -1]):
            cost += length[seed]
            trial.report(final if math.isfinite(final) else 1e9, seed)
            if seed < len(length) - 1 and trial.should_prune():
                study.tell(trial, state=_state("PRUNED"))
                break
        else:
            finals = of.values[place, :, -1]
            means[int(place)] = float(np.where(np.isfinite(finals), finals, 1e9).mean())
            study.tell(trial, means[int(place)])
    return Outcome([*means], min(means, key=lambda place: means[place]), cost)


def _study(pruner: Any, rng: np.random.Generator) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.RandomSampler(seed=int(rng.integers(2**31)))
    return optuna.create_study(pruner=pruner, sampler=sampler, study_name=f"{rng.integers(2**31)}")


def _state(name: str) -> Any:
    from optuna.trial import TrialState

    return TrialState[name]


def _length(values: np.ndarray) -> np.ndarray:
    """Return the number of evaluations after the first of every run, up to its divergence."""
    return np.isfinite(values[..., 1:]).sum(axis=-1)


METHODS: dict[str, Callable[[Grid, np.random.Generator], Outcome]] = {
    "whole grid": grid,
    "race=steps, 5 %": lambda of, rng: race(of, rng, 0.05),
    "race=steps, 20 %": lambda of, rng: race(of, rng, 0.2),
    "ASHA": asha,
    "Hyperband": hyperband,
    "WilcoxonPruner": wilcoxon,
}


def replay(path: Path, resamples: int, num_seeds: int | None, share: float, methods: Sequence[str]) -> None:
    """Print one row of the record's table for every method."""
    whole = read(path)
    m, most, _ = whole.values.shape
    num_seeds = min(num_seeds or most, most)
    for name in methods:
        rng, kept, chosen, left, saved = np.random.default_rng(0), 0, 0, 0, []
        num_left = m
        for _ in range(resamples):
            places = rng.permutation(m)[: max(2, round(share * m))] if share < 1 else np.arange(m)
            values = whole.values[places][:, rng.permutation(most)[:num_seeds]]
            of = Grid([whole.settings[place] for place in places], whole.steps, values)
            winner = best_mean(whole.values[places, :, -1])
            outcome = METHODS[name](of, np.random.default_rng(int(rng.integers(2**31))))
            num_left = len(places)
            kept += winner in outcome.remaining
            chosen += winner == outcome.choice
            left += len(outcome.remaining)
            saved.append(_length(values).sum() / outcome.cost)
        n = resamples
        print(
            f"| {path.stem} | {num_left} x {num_seeds} | {name} | {kept / n:.1%} | {chosen / n:.1%} | "
            f"{left / n:.1f} | {n / np.sum(1 / np.array(saved)):.2f} |",
            flush=True,
        )


def main() -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    of_extract = commands.add_parser("extract")
    of_extract.add_argument("sweep", type=Path)
    of_extract.add_argument("table", type=Path)
    of_replay = commands.add_parser("replay")
    of_replay.add_argument("tables", type=Path, nargs="+")
    of_replay.add_argument("--resamples", type=int, default=1000)
    of_replay.add_argument("--seeds", type=int, help="seeds of the replayed grid; all by default")
    of_replay.add_argument("--share", type=float, default=1.0, help="share of the configurations in a resample")
    of_replay.add_argument("--methods", nargs="+", choices=METHODS, default=[*METHODS])
    options = parser.parse_args()
    if options.command == "extract":
        extract(options.sweep, options.table)
        return
    head = ["grid", "configurations x seeds", "method", "winner kept", "winner chosen", "left", "fewer steps"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for path in options.tables:
        replay(path, options.resamples, options.seeds, options.share, options.methods)


if __name__ == "__main__":
    main()
