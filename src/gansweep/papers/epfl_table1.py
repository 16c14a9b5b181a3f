"""EPFL study, table I: the printed numbers, and the runs of a sweep to compare with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gansweep.papers.compare import mean
from gansweep.papers.runs import Run, grouped, tables

Setting = tuple[str, float]  # optimizer and learning rate
Values = Mapping[Setting, float | None]  # None is N/A

SOURCE = (
    "Hosgood, Sergeev, Moussaif 2022, Study of Optimiser Performance for Wasserstein Loss Function in GANs (EPFL), "
    "table I; curves: generated_data/all_lr_scores_{adam,sgd,rmsprop}.pkl of github.com/TheodorSergeev/optml_gan at "
    "1302799"
)
# FID by checkpoint; one seed, 123. Label e is the state after e + 1 epochs; the last column is table I.
# None is N/A: excluded by hand after losses of NaN.
LABELS = (0, 50, 100, 150, 200, 250, 290)
PRINTED: Mapping[Setting, tuple[float, ...] | None] = {
    ("adam", 1e-1): (281.94, 281.94, 281.94, 281.94, 281.94, 281.94, 281.94),
    ("adam", 1e-2): (254.01, 334.49, 335.78, 330.17, 365.60, 357.55, 365.71),
    ("adam", 1e-3): (238.56, 91.67, 90.01, 87.24, 89.78, 89.23, 90.54),
    ("adam", 1e-4): (205.36, 100.97, 93.13, 62.40, 56.34, 48.56, 44.93),
    ("adam", 1e-5): (242.90, 135.56, 112.60, 119.48, 114.79, 119.09, 111.33),
    ("adam", 1e-6): (303.15, 239.24, 353.11, 364.92, 386.92, 282.24, 230.87),
    ("adam", 1e-7): (360.81, 263.92, 280.59, 194.60, 244.95, 193.70, 295.93),
    ("sgd", 1e-1): None,
    ("sgd", 1e-2): None,
    ("sgd", 1e-3): None,
    ("sgd", 1e-4): (310.19, 58.80, 41.26, 35.86, 32.11, 28.74, 29.57),
    ("sgd", 1e-5): (360.45, 128.92, 144.28, 129.43, 119.48, 105.15, 97.26),
    ("sgd", 1e-6): (360.44, 359.80, 372.69, 137.12, 129.16, 135.86, 131.53),
    ("sgd", 1e-7): (360.06, 359.90, 360.94, 360.08, 360.33, 359.22, 361.85),
    ("rmsprop", 1e-1): (302.97, 302.97, 302.97, 302.97, 302.97, 302.97, 302.97),
    ("rmsprop", 1e-2): (319.93, 319.93, 319.93, 319.93, 319.93, 319.93, 319.93),
    ("rmsprop", 1e-3): (149.53, 53.00, 46.46, 44.19, 44.12, 45.44, 50.79),
    ("rmsprop", 1e-4): (262.43, 141.95, 137.14, 96.82, 74.21, 59.53, 46.31),
    ("rmsprop", 1e-5): (223.49, 232.36, 199.12, 218.29, 308.65, 260.28, 318.54),
    ("rmsprop", 1e-6): (354.71, 234.32, 212.97, 156.31, 400.48, 318.50, 203.86),
    ("rmsprop", 1e-7): (319.60, 212.46, 379.24, 199.19, 198.45, 287.42, 359.73),
}
METRIC = "fd_torchvision_-3"  # our name of the metric of the study
CLAIMED = 1e-4  # the best learning rate of all optimizers according to the paper
STEPS_PER_EPOCH = 469  # 60,000 images in batches of 128, the last one short
BORDERS = (100.0, 200.0)  # FID bands of the paper: digits below, symbols between, collapse or noise above
UNTRAINED = PRINTED["sgd", 1e-7]  # the printed row nearest to an untrained generator, 359 to 362
OPTIMIZERS = ("adam", "sgd", "rmsprop")


@dataclass(frozen=True)
class Comparison:
    """Runs that differ only in optimizer, learning rate and seed, and the printed column nearest in length."""

    protocol: str
    scale: str
    note: str
    runs: Sequence[Run]

    @property
    def name(self) -> str:
        """Name in headings."""
        return f"protocol {self.protocol}, scale {self.scale}{self.note}"

    @property
    def metric(self) -> str:
        """Name of the metric."""
        return self.runs[0].metric_name

    @property
    def epochs(self) -> float:
        """Length of the training in epochs of the study."""
        return self.runs[0].steps / STEPS_PER_EPOCH

    @property
    def label(self) -> int:
        """Label of the printed column nearest in length."""
        return min(LABELS, key=lambda label: abs(label + 1 - self.epochs))

    @property
    def same_metric(self) -> bool:
        """Whether values, not only ranks, are comparable because the metric is that of the study."""
        return self.metric == METRIC

    @property
    def borders(self) -> tuple[float, ...]:
        """The bands of the paper in our metric, at the same fraction of the untrained generator's value."""
        untrained = mean(run.values().get(0) for run in self.runs)
        if self.same_metric or untrained is None or UNTRAINED is None:
            return BORDERS
        return tuple(border / UNTRAINED[0] * untrained for border in BORDERS)

    @property
    def seeds(self) -> list[int]:
        """All seeds, sorted."""
        return sorted({run.seed for run in self.runs})

    @cached_property
    def settings(self) -> dict[Setting, list[Run]]:
        """Runs by optimizer and learning rate, highest rate first."""
        order = {optimizer: n for n, optimizer in enumerate(OPTIMIZERS)}
        ordered = sorted(self.runs, key=lambda run: (order.get(run.choice("optimizer"), len(order)), -run.lr, run.seed))
        return grouped(ordered, setting_of)

    def values(self, of: str, seed: int | None = None) -> dict[Setting, float | None]:
        """Return `final` or `best` of every setting: mean over the seeds that have one, or the value of a seed."""
        return {
            setting: mean(getattr(run, of) for run in runs if seed in (None, run.seed))
            for setting, runs in self.settings.items()
        }


def setting_of(run: Run) -> Setting:
    """Return optimizer and learning rate, the row and the column of table I."""
    return run.choice("optimizer"), run.lr


def printed_at(label: int) -> dict[Setting, float | None]:
    """Return a printed column."""
    return {setting: None if row is None else row[LABELS.index(label)] for setting, row in PRINTED.items()}


def printed_best_until(label: int) -> dict[Setting, float | None]:
    """Return the lowest printed value of every row up to and including a column."""
    last = LABELS.index(label) + 1
    return {setting: None if row is None else min(row[:last]) for setting, row in PRINTED.items()}


def comparisons(runs: Sequence[Run]) -> list[Comparison]:
    """Return one comparison per protocol, scale, metric and length, and per any other setting that differs."""
    run_tables = tables(
        runs,
        lambda run: (run.choice("protocol", "paper"), run.choice("scale", "full"), run.metric.get("name"), run.steps),
        setting_of,
        varied=("config.optimizer", "config.lr"),
    )
    return [Comparison(table.key[0], table.key[1], table.note, table.runs) for table in run_tables]


def best_rate(values: Values, optimizer: str) -> float | None:
    """Return the learning rate with the lowest value of an optimizer."""
    by_rate = {lr: value for (name, lr), value in values.items() if name == optimizer and value is not None}
    return min(by_rate, key=lambda lr: by_rate[lr]) if by_rate else None
