"""The twelve generator schedules of CoopNets in GANs: rank correlation with CoopNets."""

from __future__ import annotations

import math
from pathlib import Path

from gansweep.papers import gamma2
from gansweep.papers.trained import Trained, parted, read
from gansweep.section import Section

NAME = "coopnets_transfer"


def sections(directory: Path) -> list[Section]:
    """Return one section for every scale in a sweep."""
    scales = parted(read(directory, NAME), lambda cell: cell.said("scale", "full"))
    return [Section(f"CoopNets' schedules in GANs: scale={scale}", _text(cells)) for scale, cells in scales.items()]


def _text(cells: list[Trained]) -> str:
    """Return a table of the values for every loss and the printed CoopNets losses, with rank correlations."""
    found = {name: _of_loss(cells, name) for name in dict.fromkeys(cell.said("loss") for cell in cells)}
    printed = {exp: row.loss for exp, row in gamma2.rows().items()}
    total = {exp: math.fsum(gamma2.rates(cell)) for cell in cells if (exp := _exp(cell)) is not None}
    metric = cells[0].metric.get("name", "metric")
    heads = [f"{name}: {metric} | rank" for name in found]
    lines = [f"| exp | Gamma2 | printed loss (CoopNets) | rank | {' | '.join(heads)} |"]
    lines.append("|---" * (4 + 2 * len(found)) + "|")
    theirs = gamma2.places(printed)
    for exp, row in gamma2.rows().items():
        own = [f"{gamma2.shown(values.get(exp))} | {gamma2.places(values).get(exp, '')}" for values in found.values()]
        loss = gamma2.shown(row.loss, "unknown")
        lines.append(f"| {exp} | {row.schedule} | {loss} | {theirs.get(exp, '')} | {' | '.join(own)} |")
    others = {"the printed loss of CoopNets": printed, "the sum of the rates": total}
    pairs = [(f"{metric}, {name}", words, values, o) for name, values in found.items() for words, o in others.items()]
    lines += ["", gamma2.correlations(pairs)]
    steps = " or ".join(map(str, sorted({cell.total_steps for cell in cells})))
    caption = (
        f"The generator of CoopNets and the discriminator of DCGAN, Adam, after {steps} steps; lower is better in both."
    )
    return "\n".join([caption, "", *lines])


def _of_loss(cells: list[Trained], loss: str) -> dict[int, float | None]:
    by = parted((cell for cell in cells if cell.said("loss") == loss), _exp)
    return {exp: gamma2.mean([cell.final for cell in own]) for exp, own in by.items() if exp is not None}


def _exp(cell: Trained) -> int | None:
    name = cell.said("schedule")
    return int(name.removeprefix("exp_")) if name.startswith("exp_") else None
