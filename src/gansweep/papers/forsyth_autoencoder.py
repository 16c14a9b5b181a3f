"""Forsyth's denoising autoencoder: printed and measured PSNR with no, one and both skip connections."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gansweep.papers.printed import rate
from gansweep.papers.trained import Trained, parted, read
from gansweep.section import Section

NAME = "forsyth_autoencoder"
SOURCE = (
    'Forsyth, "Building a working autoencoder - III, Optimization tricks" (lecture slides, UIUC), the table '
    '"PSNR: Mean (std); this"'
)
# PSNR in dB: mean and standard deviation over a test set, and the value of the image shown. The row "Input" is blank,
# and the columns of the corruptions contain only images.
PRINTED: Mapping[str, tuple[float, float, float]] = {
    "none": (21.0, 2.8, 17.0),
    "shallow": (26.0, 3.0, 24.0),
    "both": (30.0, 4.0, 29.0),
}
ROWS = {"none": "No skip", "shallow": "Shallow", "both": "Both"}
ALL = "all"  # all corruptions pooled


@dataclass(frozen=True)
class Cell:
    """Results of all seeds of one optimizer, learning rate and network.

    Args:
        seeds: final measurements by seed; diverged runs are not included.
        lost: number of diverged runs.
    """

    seeds: Mapping[int, Mapping[str, float]]
    lost: int

    def mean(self, name: str) -> float:
        """Return the mean of a measurement over seeds."""
        return statistics.fmean(measured[name] for measured in self.seeds.values())


def sections(directory: Path) -> list[Section]:
    """Return a section for every length and data set in a sweep."""
    groups = parted(read(directory, NAME), lambda one: (one.said("data"), one.total_steps))
    return [
        Section(f"Forsyth's autoencoder on {data}, {steps} steps", _text(cells))
        for (data, steps), cells in groups.items()
    ]


def best_cells(cells: Sequence[Trained]) -> dict[tuple[str, str], tuple[float, Cell]]:
    """Return the best learning rate for every optimizer and network, among rates without diverged seeds."""
    groups = parted(cells, lambda one: (one.said("optimizer"), str(one.record["config"]["model"]["skips"]), one.lr))
    found: dict[tuple[str, str], tuple[float, Cell]] = {}
    for (optimizer, skips, lr), group in groups.items():
        known = {one.seed: one.metric["evaluations"][-1]["measured"] for one in group if one.final is not None}
        cell = Cell(known, len(group) - len(known))
        before = found.get((optimizer, skips))
        if known and not cell.lost and (before is None or cell.mean(_of(ALL)) > before[1].mean(_of(ALL))):
            found[optimizer, skips] = lr, cell
    return found


def ordered_seeds(best: Mapping[tuple[str, str], tuple[float, Cell]], optimizer: str) -> tuple[int, int]:
    """Return the number of seeds with no skip < shallow < both, and the number of seeds with all three."""
    rows = [best[optimizer, skips][1].seeds for skips in PRINTED if (optimizer, skips) in best]
    if len(rows) < len(PRINTED):
        return 0, 0
    common = set.intersection(*(set(row) for row in rows))
    values = [[row[seed][_of(ALL)] for row in rows] for seed in common]
    return sum(value == sorted(value) and len(set(value)) == len(value) for value in values), len(common)


def _of(corruption: str, what: str = "psnr") -> str:
    return f"{what}/{corruption}"


def _text(cells: Sequence[Trained]) -> str:
    best = best_cells(cells)
    if not best:
        return "No run has finished yet."
    optimizers = list(dict.fromkeys(one.said("optimizer") for one in cells))
    any_cell = next(iter(best.values()))[1]
    measured = next(iter(any_cell.seeds.values()))
    names = [key.split("/")[1] for key in measured if key.startswith("psnr/") and key.count("/") == 1]
    head = ["row", "optimizer", "rate", "printed mean (std)", *("ours, all" if name == ALL else name for name in names)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    given = [_decibels(any_cell, name, "given") for name in names]
    lines.append(f"| Input | | | blank | {' | '.join(given)} |")
    for skips, words in ROWS.items():
        mean, std, _ = PRINTED[skips]
        for optimizer in optimizers:
            if (optimizer, skips) in best:
                lr, cell = best[optimizer, skips]
                ours = " | ".join(_decibels(cell, name) for name in names)
                lines.append(f"| {words} | {optimizer} | {rate(lr)} | {mean:g} ({std:g}) | {ours} |")
    seeds = sorted({one.seed for one in cells})
    notes = [
        f"PSNR in dB on held-out images, mean (standard deviation) over images, averaged over seeds "
        f"{', '.join(map(str, seeds))}; for every optimizer and network at the best rate. `all` pools the "
        "corruptions; clean inputs equal their targets and are excluded from the row Input.",
        *(_order(best, optimizer) for optimizer in optimizers),
        f"Printed: {SOURCE}. Data, network, noise and optimizer of the printed rows are not stated, so only their "
        "order can be compared, not the values 21, 26 and 30 dB.",
    ]
    return "\n".join(lines) + "\n\n" + "\n\n".join(filter(None, notes))


def _order(best: Mapping[tuple[str, str], tuple[float, Cell]], optimizer: str) -> str:
    agreeing, count = ordered_seeds(best, optimizer)
    if not count:
        return ""
    means = [best[optimizer, skips][1].mean(_of(ALL)) for skips in PRINTED]
    gaps = ", then ".join(f"{after - before:+.1f} dB" for before, after in itertools.pairwise(means))
    return f"{optimizer}: no skip < shallow < both in {agreeing} of {count} seeds ({gaps}; printed +5 dB, then +4 dB)."


def _decibels(cell: Cell, name: str, what: str = "psnr") -> str:
    key = _of(name, what)
    if any(key not in measured for measured in cell.seeds.values()):
        return "equal"
    return f"{cell.mean(key):.1f} ({cell.mean(f'{key}/std'):.1f})"
