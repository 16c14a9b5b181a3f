"""A sweep of the EPFL study's grid against the study's own numbers, at the same length of training."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from gansweep.papers.printed import Printed, Setting
from gansweep.papers.trained import Trained, parted

STEPS_PER_EPOCH = 469  # 60,000 images in batches of 128, the last one short
BORDERS = (100.0, 200.0)  # the paper's: digits below, symbols between, collapse or noise above
# The printed value of the generator that moved least: SGD at 1e-7, whose whole row is 359 to 362.
STARTED = ("sgd", 1e-7)
OPTIMIZERS = ("adam", "sgd", "rmsprop")


@dataclass(frozen=True)
class Comparison:
    """Cells that differ in optimizer, rate and seed alone, and the printed table.

    Args:
        protocol: paper, original_code or wgan_gp.
        scale: full, small or smoke.
        cells: what was trained.
        printed: the table.
    """

    protocol: str
    scale: str
    cells: tuple[Trained, ...]
    printed: Printed

    @property
    def name(self) -> str:
        """What a heading calls it."""
        return f"protocol {self.protocol}, scale {self.scale}"

    @property
    def metric(self) -> str:
        """Name of the ruler."""
        return str(self.cells[0].metric.get("name", "nothing"))

    @property
    def epochs(self) -> float:
        """Length of the training, in passes of the study over MNIST."""
        return self.cells[0].total_steps / STEPS_PER_EPOCH

    @property
    def label(self) -> int:
        """The printed column that is nearest in length; label e is the state after e + 1 epochs."""
        return min(self.printed.labels, key=lambda label: abs(label + 1 - self.epochs))

    @property
    def same_ruler(self) -> bool:
        """Whether values may be compared, and not their order alone."""
        return self.metric == self.printed.metric

    @property
    def borders(self) -> tuple[float, ...]:
        """The paper's bands on our ruler: the same shares of what an untrained generator scores."""
        if self.same_ruler:
            return BORDERS
        started = self.printed.at(0)[STARTED]
        untrained = [one.values[0] for one in self.cells if 0 in one.values]
        if not untrained or started is None:
            return BORDERS
        return tuple(border / started * statistics.fmean(untrained) for border in BORDERS)

    @property
    def seeds(self) -> list[int]:
        """All seeds, in order."""
        return sorted({one.seed for one in self.cells})

    @cached_property
    def settings(self) -> dict[Setting, list[Trained]]:
        """The cells of every optimizer and rate, the highest rate first."""
        ordered = sorted(self.cells, key=lambda one: (_place(one.said("optimizer")), -one.lr, one.seed))
        return parted(ordered, lambda one: (one.said("optimizer"), one.lr))

    def finals(self, setting: Setting) -> list[float | None]:
        """Return the final values of a setting's seeds."""
        return [one.final for one in self.settings[setting]]

    @cached_property
    def means(self) -> dict[Setting, float | None]:
        """Mean final value over the seeds that have one."""
        return {setting: _mean(self.finals(setting)) for setting in self.settings}

    @cached_property
    def best_means(self) -> dict[Setting, float | None]:
        """Mean over the seeds of the lowest value at any evaluation."""
        return {setting: _mean([one.best for one in cells]) for setting, cells in self.settings.items()}


def comparisons(cells: Sequence[Trained], printed: Printed) -> list[Comparison]:
    """Part cells that were trained or measured differently."""

    def key(one: Trained) -> tuple[str, str, object, int]:
        return one.said("protocol", "paper"), one.said("scale", "full"), one.metric.get("name"), one.total_steps

    groups = parted(cells, key)
    return [Comparison(protocol, scale, tuple(group), printed) for (protocol, scale, *_), group in groups.items()]


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return statistics.fmean(there) if there else None


def _place(optimizer: str) -> int:
    return OPTIMIZERS.index(optimizer) if optimizer in OPTIMIZERS else len(OPTIMIZERS)
