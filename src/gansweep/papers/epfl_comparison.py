"""EPFL study: a sweep of its grid compared with the printed numbers at the nearest training length."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from gansweep.papers.printed import Printed, Setting
from gansweep.papers.trained import Trained, parted

STEPS_PER_EPOCH = 469  # 60,000 images in batches of 128, the last one short
BORDERS = (100.0, 200.0)  # FID bands of the paper: digits below, symbols between, collapse or noise above
# The printed value nearest to an untrained generator: SGD at 1e-7, whose row is 359 to 362.
STARTED = ("sgd", 1e-7)
OPTIMIZERS = ("adam", "sgd", "rmsprop")


@dataclass(frozen=True)
class Comparison:
    """Cells that differ only in optimizer, learning rate and seed, and the printed table.

    Args:
        protocol: paper, original_code or wgan_gp.
        scale: full, small or smoke.
        cells: the trained cells.
        printed: the printed table.
    """

    protocol: str
    scale: str
    cells: tuple[Trained, ...]
    printed: Printed

    @property
    def name(self) -> str:
        """Name used in headings."""
        return f"protocol {self.protocol}, scale {self.scale}"

    @property
    def metric(self) -> str:
        """Name of the metric."""
        return str(self.cells[0].metric.get("name", "nothing"))

    @property
    def epochs(self) -> float:
        """Length of the training in epochs of the study."""
        return self.cells[0].total_steps / STEPS_PER_EPOCH

    @property
    def label(self) -> int:
        """Label of the printed column nearest in length; label e is the state after e + 1 epochs."""
        return min(self.printed.labels, key=lambda label: abs(label + 1 - self.epochs))

    @property
    def same_ruler(self) -> bool:
        """Whether values, not only ranks, are comparable because the metric is the same."""
        return self.metric == self.printed.metric

    @property
    def borders(self) -> tuple[float, ...]:
        """The bands of the paper in our metric, at the same fraction of the untrained generator's value."""
        if self.same_ruler:
            return BORDERS
        started = self.printed.at(0)[STARTED]
        untrained = [one.values[0] for one in self.cells if 0 in one.values]
        if not untrained or started is None:
            return BORDERS
        return tuple(border / started * statistics.fmean(untrained) for border in BORDERS)

    @property
    def seeds(self) -> list[int]:
        """All seeds, sorted."""
        return sorted({one.seed for one in self.cells})

    @cached_property
    def settings(self) -> dict[Setting, list[Trained]]:
        """Cells by optimizer and learning rate, highest rate first."""
        ordered = sorted(self.cells, key=lambda one: (_place(one.said("optimizer")), -one.lr, one.seed))
        return parted(ordered, lambda one: (one.said("optimizer"), one.lr))

    def finals(self, setting: Setting) -> list[float | None]:
        """Return the final value of every seed of a setting."""
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
    """Return one comparison per protocol, scale, metric and length."""

    def key(one: Trained) -> tuple[str, str, object, int]:
        return one.said("protocol", "paper"), one.said("scale", "full"), one.metric.get("name"), one.total_steps

    groups = parted(cells, key)
    return [Comparison(protocol, scale, tuple(group), printed) for (protocol, scale, *_), group in groups.items()]


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return statistics.fmean(there) if there else None


def _place(optimizer: str) -> int:
    return OPTIMIZERS.index(optimizer) if optimizer in OPTIMIZERS else len(OPTIMIZERS)
