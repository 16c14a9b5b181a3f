"""Tests of the statements: functions from the runs of a sweep to the parts of a statement."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

from gansweep.dirac.convergence import ROWS, SHRUNK
from gansweep.papers import coopnets, epfl_table1, forsyth, mescheder
from gansweep.papers.compare import rate
from gansweep.papers.epfl_table1 import CLAIMED, LABELS, STEPS_PER_EPOCH, UNTRAINED, Setting, printed_at
from gansweep.papers.parts import Part, alike, better, deterministic, most, same_order
from gansweep.papers.runs import grouped
from gansweep.papers.statement import Row
from gansweep.statistics.paired import Scores

ALIKE = 0.1  # largest difference that counts as none, of that between an untrained generator and real samples
NAMES = {"standard": "no regularisation", "wgan_gp": "WGAN-GP"}
SAMPLED = "instance_noise"  # the method of table 1 whose gradient is random
LOSS = "reconstruction_error"  # a column that results.csv does not have; the curves of a record do


def scores(rows: Sequence[Row], column: str = "final", sign: int = 1) -> Scores:
    """Return the values by seed times `sign`; NaN for a diverged run."""
    return {row["seed"]: sign * float(row[column]) if row[column] else math.nan for row in rows}


def length(rows: Sequence[Row]) -> int:
    """Return the steps of the longest run."""
    return max((int(row["steps_done"]) for row in rows), default=0)


def method(row: Row) -> str:
    """Return `r1` for the experiment mescheder_images/r1."""
    return row["experiment"].rpartition("/")[2]


def span(rows: Sequence[Row]) -> float:
    """Return the mean distance of the metric between an untrained generator and real samples; 1 if unknown."""
    spans = [float(row["untrained"]) - float(row["floor"] or 0) for row in rows if row["untrained"]]
    return statistics.fmean(spans) if spans else 1.0


def epfl_grids(rows: Sequence[Row]) -> list[tuple[str, dict[Setting, list[Row]], int]]:
    """Return the cells of table I by optimizer and rate, for every protocol and length: name, cells, steps."""
    grids = []
    for group in grouped(rows, lambda row: tuple(map(row.get, ("protocol", "scale", "epochs", "steps")))).values():
        cells = grouped(group, lambda row: (row["optimizer"], float(row["lr"])))
        steps = length(group)
        grids.append((f"epoch {steps / STEPS_PER_EPOCH:.3g}", cells, steps))
    return grids


def best_at_the_same_rate(rows: Sequence[Row]) -> list[Part]:
    """Compare 1e-4 with every other rate that has values in print, for every optimizer."""
    parts = []
    printed = printed_at(LABELS[-1])
    for name, cells, steps in epfl_grids(rows):
        scale = statistics.fmean(float(row["untrained"]) for group in cells.values() for row in group)
        for (optimizer, lr), group in cells.items():
            if lr == CLAIMED or (optimizer, CLAIMED) not in cells or (theirs := printed[optimizer, lr]) is None:
                continue
            gap = (theirs - (printed[optimizer, CLAIMED] or math.nan)) / (UNTRAINED or (math.nan,))[0]
            label = f"{optimizer} {rate(lr)}, {name}"
            parts.append(better(label, scores(cells[optimizer, CLAIMED]), scores(group), scale, gap, steps))
    return parts


def sgd_diverges(rows: Sequence[Row]) -> list[Part]:
    """Count the diverged runs of SGD at the rates that are N/A in print and at the others."""
    sgd = [row for row in rows if row["optimizer"] == "sgd"]
    lost = [row for row in sgd if epfl_table1.PRINTED["sgd", float(row["lr"])] is None]
    kept = [row for row in sgd if row not in lost]
    counts = [sum(row["state"] == "diverged" for row in group) for group in (lost, kept)]
    return [
        most("SGD at 1e-3, 1e-2, 1e-1: share diverged", counts[0], len(lost), True, 1.0, length(sgd)),
        most("SGD at 1e-7 to 1e-4: share diverged", counts[1], len(kept), False, 0.0, length(sgd)),
    ]


def order_of_the_table(rows: Sequence[Row]) -> list[Part]:
    """Compare the order of all cells with the printed column that is nearest in length."""
    parts = []
    for name, cells, steps in epfl_grids(rows):
        label = min(LABELS, key=lambda label: abs(label + 1 - steps / STEPS_PER_EPOCH))
        column, ours = {}, {}
        for (optimizer, lr), group in cells.items():
            printed = printed_at(label).get((optimizer, lr))
            if printed is not None:
                column[f"{optimizer} {rate(lr)}"] = printed
                ours[f"{optimizer} {rate(lr)}"] = [float(row["final"]) for row in group if row["final"]]
        parts.append(same_order(f"rank correlation with label {label}, {name}", column, ours, "cells", steps))
    return parts


def schedules(rows: Sequence[Row]) -> dict[int, list[Row]]:
    """Return the runs with a reconstruction error by experiment number."""
    known = [row for row in rows if row.get(LOSS) and method(row).startswith("exp_")]
    return {int(method(group[0])[4:]): group for group in grouped(known, method).values()}


def order_of_the_schedules(rows: Sequence[Row]) -> list[Part]:
    """Compare the order of the losses with the printed one."""
    ours = {str(exp): [float(row[LOSS]) for row in group] for exp, group in schedules(rows).items()}
    printed = {str(exp): value for exp, value in coopnets.PRINTED_LOSSES.items() if value is not None}
    return [same_order("rank correlation", printed, ours, "schedules", length(rows))]


def best_and_worst_schedule(rows: Sequence[Row]) -> list[Part]:
    """Compare schedule 7 with every other schedule, and every other one with schedule 6."""
    groups, printed = schedules(rows), coopnets.PRINTED_LOSSES
    pairs = [(7, exp) for exp in sorted(groups) if exp != 7] + [(exp, 6) for exp in sorted(groups) if exp not in (6, 7)]
    parts = []
    for first, second in pairs:
        if {first, second} <= groups.keys():
            a, b = printed[first], printed[second]
            gap = None if a is None or b is None else b - a
            ours, others = scores(groups[first], LOSS), scores(groups[second], LOSS)
            parts.append(better(f"{first} better than {second}", ours, others, printed=gap, steps=length(rows)))
    return parts


def dirac_methods(rows: Sequence[Row]) -> list[Part]:
    """Return for every method of table 1 without random gradients whether theta converges as printed."""
    return [part for name, part in _convergence(rows).items() if name != SAMPLED]


def dirac_noise(rows: Sequence[Row]) -> list[Part]:
    """Return whether theta converges with sampled instance noise; a trajectory that does not decides nothing."""
    return [
        part if part.p_for == 0 else replace(part, p_against=1.0, needs="the expectation over the noise")
        for name, part in _convergence(rows).items()
        if name == SAMPLED
    ]


def _convergence(rows: Sequence[Row]) -> dict[str, Part]:
    parts, border = {}, math.log10(SHRUNK)
    for name, (field, _) in zip(mescheder.DIRAC_METHODS, ROWS, strict=True):
        runs = [row for row in rows if method(row) == name]
        if not runs or field.converges is None:
            continue
        ends = [float(row["final"]) / float(row["untrained"]) if row["final"] else math.inf for row in runs]
        claimed = (-math.inf, border) if field.converges.general else (border, math.inf)
        parts[name] = deterministic(field.label, math.log10(max(ends)), claimed, length(runs))
    return parts


def plane(rows: Sequence[Row]) -> dict[str, Scores]:
    """Return W1 by method and seed: mean over the shapes, each at the best setting, in units of `span`."""
    values: dict[str, dict[str, list[float]]] = {}
    for (loss, _), group in grouped(rows, lambda row: (row["loss"], row["data"])).items():
        settings = grouped(group, lambda row: (row["lr"], row["critic_steps"])).values()
        best = min((scores(own) for own in settings), key=_mean_or_inf)
        for seed, value in best.items():
            values.setdefault(loss, {}).setdefault(seed, []).append(value / span(group))
    return {loss: {seed: statistics.fmean(v) for seed, v in own.items()} for loss, own in values.items()}


def _mean_or_inf(values: Scores) -> float:
    mean = statistics.fmean(values.values())
    return math.inf if math.isnan(mean) else mean


def plane_alike(rows: Sequence[Row]) -> list[Part]:
    """Test whether R1 and R2 differ by less than `ALIKE`."""
    methods = plane(rows)
    if not {"r1", "r2"} <= methods.keys():
        return []
    return [alike("R2 - R1", methods["r1"], methods["r2"], ALIKE, steps=length(rows))]


def plane_better(rows: Sequence[Row]) -> list[Part]:
    """Compare R1 and R2 with no regularisation and WGAN-GP."""
    methods = plane(rows)
    pairs = itertools.product(("r1", "r2"), ("standard", "wgan_gp"))
    return [
        better(f"{first} better than {NAMES[second]}", methods[first], methods[second], steps=length(rows))
        for first, second in pairs
        if first in methods and second in methods
    ]


def images_better(rows: Sequence[Row]) -> list[Part]:
    """Compare R1 and R2 with training without a penalty."""
    groups = grouped(rows, method)
    return [
        better(
            f"{first} better than none", scores(groups[first]), scores(groups["none"]), span(rows), None, length(rows)
        )
        for first in ("r1", "r2")
        if first in groups and "none" in groups
    ]


def skips_help(rows: Sequence[Row]) -> list[Part]:
    """Compare the networks by PSNR, each at its best rate, for every optimizer."""
    parts = []
    for optimizer, own in grouped(rows, lambda row: row["optimizer"]).items():
        best = {}
        for skips, group in grouped(own, lambda row: row["model.skips"]).items():
            rates = [scores(runs, sign=-1) for runs in grouped(group, lambda row: row["lr"]).values()]
            best[skips] = min(rates, key=_mean_or_inf)
        for (less, before), (more, after) in itertools.pairwise(forsyth.PRINTED.items()):
            if {less, more} <= best.keys():
                label = f"{after[0].lower()} - {before[0].lower()}, {optimizer}"
                parts.append(better(label, best[more], best[less], 1.0, after[1] - before[1], length(own)))
    return parts


def cfg_better(rows: Sequence[Row]) -> list[Part]:
    """Compare CFG with WGAN-GP on each data set."""
    parts = []
    for data in ("mnist", "cifar10"):
        groups = {name: [row for row in rows if method(row).endswith(f"{data}_{name}")] for name in ("cfg", "wgan_gp")}
        if all(groups.values()):
            first, second = map(scores, groups.values())
            parts.append(better(data, first, second, span(groups["cfg"]), None, length(groups["cfg"])))
    return parts
