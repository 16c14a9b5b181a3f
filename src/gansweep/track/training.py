"""Trainings of a track: the tuning protocol, and the judging runs of an entry. Both are ordinary sweeps in outputs/."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gansweep.cli import app
from gansweep.cli.grid import cell_of
from gansweep.cli.hydra_app import composed
from gansweep.config.errors import BadConfig, SettingError
from gansweep.results import frame
from gansweep.statistics.performance_profile import time_to_target
from gansweep.sweep.cell import Result, State
from gansweep.sweep.identity import HASH_IN_NAME, digest, plain
from gansweep.track.rule import counted_steps
from gansweep.track.track import Track, frozen_differences
from gansweep.track.words import SWEPT, check_process_words, check_single, check_words, is_swept, key_of, values_of

OUTPUTS = Path("outputs")
LONGEST_READABLE = 40  # characters of the settings in the name of a sweep
FIRST_SHARE = 5 / 8  # of the tuning budget: one training at each point; the rest repeats the best points


@dataclass(frozen=True)
class Tuned:
    """One setting that the tuning protocol has tried.

    Args:
        overrides: the settings that it chose.
        results: its trainings by seed.
    """

    overrides: Mapping[str, Any]
    results: Mapping[int, Result]

    @property
    def words(self) -> list[str]:
        """The settings as words of a command line."""
        return [f"{key}={plain(value)}" for key, value in self.overrides.items()]

    def loss(self, track: Track) -> tuple[float, float]:
        """Return `tuning_loss` over its trainings."""
        return tuning_loss(track, list(self.results.values()))


def steps_to_target(track: Track, result: Result) -> float:
    """Return the first evaluated step at which a training is at the target; infinity if it never is or diverges."""
    if result.state is State.DIVERGED:
        return math.inf
    values = result.values()
    return time_to_target(list(values), list(values.values()), track.target)


def seconds_to_target(track: Track, result: Result) -> float:
    """Return the training time in seconds up to the target, without evaluations; infinity if it is not reached.

    For a member of a pack it is the time of the whole pack.
    """
    steps = steps_to_target(track, result)
    return result.trained_s.get(int(steps), math.nan) if math.isfinite(steps) else math.inf


def tuning_loss(track: Track, results: Sequence[Result]) -> tuple[float, float]:
    """Return what the tuning protocol minimizes: the mean steps to target, and between equal ones the final value.

    A training that does not reach the target counts as twice the number of steps of the track ("PAR2" of the SAT
    competitions), and one without a final value as infinity.
    """
    steps = counted_steps((steps_to_target(track, result) for result in results), track.steps)
    finals = [math.inf if result.final is None else result.final for result in results]
    return float(np.mean(steps)), float(np.mean(finals))


def folder(track: Track, purpose: str, words: Sequence[str]) -> str:
    """Return the name of the sweep of a line, the same for the same line."""
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(words))[:LONGEST_READABLE].strip(".-")
    return f"track_{track.name}_{purpose}_{readable}_{digest({'words': list(words)})[:HASH_IN_NAME]}"


def tune(
    track: Track, words: Sequence[str], budget: int, extra: Sequence[str] = (), config_dir: str | None = None
) -> list[Tuned]:
    """Train by the tuning protocol, and return the tried settings, best first.

    1. Five eighths of the budget: one training with the first tuning seed at each point of a Sobol sequence over the
       intervals of the line (by default those of the track), for every combination of its listed values.
    2. The best points, as many as the rest of the budget allows, are trained with the other tuning seeds.
    3. These are ranked by the mean over all tuning seeds, then the others by the first seed (`tuning_loss`).

    The choice in step 2 uses the first seed only, so the same line continues and does not choose again.

    Args:
        track: the track.
        words: settings of the entry; values may be lists or intervals.
        budget: number of trainings.
        extra: settings that are not part of an entry and cannot change a number, such as `workers=1`.
        config_dir: directory with further YAML files.

    Raises:
        BadConfig: a setting is not free, or the budget is too small.
        SystemExit: a training failed, with the exit code.
    """
    check_words(track, words)
    check_process_words(track, extra)
    given = {word.partition("=")[0].lstrip("+") for word in words}
    search = [f"{key}={value}" for key, value in track.search.items() if key not in given]
    line = [*words, *search]
    name, first, others = folder(track, f"tune{budget}", words), track.tuning_seeds[0], track.tuning_seeds[1:]
    combinations = math.prod(len(values_of(word)) for word in line)
    has_interval = any("interval(" in word for word in line)
    points = int(budget * FIRST_SHARE) // combinations if has_interval else 1
    if points < 1 or combinations > budget * FIRST_SHARE:
        raise SettingError("--budget", budget, f"too small for {combinations} combinations of listed values")
    num = [f"num={points}", "sampler=sobol"] if has_interval else []
    _train(track, [*line, *num, f"seed={first}", *extra], name, config_dir)
    tried = _tried(track, OUTPUTS / name, line, extra, config_dir)
    tried.sort(key=lambda point: tuning_loss(track, [point.results[first]]))
    num_best = (budget - points * combinations) // len(others) if others else 0
    seeds = f"seed={','.join(map(str, others))}"
    for best in _joined(tried[:num_best]):
        _train(track, [*best, seeds, *extra], name, config_dir)
    tried = _tried(track, OUTPUTS / name, line, extra, config_dir)
    tried.sort(key=lambda point: point.loss(track))
    return sorted(tried, key=lambda point: len(point.results) < len(track.tuning_seeds))


def judge(
    track: Track,
    words: Sequence[str],
    seeds: Sequence[int],
    extra: Sequence[str] = (),
    config_dir: str | None = None,
) -> tuple[Path, dict[int, Result]]:
    """Train an entry with judging seeds, and return the sweep's folder and the results by seed.

    Args:
        track: the track.
        words: settings of the entry, one value each.
        seeds: some of the judging seeds.
        extra: settings that are not part of an entry and cannot change a number, such as `workers=1`.
        config_dir: directory with further YAML files.

    Raises:
        BadConfig: a setting is not free or has several values.
        SystemExit: a training failed, with the exit code.
    """
    check_words(track, words)
    check_single(track, words)
    check_process_words(track, extra)
    if not set(seeds) <= set(track.judging_seeds):
        raise SettingError("--seeds", list(seeds), f"expected judging seeds, 0 to {track.num_seeds - 1}")
    name = folder(track, "judge", words)
    _train(track, [*words, f"seed={','.join(map(str, seeds))}", *extra], name, config_dir)
    runs = {int(run.cell.config["seed"]): run for run in _runs(track, OUTPUTS / name, words, extra, config_dir)}
    if missing := [seed for seed in seeds if seed not in runs]:
        expected = f"is not the same for all seeds; that of seed {missing[0]} differs from that of seed 0"
        raise SettingError("configuration", None, expected)
    return OUTPUTS / name, {seed: runs[seed] for seed in seeds}


def results(path: Path) -> list[Result]:
    """Return the completed and diverged runs of a sweep."""
    return [result for result in frame.read(path) if result.state in (State.COMPLETED, State.DIVERGED)]


def run_line(track: Track, words: Sequence[str], config_dir: str | None) -> int:
    """Train a command line with the settings of a track and further ones, and return the exit code."""
    options = ["-m"] if config_dir is None else ["-m", "--config-dir", config_dir]
    return app.run([*options, *track.overrides, *words])


def _train(track: Track, words: Sequence[str], name: str, config_dir: str | None) -> None:
    code = run_line(track, [*words, f"name={name}"], config_dir)
    if code:
        raise SystemExit(code)


def _tried(track: Track, path: Path, line: Sequence[str], extra: Sequence[str], config_dir: str | None) -> list[Tuned]:
    """Return the settings of a tuning sweep, each with its results by seed."""
    keys = dict.fromkeys(word.partition("=")[0] for word in line)
    tried: dict[str, Tuned] = {}
    for result in _runs(track, path, line, extra, config_dir):
        chosen = {key: result.cell.overrides.get(key.lstrip("+"), ...) for key in keys}
        overrides = {key: value for key, value in chosen.items() if value is not ...}
        point = tried.setdefault(plain(overrides), Tuned(overrides, {}))
        tried[plain(overrides)] = Tuned(overrides, {**point.results, int(result.cell.config["seed"]): result})
    return list(tried.values())


def _joined(tried: Sequence[Tuned]) -> list[list[str]]:
    """Return the lines that train these settings: one line if they differ in one setting only."""
    if len(tried) > 1 and all(len(one.overrides) == len(tried[0].overrides) for one in tried):
        differing = [key for key in tried[0].overrides if len({plain(one.overrides[key]) for one in tried}) > 1]
        if len(differing) == 1:
            (key,) = differing
            several = f"{key}={','.join(plain(one.overrides[key]) for one in tried)}"
            return [[several if word.startswith(f"{key}=") else word for word in tried[0].words]]
    return [one.words for one in tried]


def _runs(track: Track, path: Path, line: Sequence[str], extra: Sequence[str], config_dir: str | None) -> list[Result]:
    """Return the runs of a sweep that belong to a line: their identity differs in its swept settings and the seed only.

    A sweep may contain others, trained with an earlier version of the track or of the code.
    """
    swept = [key_of(word) for word in line if is_swept(word)]
    first = [f"{word.partition('=')[0]}={values_of(word)[0]}" for word in line if not SWEPT.search(word)]
    composition = composed([*track.overrides, *first, *extra], config_dir)[0]
    if composition.problems:
        raise BadConfig(composition.problems)
    identity = cell_of(composition.config, composition.overrides, composition.choices, path).identity
    line_of = replace(track, free=swept)
    return [
        result
        for result in results(path)
        if not frozen_differences(line_of, result.cell.identity["config"], identity["config"])
        and all(result.cell.identity.get(key) == identity.get(key) for key in ("data", "numerics", "code"))
    ]
