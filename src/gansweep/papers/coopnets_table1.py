"""CoopNets learning rate study: table 1 and figures, compared with a sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from gansweep.papers import gamma2
from gansweep.papers.coopnets_figures import curves, images
from gansweep.papers.trained import Trained, read
from gansweep.section import Section

FULL = {"width": 100, "langevin_steps": 40}


@dataclass(frozen=True)
class Runs:
    """The cells of one scale by experiment number, sorted by seed."""

    scale: str
    cells: Mapping[int, Sequence[Trained]]

    @property
    def one(self) -> Trained:
        """One of the cells; they differ only in schedule and seed."""
        return next(iter(self.cells.values()))[0]

    @cached_property
    def losses(self) -> dict[int, float | None]:
        """Final reconstruction error, mean over seeds."""
        return {exp: gamma2.mean([loss(cell) for cell in own]) for exp, own in self.cells.items()}

    @cached_property
    def qualities(self) -> dict[int, float | None]:
        """Final metric of the samples, mean over seeds."""
        return {exp: gamma2.mean([cell.final for cell in own]) for exp, own in self.cells.items()}

    @cached_property
    def sums(self) -> dict[int, float | None]:
        """Sum of the generator learning rates over the steps."""
        return {exp: math.fsum(gamma2.rates(own[0])) for exp, own in self.cells.items()}


def sections(directory: Path) -> list[Section]:
    """Return the sections of every scale in a sweep."""
    found = []
    for runs in _by_scale(directory):
        title = f"Twelve schedules of CoopNets' generator: scale={runs.scale}"
        found.append(Section(title, f"{_description(runs)}\n\n{_table(runs)}\n\n{_agreement(runs)}"))
        found.append(
            Section(
                f"Pictures: scale={runs.scale}",
                "The study's figures from this sweep, the first seed of each.",
                {
                    "Rate of the generator (Gamma2) and reconstruction error": partial(curves, _first(runs)),
                    "Samples of the descriptor (left) and of the generator": partial(images, _first(runs)),
                },
            )
        )
    return found


def loss(cell: Trained) -> float | None:
    """Return the reconstruction error after the last step; None if the run did not finish."""
    points = cell.record.get("curves") or []
    if cell.record["state"] != "completed" or not points or points[-1]["step"] != cell.total_steps:
        return None
    return points[-1].get("reconstruction_error")


def _by_scale(directory: Path) -> list[Runs]:
    found: dict[str, dict[int, list[Trained]]] = {}
    for exp in gamma2.rows():
        for cell in read(directory, f"exp_{exp}"):
            found.setdefault(cell.said("scale", "full"), {}).setdefault(exp, []).append(cell)
    return [
        Runs(scale, {exp: sorted(own, key=lambda c: c.seed) for exp, own in by.items()}) for scale, by in found.items()
    ]


def _first(runs: Runs) -> dict[int, Trained]:
    return {exp: own[0] for exp, own in runs.cells.items()}


def _description(runs: Runs) -> str:
    """Return a description of the comparison and of the differences from the study."""
    config, seeds = runs.one.record["config"], sorted({cell.seed for own in runs.cells.values() for cell in own})
    steps = sorted({cell.total_steps for own in runs.cells.values() for cell in own})
    lines = [
        f"Reconstruction error of the last mini-batch after {' or '.join(map(str, steps))} steps, "
        f"and {runs.one.metric.get('name', 'no metric')} of the generator's samples, which the loss does not measure; "
        f"seed {', '.join(map(str, seeds))}. Printed: {gamma2.source()}.",
        "",
        "What differs from the study:",
        "",
    ]
    picture = config["data"].get("path")
    lines.append(
        "- the image is not that of the study" if picture else "- the image: scikit-learn's flower, not a texture"
    )
    lines.append("- the last batch of an epoch is completed from the next epoch; in the study it had 12 patches")
    if config["model"].get("width") != FULL["width"]:
        lines.append(f"- inner channels: width={config['model'].get('width')} instead of {FULL['width']}")
    if config["algorithm"].get("langevin_steps") != FULL["langevin_steps"]:
        lines.append(
            f"- Langevin steps: {config['algorithm'].get('langevin_steps')} instead of {FULL['langevin_steps']}"
        )
    if steps not in ([4000, 5000], [5000], [4000]):
        lines.append("- the length: schedules are stretched, so that every rate is held for fewer steps")
    return "\n".join(lines)


def _table(runs: Runs) -> str:
    printed = {exp: row.loss for exp, row in gamma2.rows().items()}
    theirs, ours, quality = (gamma2.places(values) for values in (printed, runs.losses, runs.qualities))
    name = runs.one.metric.get("name", "quality")
    lines = [
        f"| exp | Gamma2 | sum of rates | printed loss | rank | loss | rank | {name} | rank |",
        "|---" * 9 + "|",
    ]
    for exp, row in gamma2.rows().items():
        if exp not in runs.cells:
            continue
        lines.append(
            f"| {exp} | {row.schedule} | {gamma2.shown(runs.sums[exp])} "
            f"| {gamma2.shown(row.loss, 'unknown')} | {theirs.get(exp, '')} "
            f"| {gamma2.shown(runs.losses[exp])} | {ours.get(exp, '')} "
            f"| {gamma2.shown(runs.qualities[exp])} | {quality.get(exp, '')} |"
        )
    return "\n".join(lines)


def _agreement(runs: Runs) -> str:
    """Return the order by loss and the table of rank correlations."""
    printed = {exp: row.loss for exp, row in gamma2.rows().items()}
    total = {exp: row.sum for exp, row in gamma2.rows().items()}
    order = " < ".join(str(exp) for exp in gamma2.places(runs.losses))
    return "\n".join(
        [
            f"Order by loss: {order or 'no results'}; printed: "
            f"{' < '.join(str(exp) for exp in gamma2.places(printed))}.",
            "",
            gamma2.correlations(
                [
                    ("our loss", "the printed loss", runs.losses, printed),
                    ("our loss", "the sum of our rates", runs.losses, runs.sums),
                    ("the printed loss", "the sum of their rates", printed, total),
                    ("the samples' quality", "our loss", runs.qualities, runs.losses),
                    ("the samples' quality", "the printed loss", runs.qualities, printed),
                    ("the samples' quality", "the sum of our rates", runs.qualities, runs.sums),
                ]
            ),
        ]
    )
