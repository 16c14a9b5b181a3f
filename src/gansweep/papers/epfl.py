"""EPFL study, table I compared with a sweep: values, best learning rates, curves, samples and losses.

The printed numbers are in `epfl_table1`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from gansweep.formatting import number
from gansweep.papers.compare import band, plural, rank_correlation, ranks, rate, spread, verdict
from gansweep.papers.epfl_table1 import (
    BORDERS,
    CLAIMED,
    LABELS,
    METRIC,
    OPTIMIZERS,
    PRINTED,
    SOURCE,
    STEPS_PER_EPOCH,
    Comparison,
    Values,
    best_rate,
    comparisons,
    printed_at,
    printed_best_until,
)
from gansweep.papers.figures import (
    by_step,
    last_picture,
    losses_by_rate,
    mean_and_range,
    rate_colours,
    rate_legend,
    show_picture,
)
from gansweep.papers.runs import Run, grouped
from gansweep.plot_style import GREY, log_values, panels, styled
from gansweep.section import Block, List, Paragraph, Picture, Section, Strong, Table, Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = 4  # samples shown per band


def sections(runs: Sequence[Run]) -> list[Section]:
    """Return the sections of every protocol and scale."""
    written = []
    for grid in comparisons(runs):
        pictures = [
            Paragraph("The paper's figure 4, its figures 1 to 3 and the losses, from this sweep."),
            Picture(f"{grid.metric} during training (top) and the printed FID (bottom)", partial(curves, grid)),
            Picture("Generated digits in the paper's bands", partial(samples, grid)),
            Picture(f"Losses, seed {grid.seeds[0]}", partial(losses_by_rate, grid.settings)),
        ]
        written += [
            Section(f"Table I of the EPFL study: {grid.name}", _table(grid)),
            Section(f"Which rate is best: {grid.name}", _best_rates(grid)),
            Section(f"Pictures: {grid.name}", pictures),
        ]
    return written


def _table(grid: Comparison) -> list[Block]:
    """Return description, table of all settings with the printed values, and agreement."""
    column = printed_at(grid.label)
    theirs, ours = ranks({setting: column.get(setting) for setting in grid.settings}), ranks(grid.values("final"))
    rows = []
    for setting, runs in grid.settings.items():
        finals = [run.final for run in runs]
        present, value = [final for final in finals if final is not None], column.get(setting)
        agreement = "not in the table"
        if setting in column:
            agreement = verdict(value, finals, BORDERS, None if grid.same_metric else grid.borders)
        constant = " (constant)" if any(run.collapsed for run in runs) else ""
        values = "N/A" if value is None else f"{value:.2f}", f"{spread(present)}{constant}"
        lost, places = f"{len(finals) - len(present)} of {len(finals)}", (theirs.get(setting), ours.get(setting))
        rows.append([setting[0], rate(setting[1]), *values, lost, *(str(p or "") for p in places), agreement])
    head = ["optimizer", "lr", "printed", "ours", "N/A", "rank printed", "rank ours", "verdict"]
    return [*_description(grid), Table(head, rows), Paragraph(_agreement(grid, column))]


def _description(grid: Comparison) -> list[Block]:
    """Return a description of the grid and of the differences from the paper."""
    length = "1 epoch" if grid.epochs == 1 else f"{grid.epochs:.3g} epochs"
    compared = (
        f"Ours: {grid.metric} after {grid.runs[0].steps} steps ({length} of MNIST), mean and standard deviation over "
        f"{plural(len(grid.seeds), 'seed')} {', '.join(map(str, grid.seeds))}. Printed: FID of the checkpoint labelled "
        f"{grid.label}, which is the state after {grid.label + 1} {plural(grid.label + 1, 'epoch')}, of one seed. "
        f"Source: {SOURCE}."
    )
    differences = list(_differences(grid))
    listed = [Paragraph("What differs from the paper:"), List(differences)] if differences else []
    return [Paragraph(compared), *listed]


def _differences(grid: Comparison) -> Iterable[str]:
    data = grid.runs[0].choice("data")
    if data != "mnist":
        yield f"the data set is {data}, not MNIST: this tests the pack and says nothing about the paper"
    if not grid.same_metric:
        low, high = map(number, grid.borders)
        yield (
            f"the features are those of {grid.metric}, not of {METRIC}: only ranks are comparable, not "
            "values. The paper's bands of 100 and 200 are converted at the same fraction of the untrained "
            f"generator's value, {low} and {high} here"
        )
    if abs(grid.epochs - grid.label - 1) > 0.01:
        yield f"the length: {grid.epochs:.3g} epochs against {grid.label + 1}"
    if grid.label != LABELS[-1]:
        yield f"this is the column of label {grid.label}, not the paper's final one (table I itself)"
    if grid.protocol != "original_code":
        yield f"the protocol is {grid.protocol}; the printed numbers correspond to protocol=original_code"


def _agreement(grid: Comparison, column: Values) -> Text:
    """Return the rank correlation, the settings without a value, and the legend of the table."""
    rho, count = rank_correlation(column, grid.values("final"))
    known = [setting for setting in grid.settings if setting in column]
    lost = {setting for setting in known if all(run.final is None for run in grid.settings[setting])}
    printed_lost = {setting for setting in known if column[setting] is None}
    words = [
        f"Of {len(lost | printed_lost)} cells that are N/A in print or in all our seeds, {len(lost & printed_lost)} "
        "are N/A in both."
    ]
    if grid.same_metric:
        words.append("inside: the printed value lies in the 95 % prediction interval of one more seed.")
    if any(run.collapsed for run in grid.runs):
        words.append("(constant): all samples of a seed were equal at the end; the run continued, as in the study.")
    if math.isnan(rho):
        return " ".join(["too few cells for a rank correlation.", *words])
    then = " ".join([f" over the {count} cells that both have.", *words])
    return ["Spearman's rank correlation of printed and ours is ", Strong(f"{rho:.2f}"), then]


def _best_rates(grid: Comparison) -> list[Block]:
    """Return the best rate of every optimizer by final value and by best checkpoint, printed and ours."""
    columns = [printed_at(grid.label), printed_best_until(grid.label), grid.values("final"), grid.values("best")]
    rows = []
    for optimizer in dict.fromkeys(name for name, _ in grid.settings):
        counts = (
            sum(best_rate(grid.values(of, seed), optimizer) == CLAIMED for seed in grid.seeds)
            for of in ("final", "best")
        )
        best = [rate(best_rate(values, optimizer)) for values in columns]
        rows.append([optimizer, *best, *(f"{count} of {len(grid.seeds)}" for count in counts)])
    head = ["optimizer", "printed, final", "printed, best checkpoint", "ours, final", "ours, best checkpoint"]
    head += ["seeds best at 1e-4, final", "best checkpoint"]
    return [Table(head, rows), Paragraph(_claim(grid))]


def _claim(grid: Comparison) -> Text:
    """Return whether the paper's statement holds in every seed, and in the printed column."""
    claim = '"All optimizers are best at 1e-4"'
    if grid.runs[0].choice("data") != "mnist":
        return f"{claim} cannot be tested: the data set is not MNIST."
    rates, optimizers = {lr for _, lr in grid.settings}, {name for name, _ in grid.settings}
    if not (rates >= {1e-3, CLAIMED, 1e-5} and optimizers >= set(OPTIMIZERS)):
        return f"{claim} cannot be tested: the grid is incomplete."
    by_seed = [grid.values("final", seed) for seed in grid.seeds]
    holds = sum(all(best_rate(values, optimizer) == CLAIMED for optimizer in OPTIMIZERS) for values in by_seed)
    seeds = f"holds in {holds} of {len(by_seed)} {plural(len(by_seed), 'seed')}"
    return [f"{claim} ", Strong(seeds), f".{_claim_in_print(grid.label)}"]


def _claim_in_print(label: int) -> str:
    if label == LABELS[-1]:
        return ""
    printed = {optimizer: best_rate(printed_at(label), optimizer) for optimizer in OPTIMIZERS}
    others = ", ".join(f"{name} {rate(lr)}" for name, lr in printed.items() if lr != CLAIMED)
    then = f"does not hold in print either ({others})" if others else "holds in print"
    return f" The paper states it for label {LABELS[-1]}; at label {label} it {then}."


def curves(grid: Comparison) -> Figure:
    """Draw figure 4: the metric over epochs, one column per optimizer, ours above the printed curves."""
    optimizers = list(dict.fromkeys(name for name, _ in grid.settings))
    colours = rate_colours(lr for _, lr in [*grid.settings, *PRINTED])
    with styled():
        figure, axes = panels(2 * len(optimizers), len(optimizers), "", (3.0, 2.4))
        ours, printed = axes[: len(optimizers)], axes[len(optimizers) :]
        for optimizer, above, below in zip(optimizers, ours, printed, strict=True):
            above.set_title(optimizer)
            for (name, lr), runs in grid.settings.items():
                if name == optimizer:
                    columns = by_step([run.values() for run in runs])
                    mean_and_range(above, [step / STEPS_PER_EPOCH for step in columns], columns.values(), colours[lr])
            for (name, lr), row in PRINTED.items():
                if name == optimizer and row is not None:
                    below.plot([label + 1 for label in LABELS], row, color=colours[lr], lw=1.2, marker=".")
            below.axvline(grid.epochs, color=GREY, lw=0.6, ls=":")
        for row, label in ((ours, f"ours, {grid.metric}"), (printed, "printed FID")):
            row[0].set_ylabel(label)
            for axis in row:
                log_values(axis)
                axis.set_xlabel("epochs")
            low, high = zip(*(axis.get_ylim() for axis in row), strict=True)
            for axis in row:
                axis.set_ylim(min(low), max(high))
        rate_legend(figure, colours)
        return figure


def samples(grid: Comparison) -> Figure:
    """Draw figures 1 to 3: samples of up to four runs of the first seed per band, by value."""
    low, high = map(number, grid.borders)
    names = (f"below {low}", f"{low} to {high}", f"above {high}")
    ended = [run for run in grid.runs if run.seed == grid.seeds[0] and run.final is not None and last_picture(run)]
    bands = grouped(sorted(ended, key=lambda run: run.final or 0.0), lambda run: band(run.final or 0.0, grid.borders))
    empty = [name for n, name in enumerate(names) if n not in bands]
    with styled():
        title = f"no cell {' or '.join(empty)}" if empty else ""
        figure, axes = panels(max(1, len(bands)) * PICTURES, PICTURES, title, (2.3, 2.5))
        for axis in axes:
            axis.axis("off")
        for row, (n, runs) in enumerate(sorted(bands.items())):
            for column, run in enumerate(_evenly(runs)):
                text = f"{run.choice('optimizer')} {rate(run.lr)}: {number(run.final or 0.0)}"
                above = "" if column else names[n]
                show_picture(axes[row * PICTURES + column], last_picture(run), f"{above}\n{text}")
        return figure


def _evenly(runs: list[Run]) -> list[Run]:
    """Return up to `PICTURES` runs, evenly spaced, including the first and the last."""
    if len(runs) <= PICTURES:
        return runs
    return [runs[round(n * (len(runs) - 1) / (PICTURES - 1))] for n in range(PICTURES)]
