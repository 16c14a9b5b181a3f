"""sampler=tpe: choose the points of a search by the results of earlier ones, with Optuna."""

from __future__ import annotations

import itertools
import logging
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import Override

from gansweep.cli.overrides import kept_overrides, values_of
from gansweep.cli.search_points import BIAS, CELLS, SAMPLER, TPE, Interval, is_interval, search_settings
from gansweep.cli.sweeping import Multirun
from gansweep.config.errors import BadConfig, SettingError
from gansweep.formatting import counted
from gansweep.statistics.improvement import no_better_than_untrained
from gansweep.sweep.cell import Cell, Result, State
from gansweep.sweep.sweep import Sweep
from gansweep.sweep.sweep_keys import SEEDS

if TYPE_CHECKING:
    from hydra.plugins.launcher import Launcher

log = logging.getLogger(__name__)

ROUND = 8  # points that are chosen at a time and train together
INFEASIBLE = "infeasible"


class TpeSearch:
    """Search by the tree-structured Parzen estimator (Bergstra et al. 2011, NIPS) in rounds of eight points.

    Listed values of a setting are its categories; every point is trained with all listed seeds, and its value is their
    mean. A point with a diverged run is infeasible, which the estimator avoids without a substituted value. The points
    depend on the records alone, so the same command line continues an interrupted search, and a larger `num` extends
    it.

    Args:
        overrides: the overrides of the command line.
        defaults: values of `num` and `sampler` that are not among them, and of `cells`.
        again: builds a multirun from jobs; its second argument lists the keys that name the cells.

    Raises:
        BadConfig: Optuna is missing, or a setting is not valid.
    """

    def __init__(
        self,
        overrides: Sequence[Override],
        defaults: Mapping[str, Any],
        again: Callable[[Sequence[Sequence[str]], Sequence[str]], Multirun],
    ) -> None:
        self._overrides, self._again = kept_overrides(overrides), again
        self.num, _ = search_settings(overrides, defaults)
        self._intervals = {o.get_key_element(): Interval.of(o) for o in self._overrides if is_interval(o)}
        problems: list[SettingError] = []
        self._texts = {o.get_key_element(): list(values_of(o, problems)) for o in self._overrides if not is_interval(o)}
        if problems:
            raise BadConfig(problems)
        self.num_left_out = self._bound(defaults.get(CELLS))
        self._keys = [*self._intervals, *(key for key, texts in self._texts.items() if len(texts) > 1)]
        self._study = _new_study()
        self._trials: list[tuple[Any, list[Cell]]] = []  # Optuna's trial and the cells of its seeds
        self._no_better: set[int] = set()  # trials that are no better than the untrained generator
        self._round = self._ask()
        self.config, self.root, self.command = self._round.config, self._round.root, self._round.command
        if any(cell.config.get("metric") is None for cell in self._round.cells):
            raise SettingError(
                SAMPLER, TPE, "points are chosen by the metric's values; choose a metric with metric=..."
            )
        if self.config["seeds"] == "auto":
            raise SettingError("seeds", "auto", "not supported by sampler=tpe; list the seeds, as seed=0,1,2")
        if self.config["race"] is not None:
            raise SettingError("race", self.config["race"], "not supported by sampler=tpe, which trains all its points")

    def _bound(self, most: Any) -> int:
        """Reduce the number of points so that there are at most `most` cells; return how many points are left out."""
        if type(most) is not int or most < 1:  # no bound, or reported later with all other problems
            return 0
        num_seeds = math.prod(len(self._texts.get(key, [""])) for key in SEEDS)
        if most < num_seeds:
            raise SettingError(CELLS, most, f"expected at least {num_seeds}, as every point has {num_seeds} seeds")
        num, self.num = self.num, min(self.num, most // num_seeds)
        return num - self.num

    def run(self, launcher: Launcher | None = None) -> int:
        """Print the plan, or train all rounds and print the table; return the exit code."""
        if self.config["plan"]:
            return self._print_plan()
        worst, cut_short, fresh = 0, False, self.config["fresh"]
        while True:
            self._round.begin(fresh)
            fresh = False
            code, cut_short = self._round.train_all(launcher)
            worst = max(worst, code)
            if cut_short or not self._tell() or len(self._trials) >= self.num:
                break
            log.info("sampler=tpe: %d of %d points are done", len(self._trials), self.num)
            self._round = self._ask()
        sweep = self._sweep()
        sweep.note, sweep.bound = self._summary(), self._bound_note()
        self._round.report(cut_short, sweep)
        return worst

    def _ask(self) -> Multirun:
        """Choose the points of a round, and return the multirun of their cells."""
        trials = [self._study.ask() for _ in range(min(ROUND, self.num - len(self._trials)))]
        of_trials = [self._jobs(trial) for trial in trials]
        multirun = self._again([job for jobs in of_trials for job in jobs], self._keys)
        cells = iter(multirun.cells)
        self._trials += [
            (trial, list(itertools.islice(cells, len(jobs)))) for trial, jobs in zip(trials, of_trials, strict=True)
        ]
        return multirun

    def _jobs(self, trial: Any) -> list[list[str]]:
        """Return the overrides of a point, once for each seed."""
        choices = []
        for override in self._overrides:
            key = override.get_key_element()
            if key in self._intervals:
                choices.append([f"{key}={_suggest(trial, self._intervals[key])}"])
            elif key in SEEDS or len(self._texts[key]) == 1:
                choices.append(self._texts[key])
            else:
                choices.append([str(trial.suggest_categorical(key, self._texts[key]))])
        return [list(job) for job in itertools.product(*choices)]

    def _tell(self) -> bool:
        """Report the results of the points that have ended; return whether all have."""
        results = {result.cell.hash: result for result in self._sweep().results}
        for trial, cells in self._trials:
            runs = [results[cell.hash] for cell in cells]
            if not all(run.state.is_result or run.state is State.FAILED for run in runs):
                return False
            if no_better_than_untrained([(run.final, run.untrained) for run in runs], runs[0].lower_is_better):
                self._no_better.add(trial.number)
            if self._study.trials[trial.number].state.is_finished():
                continue
            if any(run.state is State.FAILED for run in runs):
                self._study.tell(trial, state=import_module("optuna").trial.TrialState.FAIL)
                continue
            value = _value(runs)
            trial.set_constraint(INFEASIBLE, float(not math.isfinite(value)))
            self._study.tell(trial, value)
        return True

    def _sweep(self) -> Sweep:
        return Sweep(self.root, [cell for _, cells in self._trials for cell in cells], self.command)

    def _summary(self) -> str:
        """Return a sentence on the best point."""
        done = [trial for trial in self._study.trials if trial.value is not None]
        feasible = [trial for trial in done if math.isfinite(trial.value)]
        if not feasible:
            return f"sampler=tpe: {counted(len(done), 'point')}, none with a value."
        feasible = [trial for trial in feasible if trial.number not in self._no_better]
        if not feasible:
            return f"sampler=tpe: {counted(len(done), 'point')}, none better than the untrained generator."
        best = min(feasible, key=lambda trial: trial.value)
        settings = ", ".join(self._settings(best))
        return f"sampler=tpe: best of {counted(len(done), 'point')}: {settings}. {BIAS}"

    def _bound_note(self) -> str:
        """Return sentences on the points and cells that are left out because of `cells` and `hours`."""
        num = self.num + self.num_left_out
        points = (
            f"{self.num_left_out} of {counted(num, 'point')} {'is' if self.num_left_out == 1 else 'are'} not trained"
        )
        left_out = f"{points}: cells={self.config[CELLS]}." if self.num_left_out else ""
        return " ".join(filter(None, [left_out, self._round.bounds.note(" of the last round")]))

    def _settings(self, trial: Any) -> list[str]:
        return [
            f"{key}={self._intervals[key].value(value)}" if key in self._intervals else str(value)
            for key, value in trial.params.items()
        ]

    def _print_plan(self) -> int:
        from gansweep.cli import plan_output

        while self._tell() and len(self._trials) < self.num:
            self._round = self._ask()
        rest = self.num - len(self._trials)
        more = [f"sampler=tpe: {rest} more points follow, depending on the results."] if rest else []
        plan_output.show(self._sweep(), self.config, *more, self._bound_note())
        return 0


def _new_study() -> Any:
    """Return a new study of Optuna, an optional dependency that the type checker does not need."""
    try:
        optuna = import_module("optuna")
    except ImportError as error:
        raise SettingError(SAMPLER, TPE, "requires Optuna: pip install 'gansweep[search]'") from error

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=0, constant_liar=True)  # spreads the points of a round
    return optuna.create_study(sampler=sampler)


def _suggest(trial: Any, interval: Interval) -> str:
    """Return a value of an interval, in the form that a search in advance has too."""
    return interval.value(trial.suggest_float(interval.key, 0.0, 1.0))


def _value(runs: Sequence[Result]) -> float:
    """Return the mean of the final values, lower is better; infinite if a run has none."""
    values = [run.final for run in runs]
    if any(value is None for value in values):
        return math.inf
    sign = 1 if runs[0].lower_is_better else -1
    return sign * sum(value for value in values if value is not None) / len(values)
