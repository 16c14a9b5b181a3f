"""Trainings of a track: the tuning protocol, and the judging runs of an entry. Both are ordinary sweeps in outputs/."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gansweep.cli import app
from gansweep.config.errors import SettingError
from gansweep.results import frame
from gansweep.statistics.performance_profile import time_to_target
from gansweep.sweep.cell import Result, State
from gansweep.sweep.identity import HASH_IN_NAME, digest, plain
from gansweep.track.track import Track

OUTPUTS = Path("outputs")
LONGEST_READABLE = 40  # characters of the settings in the name of a sweep
FIRST_SHARE = 5 / 8  # of the tuning budget: one training at each point; the rest repeats the best points
SWEPT = re.compile(r"\b(interval|choice|range|glob|sort|shuffle)\(")


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


def steps_to_target(track: Track, result: Result) -> float:
    """Return the first evaluated step at which a training is at the target; infinity if it never is."""
    values = result.values()
    return time_to_target(list(values), list(values.values()), track.target)


def tuning_loss(track: Track, results: Sequence[Result]) -> tuple[float, float]:
    """Return what the tuning protocol minimizes: the mean steps to target, and between equal ones the final value.

    A training that does not reach the target counts as twice the number of steps of the track ("PAR2" of the SAT
    competitions), and one without a final value as infinity.
    """
    steps = [min(steps_to_target(track, result), 2.0 * track.steps) for result in results]
    finals = [math.inf if result.final is None else result.final for result in results]
    return float(np.mean(steps)), float(np.mean(finals))


def folder(track: Track, purpose: str, words: Sequence[str]) -> str:
    """Return the name of the sweep of a line, the same for the same line."""
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(words))[:LONGEST_READABLE].strip(".-")
    return f"track_{track.name}_{purpose}_{readable}_{digest({'words': list(words)})[:HASH_IN_NAME]}"


def tune(track: Track, words: Sequence[str], budget: int, extra: Sequence[str] = ()) -> list[Tuned]:
    """Train by the tuning protocol, and return the tried settings, best first.

    1. Five eighths of the budget: one training with the first tuning seed at each point of a Sobol sequence over the
       intervals of the line (by default those of the track), for every combination of its listed values.
    2. The best points, as many as the rest of the budget allows, are trained with the other tuning seeds.
    3. These are ranked by the mean over all tuning seeds, then the others by the first seed (`tuning_loss`).

    Args:
        track: the track.
        words: settings of the entry; values may be lists or intervals.
        budget: number of trainings.
        extra: further settings, which are not part of an entry, such as `workers=1`.

    Raises:
        SettingError: a setting is not free, or the budget is too small.
    """
    check_words(track, words)
    given = {word.partition("=")[0].lstrip("+") for word in words}
    search = [f"{key}={value}" for key, value in track.search.items() if key not in given]
    line = [*words, *search]
    name, first, others = folder(track, f"tune{budget}", words), *_split(track.tuning_seeds)
    combinations = math.prod(_count(word) for word in line)
    has_interval = any("interval(" in word for word in line)
    points = int(budget * FIRST_SHARE) // combinations if has_interval else 1
    if points < 1 or combinations > budget * FIRST_SHARE:
        raise SettingError("--budget", budget, f"too small for {combinations} combinations of listed values")
    num = [f"num={points}", "sampler=sobol"] if has_interval else []
    _train(track, [*line, *num, f"seed={first}", *extra], name)
    keys = list(dict.fromkeys(word.partition("=")[0].lstrip("+") for word in line))
    tried = _tried(track, OUTPUTS / name, keys)
    num_best = (budget - points * combinations) // len(others) if others else 0
    seeds = f"seed={','.join(map(str, others))}"
    for best in _joined(tried[:num_best]):
        _train(track, [*best, seeds, *extra], name)
    tried = _tried(track, OUTPUTS / name, keys)
    finalists = [one for one in tried if len(one.results) == len(track.tuning_seeds)]
    return finalists + [one for one in tried if one not in finalists]


def judge(
    track: Track, words: Sequence[str], seeds: Sequence[int], extra: Sequence[str] = ()
) -> tuple[Path, dict[int, Result]]:
    """Train an entry with judging seeds, and return the sweep's folder and the results by seed."""
    check_words(track, words)
    if swept := next((word for word in words if _count(word) > 1 or SWEPT.search(word)), None):
        key, _, value = swept.partition("=")
        raise SettingError(key, value, f"several values; an entry has one. To search: gansweep track tune {track.name}")
    name = folder(track, "judge", words)
    _train(track, [*words, f"seed={','.join(map(str, seeds))}", *extra], name)
    found = {int(result.cell.config["seed"]): result for result in results(OUTPUTS / name)}
    return OUTPUTS / name, {seed: found[seed] for seed in seeds if seed in found}


def results(path: Path) -> list[Result]:
    """Return the completed and diverged runs of a sweep."""
    return [result for result in frame.read(path) if result.state in (State.COMPLETED, State.DIVERGED)]


def check_words(track: Track, words: Sequence[str]) -> None:
    """Raise SettingError for a word that is no setting, or that sets what the track freezes."""
    for word in words:
        key, equals, value = word.partition("=")
        key = key.lstrip("+~").partition("@")[2] or key.lstrip("+~")
        if not equals:
            raise SettingError("setting", word, "expected KEY=VALUE")
        if not track.is_free(key):
            raise SettingError(key, value, f"track {track.name} fixes it; free: {', '.join(track.free)}")


def _train(track: Track, words: Sequence[str], name: str) -> None:
    code = app.run(["-m", *track.overrides, *words, f"name={name}"])
    if code:
        raise SystemExit(code)


def _tried(track: Track, path: Path, keys: Sequence[str]) -> list[Tuned]:
    """Return the settings of a tuning sweep by `tuning_loss`; those with the most seeds are not preferred here."""
    tried: dict[str, Tuned] = {}
    for result in results(path):
        overrides = {key: result.cell.overrides[key] for key in keys if key in result.cell.overrides}
        one = tried.setdefault(plain(overrides), Tuned(overrides, {}))
        tried[plain(overrides)] = Tuned(overrides, {**one.results, int(result.cell.config["seed"]): result})
    return sorted(tried.values(), key=lambda one: tuning_loss(track, list(one.results.values())))


def _joined(tried: Sequence[Tuned]) -> list[list[str]]:
    """Return the lines that train these settings: one line if they differ in one setting only."""
    if len(tried) > 1 and all(len(one.overrides) == len(tried[0].overrides) for one in tried):
        differing = [key for key in tried[0].overrides if len({plain(one.overrides[key]) for one in tried}) > 1]
        if len(differing) == 1:
            (key,) = differing
            several = f"{key}={','.join(plain(one.overrides[key]) for one in tried)}"
            return [[several if word.startswith(f"{key}=") else word for word in tried[0].words]]
    return [one.words for one in tried]


def _split(seeds: Sequence[int]) -> tuple[int, Sequence[int]]:
    return seeds[0], seeds[1:]


def _count(word: str) -> int:
    """Return the number of listed values of a word; 1 for an interval."""
    value = word.partition("=")[2]
    depth, count = 0, 1
    for char in value:
        depth += (char in "[({") - (char in "])}")
        count += char == "," and depth == 0
    return count
