"""EPFL study: effect on the metric of each deviation of its code from WGAN-GP, applied cumulatively."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.formatting import number
from gansweep.papers.epfl_comparison import OPTIMIZERS
from gansweep.papers.printed import rate
from gansweep.papers.trained import Trained, parted, read
from gansweep.plot_style import BLUE, GREY, VERMILION, panels, styled
from gansweep.section import Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "epfl_quirks"
# The protocols in order; each adds one switch to the previous one.
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
Finals = dict[str, dict[int, float | None]]  # final value by protocol and seed, None for a diverged run


def sections(directory: Path) -> list[Section]:
    """Return a section for every scale and feature network in a sweep."""
    groups = parted(read(directory, NAME), lambda one: (one.said("scale", "full"), _metric_name(one), one.lr))
    return [
        Section(
            f"From WGAN-GP to the EPFL study's code: scale {scale}, lr {rate(lr)}, {metric}",
            _text(_paths(cells)),
            {
                f"{metric} from protocol to protocol, relative to the untrained generator; dots are seeds": partial(
                    waterfall, _paths(cells, shares=True)
                )
            },
        )
        for (scale, metric, lr), cells in groups.items()
    ]


def _metric_name(one: Trained) -> str:
    """Return the name of the metric without the suffix of the input range."""
    return str(one.metric.get("name", "")).removesuffix("_-3")


def _paths(cells: list[Trained], shares: bool = False) -> dict[str, Finals]:
    """Return final values by optimizer, protocol and seed; with `shares`, relative to the untrained value."""
    order = [name for name in OPTIMIZERS if any(one.said("optimizer") == name for one in cells)]
    found: dict[str, Finals] = {name: {} for name in order}
    for one in cells:
        path = found.setdefault(one.said("optimizer"), {})
        value = one.final
        if shares and value is not None:
            value /= one.metric["untrained"]
        path.setdefault(one.said("protocol", "wgan_gp"), {})[one.seed] = value
    return found


def changes(path: Finals) -> dict[str, list[float]]:
    """Return the change by every switch, one number for each seed that has both values."""
    known = [name for name in STEPS if name in path]
    found = {}
    for before, after in itertools.pairwise(known):
        pairs = [(path[before].get(seed), value) for seed, value in path[after].items()]
        found[after] = [b - a for a, b in pairs if a is not None and b is not None]
    return found


def _text(paths: Mapping[str, Finals]) -> str:
    """Return a table of the values after each switch, and of the changes."""
    head = "| switch | " + " | ".join(f"{name} | change" for name in paths) + " |"
    rows = [head, "|---" * (1 + 2 * len(paths)) + "|"]
    differences_by_optimizer = {name: changes(path) for name, path in paths.items()}
    for step, words in STEPS.items():
        if not any(step in path for path in paths.values()):
            same = "same training as above" if step == "last_label" else "not trained"
            rows.append(f"| {words} | {same}{' |' * (2 * len(paths))}")
            continue
        parts = []
        for name, path in paths.items():
            values = [value for value in path.get(step, {}).values() if value is not None]
            lost = len(path.get(step, {})) - len(values)
            shown = number(statistics.fmean(values)) if values else "N/A"
            parts += [
                f"{shown} ({lost} N/A)" if lost and values else shown,
                _change(differences_by_optimizer[name].get(step, [])),
            ]
        rows.append(f"| {words} | {' | '.join(parts)} |")
    seeds = sorted({seed for path in paths.values() for one in path.values() for seed in one})
    return (
        f"Final values, every row includes all switches above it, mean over seeds {', '.join(map(str, seeds))}; change "
        "by the switch, mean and standard deviation of the differences per seed. The last two switches change "
        "the metric and not the training; dropout in evaluation changes neither.\n\n" + "\n".join(rows)
    )


def _change(differences: list[float]) -> str:
    if not differences:
        return ""
    mean = statistics.fmean(differences)
    spread = f" ± {number(statistics.stdev(differences), like=mean)}" if len(differences) > 1 else ""
    return f"{'+' if mean >= 0 else '-'}{number(abs(mean))}{spread}"


def waterfall(shares: Mapping[str, Finals]) -> Figure:
    """Draw the change of the mean by every switch as a waterfall chart, one panel per optimizer.

    Values are relative to the untrained generator; otherwise the switch that changes the metric would dominate.
    """
    with styled():
        figure, axes = panels(len(shares), len(shares), "", (4.2, 3.4))
        for n, (axis, (name, path)) in enumerate(zip(axes, shares.items(), strict=True)):
            axis.set(title=name, xlabel="value / untrained value")
            _bars(axis, path)
            if n:
                axis.set_yticklabels([])
        widest = max(axis.get_xlim()[1] for axis in axes)
        for axis in axes:
            axis.set_xlim(0, widest)
        return figure


def _bars(axis: Axes, path: Finals) -> None:
    known = [name for name in STEPS if name in path]
    before = None
    for place, name in enumerate(known):
        values = [value for value in path[name].values() if value is not None]
        if not values:
            axis.text(0.5, place, "N/A", transform=axis.get_yaxis_transform(), va="center", color=GREY)
            before = None
            continue
        mean, end = statistics.fmean(values), place in (0, len(known) - 1)
        left = 0.0 if before is None else before
        colour = GREY if before is None else BLUE if mean < left else VERMILION
        axis.barh(place, mean - left, left=left, color=colour, height=0.6)
        axis.plot([*values], [place] * len(values), ".", color="black", markersize=3)
        if before is not None:
            axis.plot([left, left], [place - 1, place], color=GREY, lw=0.6)
        label = f"{mean:.1%}" if before is None or end else f"{mean - left:+.1%}"
        axis.annotate(
            label, (max(mean, left, *values), place), (4, 0), textcoords="offset points", va="center", fontsize=7
        )
        before = mean
    axis.set_yticks(range(len(known)), [STEPS[name] for name in known])
    axis.invert_yaxis()
    axis.margins(x=0.2)
