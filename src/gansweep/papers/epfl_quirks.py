"""EPFL study: effect on the metric of each deviation of its code from WGAN-GP, applied cumulatively."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from gansweep.formatting import number
from gansweep.papers.compare import mean, rate, shown
from gansweep.papers.epfl_table1 import OPTIMIZERS
from gansweep.papers.runs import Run, tables
from gansweep.plot_style import BLUE, GREY, VERMILION, panels, styled
from gansweep.section import Block, Paragraph, Picture, Section, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The protocols in order; each adds one switch to the previous table.
STEPS: Mapping[str, str] = {
    "wgan_gp": "WGAN-GP as published",
    "same_minibatch": "one real minibatch for all five critic steps",
    "same_latents": "generator step on the latents of the fifth critic step",
    "penalty_weight": "penalty coefficient 1 instead of 10",
    "norm_per_pixel": "gradient norm and mean per pixel",
    "dropout_in_evaluation": "dropout active in evaluation",
    "last_label": "291 epochs instead of 300",
    "drawn_reals": "1000 real images, drawn with replacement",
    "input_range": "feature network input [-3, 1] instead of [-1, 1]",
}
SWITCHES = ("dynamics", "loss", "model.dropout_in_evaluation", "epochs", "steps", "metric")
Finals = dict[str, dict[int, float | None]]  # final value by protocol and seed, None for a diverged run


def sections(runs: Sequence[Run]) -> list[Section]:
    """Return a section for every scale, learning rate and feature network."""
    run_tables = tables(
        runs,
        lambda run: (run.choice("scale", "full"), _network(run), run.lr),
        lambda run: (run.choice("optimizer"), run.choice("protocol", "wgan_gp")),
        varied=("config.optimizer", "metric", *(f"config.{switch}" for switch in SWITCHES)),
    )
    written = []
    for table in run_tables:
        scale, metric, lr = table.key
        title = f"From WGAN-GP to the EPFL study's code: scale {scale}, lr {rate(lr)}, {metric}{table.note}"
        caption = f"{metric} from protocol to protocol, relative to the untrained generator; dots are seeds"
        picture = Picture(caption, partial(waterfall, finals_of(table.runs, relative=True)))
        written.append(Section(title, [*_blocks(finals_of(table.runs)), picture]))
    return written


def _network(run: Run) -> str:
    """Return the name of the metric without the suffix of the input range."""
    return str(run.metric.get("name", "")).removesuffix("_-3")


def finals_of(runs: Sequence[Run], relative: bool = False) -> dict[str, Finals]:
    """Return final values by optimizer, protocol and seed; `relative` divides by the untrained value."""
    names = {run.choice("optimizer") for run in runs}
    finals: dict[str, Finals] = {name: {} for name in OPTIMIZERS if name in names}
    for run in runs:
        value = run.final
        if relative and value is not None:
            value /= run.metric["untrained"]
        by_protocol = finals.setdefault(run.choice("optimizer"), {})
        by_protocol.setdefault(run.choice("protocol", "wgan_gp"), {})[run.seed] = value
    return finals


def changes(finals: Finals) -> dict[str, list[float]]:
    """Return the change by every switch, one number for each seed that has both values."""
    changed = {}
    for before, after in itertools.pairwise(name for name in STEPS if name in finals):
        pairs = [(finals[before].get(seed), value) for seed, value in finals[after].items()]
        changed[after] = [b - a for a, b in pairs if a is not None and b is not None]
    return changed


def _blocks(by_optimizer: Mapping[str, Finals]) -> list[Block]:
    """Return a description, and a table of the values after each switch and of the changes."""
    differences = {name: changes(finals) for name, finals in by_optimizer.items()}
    rows = []
    for step, description in STEPS.items():
        if not any(step in finals for finals in by_optimizer.values()):
            reason = "same training as above" if step == "last_label" else "not trained"
            rows.append([description, reason, *[""] * (2 * len(by_optimizer) - 1)])
            continue
        row = [description]
        for name, finals in by_optimizer.items():
            values = finals.get(step, {}).values()
            average, lost = mean(values), sum(value is None for value in values)
            lost_seeds = f" ({lost} N/A)" if lost and average is not None else ""
            row += [f"{shown(average)}{lost_seeds}", _change(differences[name].get(step, []))]
        rows.append(row)
    head = ["switch", *itertools.chain.from_iterable((name, "change") for name in by_optimizer)]
    seeds = sorted({seed for finals in by_optimizer.values() for values in finals.values() for seed in values})
    description = (
        f"Final values, every row includes all switches above it, mean over seeds {', '.join(map(str, seeds))}; change "
        "by the switch, mean and standard deviation of the differences per seed. The last two switches change "
        "the metric and not the training; dropout in evaluation changes neither."
    )
    return [Paragraph(description), Table(head, rows)]


def _change(differences: list[float]) -> str:
    if not differences:
        return ""
    average = statistics.fmean(differences)
    spread = f" ± {number(statistics.stdev(differences), like=average)}" if len(differences) > 1 else ""
    return f"{'+' if average >= 0 else '-'}{number(abs(average))}{spread}"


def waterfall(relative: Mapping[str, Finals]) -> Figure:
    """Draw the change of the mean by every switch as a waterfall chart, one panel per optimizer.

    Values are relative to the untrained generator; otherwise the switch that changes the metric would dominate.
    """
    with styled():
        figure, axes = panels(len(relative), len(relative), "", (4.2, 3.4))
        for n, (axis, (name, finals)) in enumerate(zip(axes, relative.items(), strict=True)):
            axis.set(title=name, xlabel="value / untrained value")
            _bars(axis, finals)
            if n:
                axis.set_yticklabels([])
        widest = max(axis.get_xlim()[1] for axis in axes)
        for axis in axes:
            axis.set_xlim(0, widest)
        return figure


def _bars(axis: Axes, finals: Finals) -> None:
    known = [name for name in STEPS if name in finals]
    before = None
    for y, name in enumerate(known):
        values = [value for value in finals[name].values() if value is not None]
        if not values:
            axis.text(0.5, y, "N/A", transform=axis.get_yaxis_transform(), va="center", color=GREY)
            before = None
            continue
        average, end = statistics.fmean(values), y in (0, len(known) - 1)
        left = 0.0 if before is None else before
        colour = GREY if before is None else BLUE if average < left else VERMILION
        axis.barh(y, average - left, left=left, color=colour, height=0.6)
        axis.plot(values, [y] * len(values), ".", color="black", markersize=3)
        if before is not None:
            axis.plot([left, left], [y - 1, y], color=GREY, lw=0.6)
        label = f"{average:.1%}" if before is None or end else f"{average - left:+.1%}"
        right = max(average, left, *values)
        axis.annotate(label, (right, y), (4, 0), textcoords="offset points", va="center", fontsize=7)
        before = average
    axis.set_yticks(range(len(known)), [STEPS[name] for name in known])
    axis.invert_yaxis()
    axis.margins(x=0.2)
