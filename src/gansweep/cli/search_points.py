"""Points of a search: joint values of the settings that were given as an interval."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override, Sweep

from gansweep.config.errors import SettingError

NUM, SAMPLER, TPE, CELLS = "num", "sampler", "tpe", "cells"
SAMPLERS = ("sobol", "random", TPE)
BIAS = "The best of many is biased towards good values; train it again with other seeds to report it."
LEAST_RATIO = 10  # of the ends of an interval, from which on it is sampled on a logarithmic scale
DIGITS = 4  # significant digits of a value, so that names of cells stay short


@dataclass(frozen=True)
class Interval:
    """A setting that is searched over.

    Args:
        key: the setting, as on the command line.
        low: lower end.
        high: upper end.
        is_log: whether the scale is logarithmic.
        is_whole: whether the values are whole numbers.
    """

    key: str
    low: float
    high: float
    is_log: bool
    is_whole: bool

    @classmethod
    def of(cls, override: Override) -> Interval:
        """Return the interval of an override such as `lr=interval(1e-5,1e-1)` or `batch_size=int(interval(16,256))`.

        The scale is logarithmic if both ends are positive and the upper one is at least ten times the lower one.
        `tag(log, interval(...))` and `tag(linear, interval(...))` choose it.

        Raises:
            SettingError: the interval is empty or not finite, or a logarithmic one is not positive.
        """
        value, key = override.value(), override.get_key_element()
        assert isinstance(value, IntervalSweep)
        low, high = value.start, value.end
        text = override.get_value_string()
        unknown = value.tags - {"log", "linear"}
        if unknown:
            raise SettingError(key, text, f"tag {', '.join(sorted(unknown))}: expected log or linear")
        if low is None or high is None or not -math.inf < low < high < math.inf:
            raise SettingError(key, text, "expected interval(low,high) of two finite numbers, low < high")
        is_log = "log" in value.tags or ("linear" not in value.tags and 0 < LEAST_RATIO * low <= high)
        if is_log and low <= 0:
            raise SettingError(key, text, "expected a lower end above 0 on a logarithmic scale")
        return cls(key, float(low), float(high), is_log, isinstance(low, int) and isinstance(high, int))

    def value(self, u: float) -> str:
        """Return the value at position u in [0, 1), as text with four significant digits."""
        if self.is_whole:
            return str(min(math.floor(self._at(u, self.high + 1)), int(self.high)))
        return repr(min(max(float(f"{self._at(u, self.high):.{DIGITS}g}"), self.low), self.high))

    def _at(self, u: float, high: float) -> float:
        if self.is_log:
            return math.exp(math.log(self.low) + u * (math.log(high) - math.log(self.low)))
        return self.low + u * (high - self.low)


def is_interval(override: Override) -> bool:
    """Return True if an override is an interval."""
    return override.is_interval_sweep()


def misplaced_intervals(overrides: Sequence[Override]) -> list[SettingError]:
    """Return a problem for each interval among listed values, or inside a list or mapping."""
    problems = []
    for override in overrides:
        value, key = override.value(), override.get_key_element()
        listed = getattr(value, "list", ()) if isinstance(value, Sweep) else ()
        if any(isinstance(choice, IntervalSweep) for choice in listed):
            expected = "expected an interval alone, or listed values; several intervals or both are several commands"
        elif _holds_interval(value) or any(_holds_interval(choice) for choice in listed):
            example = f"whole values, such as {key}=[0.5,0.9],[0.0,0.9]" if isinstance(value, list) else "listed values"
            expected = (
                f"an interval is the value of a whole setting, such as lr='interval(1e-5,1e-1)'; expected {example}"
            )
        else:
            continue
        problems.append(SettingError(key, override.get_value_string(), expected))
    return problems


def _holds_interval(value: Any) -> bool:
    """Return True if a list or mapping contains an interval."""
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return any(isinstance(part, IntervalSweep) or _holds_interval(part) for part in inside)


def search_settings(overrides: Sequence[Override], defaults: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the values of `num` and `sampler`: the last ones typed, or else the defaults."""
    typed = {o.key_or_group: o.value() for o in overrides if o.key_or_group in (NUM, SAMPLER)}
    for key, value in typed.items():
        if isinstance(value, Sweep):
            raise SettingError(key, ",".join(map(str, getattr(value, "list", ["?"]))), "expected one value")
    num, sampler = (typed.get(key, defaults.get(key)) for key in (NUM, SAMPLER))
    return num, sampler or SAMPLERS[0]


def search_note(config: Mapping[str, Any]) -> str:
    """Return a sentence for the table of a search with several points; empty without one."""
    num = config.get("num") or 1
    return f"sampler={config['sampler']}: a search over {num} points. {BIAS}" if num > 1 else ""


def is_adaptive(overrides: Sequence[Override], defaults: Mapping[str, Any]) -> bool:
    """Return True if the points depend on results: `sampler=tpe`, an interval and a valid `num`."""
    num, sampler = search_settings(overrides, defaults)
    return sampler == TPE and any(map(is_interval, overrides)) and type(num) is int and num > 0


def points(overrides: Sequence[Override], defaults: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return `num` joint values of all intervals, by key; one empty point if there is no interval.

    The first n points are the same for every `num` of at least n, so that a search can be continued with a larger one.
    sobol: the sequence of Sobol' scrambled as proposed by Owen (`scipy.stats.qmc.Sobol`), which covers the intervals
    more evenly than random points. Points of `tpe` depend on results; random ones take their place where settings are
    only checked.

    Args:
        overrides: the overrides of a command line.
        defaults: values of `num` and `sampler` that are not among the overrides.

    Raises:
        SettingError: an interval, `num` or `sampler` is not valid, or one is missing.
    """
    intervals = [Interval.of(override) for override in overrides if is_interval(override)]
    num, sampler = search_settings(overrides, defaults)
    if sampler not in SAMPLERS:
        raise SettingError(SAMPLER, sampler, f"expected one of {', '.join(SAMPLERS)}")
    if not intervals:
        if type(num) is int and num > 0:  # other values are reported later, with all other problems
            raise SettingError(NUM, num, "without effect: no setting is an interval, such as lr='interval(1e-5,1e-1)'")
        return [{}]
    if type(num) is not int or num < 1:
        interval = next(override for override in overrides if is_interval(override))
        expected = "an interval needs the number of its points, such as num=16"
        if num is None:
            raise SettingError(interval.get_key_element(), interval.get_value_string(), expected)
        raise SettingError(NUM, num, f"expected a whole number above 0: {expected}")
    positions = _positions(len(intervals), num, sampler)
    return [{at.key: at.value(u) for at, u in zip(intervals, row, strict=True)} for row in positions]


def _positions(dimensions: int, num: int, sampler: str) -> Any:
    """Return positions (num, dimensions) in [0, 1)."""
    import numpy as np

    if sampler != "sobol":
        return np.random.default_rng(0).random((num, dimensions))
    from scipy.stats import qmc

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the number of points is not a power of 2
        return qmc.Sobol(dimensions, rng=np.random.default_rng(0)).random(num)
