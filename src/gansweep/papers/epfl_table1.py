"""EPFL study, table I compared with a sweep: values, best learning rates, curves, samples and losses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from gansweep.formatting import number
from gansweep.papers.epfl_comparison import BORDERS, OPTIMIZERS, Comparison, comparisons
from gansweep.papers.epfl_curves import curves
from gansweep.papers.epfl_samples import samples
from gansweep.papers.loss_profiles import loss_profiles
from gansweep.papers.printed import Setting, printed, rate
from gansweep.papers.seeds import spread
from gansweep.papers.trained import read
from gansweep.papers.verdict import rank_correlation, verdict
from gansweep.section import Section

NAME = "epfl_table1"
CLAIMED = 1e-4  # the best learning rate of all optimizers according to the paper


def sections(directory: Path) -> list[Section]:
    """Return the sections of every protocol and scale in a sweep."""
    found = []
    for one in comparisons(read(directory, NAME), printed(NAME)):
        found += [
            Section(f"Table I of the EPFL study: {one.name}", _table(one)),
            Section(f"Which rate is best: {one.name}", _choice(one)),
            Section(
                f"Pictures: {one.name}",
                "The paper's figure 4, its figures 1 to 3 and the losses, from this sweep.",
                {
                    f"{one.metric} during training (top) and the printed FID (bottom)": partial(curves, one),
                    "Generated digits in the paper's bands": partial(samples, one),
                    f"Losses, seed {one.seeds[0]}": partial(loss_profiles, one.settings),
                },
            ),
        ]
    return found


def _table(one: Comparison) -> str:
    """Return the table of all cells with the printed values."""
    column = one.printed.at(one.label)
    theirs, ours = _ranks({setting: column.get(setting) for setting in one.settings}), _ranks(one.means)
    rows = ["| optimizer | lr | printed | ours | N/A | rank printed | rank ours | verdict |", "|---" * 8 + "|"]
    for (optimizer, lr), cells in one.settings.items():
        setting, finals = (optimizer, lr), one.finals((optimizer, lr))
        there = [final for final in finals if final is not None]
        value, lost = column.get(setting), len(finals) - len(there)
        agreement = "not in the table"
        if setting in column:
            agreement = verdict(value, finals, BORDERS, None if one.same_ruler else one.borders)
        still = " (constant)" if any(cell.constant for cell in cells) else ""
        shown = "N/A" if value is None else f"{value:.2f}"
        ranks = f"{theirs.get(setting, '')} | {ours.get(setting, '')}"
        rows.append(
            f"| {optimizer} | {rate(lr)} | {shown} | {spread(there)}{still} | {lost} of {len(finals)} "
            f"| {ranks} | {agreement} |"
        )
    return "\n\n".join([_description(one), "\n".join(rows), _agreement(one, column)])


def _description(one: Comparison) -> str:
    """Return a description of the comparison and of the differences from the paper."""
    steps, seeds = one.cells[0].total_steps, ", ".join(map(str, one.seeds))
    of_seeds, of_epochs = _plural(len(one.seeds), "seed"), _plural(one.label + 1, "epoch")
    length = "1 epoch" if one.epochs == 1 else f"{one.epochs:.3g} epochs"
    compared = (
        f"Ours: {one.metric} after {steps} steps ({length} of MNIST), mean and standard deviation over "
        f"{of_seeds} {seeds}. Printed: FID of the checkpoint labelled {one.label}, which is the state after "
        f"{one.label + 1} {of_epochs}, of one seed. Source: {one.printed.source}."
    )
    differs = []
    data = one.cells[0].said("data")
    if data != "mnist":
        differs.append(f"the data set is {data}, not MNIST: this tests the pack and says nothing about the paper")
    if not one.same_ruler:
        low, high = one.borders
        differs.append(
            f"the features are those of {one.metric}, not of {one.printed.metric}: only ranks are comparable, not "
            "values. The paper's bands of 100 and 200 are converted at the same fraction of the untrained "
            f"generator's value, {number(low)} and {number(high)} here"
        )
    if abs(one.epochs - one.label - 1) > 0.01:
        differs.append(f"the length: {one.epochs:.3g} epochs against {one.label + 1}")
    if one.label != one.printed.labels[-1]:
        differs.append(f"this is the column of label {one.label}, not the paper's final one (table I itself)")
    if one.protocol != "original_code":
        differs.append(f"the protocol is {one.protocol}; the printed numbers correspond to protocol=original_code")
    if not differs:
        return compared
    return "\n".join([compared, "", "What differs from the paper:", "", *(f"- {what}" for what in differs)])


def _agreement(one: Comparison, column: Mapping[Setting, float | None]) -> str:
    rho, count = rank_correlation(column, one.means)
    by_rank = (
        "too few cells for a rank correlation"
        if math.isnan(rho)
        else (f"Spearman's rank correlation of printed and ours is **{rho:.2f}** over the {count} cells that both have")
    )
    known = [s for s in one.settings if s in column]
    both = sum(column[s] is None and all(v is None for v in one.finals(s)) for s in known)
    either = sum(column[s] is None or all(v is None for v in one.finals(s)) for s in known)
    lost = f"Of {either} cells that are N/A in print or in all our seeds, {both} are N/A in both."
    return " ".join(filter(None, (f"{by_rank}.", lost, _legend(one))))


def _legend(one: Comparison) -> str:
    """Return the legend of the table."""
    words = []
    if one.same_ruler:
        words.append("inside: the printed value lies in the 95 % prediction interval of one more seed.")
    if any(cell.constant for cell in one.cells):
        words.append("(constant): all samples of a seed were equal at the end; the run continued, as in the study.")
    return " ".join(words)


def _choice(one: Comparison) -> str:
    """Return the best rate of every optimizer by final value and by best checkpoint, printed and ours."""
    end, ever = one.printed.at(one.label), one.printed.best_until(one.label)
    rows = [
        "| optimizer | printed, final | printed, best checkpoint | ours, final | ours, best checkpoint "
        "| seeds best at 1e-4, final | best checkpoint |",
        "|---" * 7 + "|",
    ]
    for optimizer in dict.fromkeys(name for name, _ in one.settings):
        chosen = [_best(values, optimizer) for values in (end, ever, one.means, one.best_means)]
        counts = [
            f"{sum(_best_of_seed(one, optimizer, seed, what) == CLAIMED for seed in one.seeds)} of {len(one.seeds)}"
            for what in ("final", "best")
        ]
        rows.append(f"| {optimizer} | {' | '.join([*map(_rate, chosen), *counts])} |")
    return "\n\n".join(["\n".join(rows), _survives(one)])


def _survives(one: Comparison) -> str:
    """Return whether the paper's statement holds in every seed, and in the printed column."""
    claim = '"All optimizers are best at 1e-4"'
    if one.cells[0].said("data") != "mnist":
        return f"{claim} cannot be tested: the data set is not MNIST."
    if not {1e-3, CLAIMED, 1e-5} <= {lr for _, lr in one.settings} or not set(OPTIMIZERS) <= {
        n for n, _ in one.settings
    }:
        return f"{claim} cannot be tested: the grid is incomplete."
    agree = sum(
        all(_best_of_seed(one, optimizer, seed, "final") == CLAIMED for optimizer in OPTIMIZERS) for seed in one.seeds
    )
    survives = "survives" if agree == len(one.seeds) else "does not survive"
    result = f"{claim} **{survives}**: it holds in {agree} of {len(one.seeds)} {_plural(len(one.seeds), 'seed')}."
    last = one.printed.labels[-1]
    if one.label == last:
        return result
    column = {optimizer: _best(one.printed.at(one.label), optimizer) for optimizer in OPTIMIZERS}
    others = ", ".join(f"{name} {_rate(lr)}" for name, lr in column.items() if lr != CLAIMED)
    then = f"does not hold in print either ({others})" if others else "holds in print"
    return f"{result} The paper states it for label {last}; at label {one.label} it {then}."


def _best_of_seed(one: Comparison, optimizer: str, seed: int, what: str) -> float | None:
    return _best({setting: _of(one, setting, seed, what) for setting in one.settings}, optimizer)


def _of(one: Comparison, setting: Setting, seed: int, what: str) -> float | None:
    return next((getattr(cell, what) for cell in one.settings[setting] if cell.seed == seed), None)


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def _best(values: Mapping[Setting, float | None], optimizer: str) -> float | None:
    """Return the learning rate with the lowest value of an optimizer."""
    own = {lr: value for (name, lr), value in values.items() if name == optimizer and value is not None}
    return min(own, key=lambda lr: own[lr]) if own else None


def _rate(lr: float | None) -> str:
    return "-" if lr is None else rate(lr)


def _ranks(values: Mapping[Setting, float | None]) -> dict[Setting, int]:
    known = [(value, setting) for setting, value in values.items() if value is not None]
    return {setting: place for place, (_, setting) in enumerate(sorted(known), 1)}
