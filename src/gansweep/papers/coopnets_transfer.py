"""The twelve schedules of CoopNets' generator in GANs: whether their order is the same there."""

from __future__ import annotations

import math
from pathlib import Path

from gansweep.papers import gamma2
from gansweep.papers.trained import Trained, read
from gansweep.papers.verdict import rank_correlation
from gansweep.section import Section
from gansweep.sweep.table import number

NAME = "coopnets_transfer"


def sections(directory: Path) -> list[Section]:
    """Write one section for every scale in a sweep."""
    scales: dict[str, list[Trained]] = {}
    for cell in read(directory, NAME):
        scales.setdefault(cell.said("scale", "full"), []).append(cell)
    return [Section(f"CoopNets' schedules in GANs: scale={scale}", _text(cells)) for scale, cells in scales.items()]


def _text(cells: list[Trained]) -> str:
    """Put every loss' values beside the printed losses of CoopNets, and correlate their ranks."""
    found = {name: _of_loss(cells, name) for name in dict.fromkeys(cell.said("loss") for cell in cells)}
    printed = {exp: row.loss for exp, row in gamma2.rows().items()}
    total = {exp: math.fsum(gamma2.rates(cell)) for cell in cells if (exp := _exp(cell)) is not None}
    metric = cells[0].metric.get("name", "metric")
    heads = [f"{name}: {metric} | rank" for name in found]
    lines = [f"| exp | Gamma2 | printed loss (CoopNets) | rank | {' | '.join(heads)} |"]
    lines.append("|---" * (4 + 2 * len(found)) + "|")
    theirs = gamma2.places(printed)
    for exp, row in gamma2.rows().items():
        own = [f"{_shown(values.get(exp))} | {gamma2.places(values).get(exp, '')}" for values in found.values()]
        loss = "unknown" if row.loss is None else number(row.loss)
        lines.append(f"| {exp} | {row.schedule} | {loss} | {theirs.get(exp, '')} | {' | '.join(own)} |")
    lines += ["", "| Spearman's rank correlation of | with | is | over |", "|---" * 4 + "|"]
    for name, values in found.items():
        for words, other in (("the printed loss of CoopNets", printed), ("the sum of the rates", total)):
            rho, count = rank_correlation(values, other)
            lines.append(f"| {metric}, {name} | {words} | {'-' if math.isnan(rho) else f'{rho:.3f}'} | {count} |")
    steps = " or ".join(map(str, sorted({cell.total_steps for cell in cells})))
    told = (
        f"The generator of CoopNets and the discriminator of DCGAN, Adam, after {steps} steps; lower is better in both."
    )
    return "\n".join([told, "", *lines])


def _of_loss(cells: list[Trained], loss: str) -> dict[int, float | None]:
    by: dict[int, list[float | None]] = {}
    for cell in cells:
        exp = _exp(cell)
        if cell.said("loss") == loss and exp is not None:
            by.setdefault(exp, []).append(cell.final)
    return {exp: gamma2.mean(values) for exp, values in by.items()}


def _exp(cell: Trained) -> int | None:
    name = cell.said("schedule")
    return int(name.removeprefix("exp_")) if name.startswith("exp_") else None


def _shown(value: float | None) -> str:
    return "N/A" if value is None else number(value)
