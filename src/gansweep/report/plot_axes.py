"""Assignment of the varied settings to the x axis, the colours and the panels of a figure."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gansweep.results.configuration import Configuration
from gansweep.results.leaderboard import Leaderboard
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import is_number

RATES = ("lr", "lr_d", "optimizer.lr")
MAX_PANELS = 9
LONGEST = 30  # characters


@dataclass(frozen=True)
class PlotAxes:
    """The settings of a leaderboard on the x axis, as colours, and as panels of a figure.

    Args:
        leaderboard: the leaderboard to draw.
        rate: key of the x axis: the learning rate if varied, else the first key with positive numbers, else None.
        method: key shown by colour; None if only the rate was varied.
        rest: remaining keys; every combination of their values has its own panel.
    """

    leaderboard: Leaderboard
    rate: str | None
    method: str | None
    rest: tuple[str, ...]

    @classmethod
    def of(cls, leaderboard: Leaderboard) -> PlotAxes:
        """Assign the varied settings of a leaderboard."""
        numbers = [key for key in leaderboard.keys if _is_size(leaderboard.values(key))]
        rate = next((key for key in RATES if key in numbers), numbers[0] if numbers else None)
        others = [key for key in leaderboard.keys if key != rate]
        words = [key for key in others if key not in numbers]
        method = (words or others or [None])[0]
        return cls(leaderboard, rate, method, tuple(key for key in others if key != method))

    @property
    def methods(self) -> list[Any]:
        """Values of the method, or [None]."""
        return self.leaderboard.values(self.method) if self.method else [None]

    @property
    def rates(self) -> list[float]:
        """Sorted values of the rate."""
        return [float(value) for value in self.leaderboard.values(self.rate)] if self.rate else []

    def panels(self) -> list[tuple[str, list[Configuration]]]:
        """Return title and configurations of every combination of the remaining settings, at most nine."""
        values = [self.leaderboard.values(key) for key in self.rest]
        panels = []
        for combination in itertools.product(*values):
            fixed = dict(zip(self.rest, combination, strict=True))
            inside = [
                configuration
                for configuration in self.leaderboard.configurations
                if all(configuration.settings[k] == v for k, v in fixed.items())
            ]
            if inside:
                panels.append((", ".join(f"{key}={plain(value)}" for key, value in fixed.items()), inside))
        return panels[:MAX_PANELS]

    def with_method(self, configurations: Sequence[Configuration], method: Any) -> list[Configuration]:
        """Return the configurations with one value of the method, sorted by rate."""
        mark = json.dumps(method)
        chosen = [
            configuration
            for configuration in configurations
            if self.method is None or json.dumps(configuration.settings[self.method]) == mark
        ]
        return sorted(chosen, key=lambda configuration: self.rate_of(configuration) if self.rate else 0)

    def rate_of(self, configuration: Configuration) -> float:
        """Return the rate of a configuration."""
        return float(configuration.settings[self.rate]) if self.rate else math.nan

    def label(self, method: Any) -> str:
        """Return the name of a method, shortened to fit into a legend."""
        text = plain(method) if self.method else ""
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _is_size(values: Sequence[Any]) -> bool:
    return len(values) > 1 and all(is_number(value) and value > 0 for value in values)
