"""Report section: the metric against settings, steps and time, with losses and schedules of the runs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.formatting import counted, metric_label
from gansweep.plot_style import grid_lines, key, legend, line, panels, styled, wrapped
from gansweep.report import charts
from gansweep.report.curves import curves_picture, metrics
from gansweep.report.plot_axes import MAX_PANELS, RATES, PlotAxes
from gansweep.report.rates import heat_picture, rates_picture
from gansweep.report.verdict import Verdict
from gansweep.section import Chart, Paragraph, Picture, Section
from gansweep.sweep.cell import Result
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import value
from gansweep.training.events import event_files, losses
from gansweep.training.record import trained_s

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def section(verdict: Verdict) -> Section | None:
    """Return the section with all applicable figures; None if no run has a value."""
    if not any(one.estimate.n for one in verdict.leaderboard.configurations):
        return None
    timed, num_omitted = _timed(verdict), _num_omitted(PlotAxes.of(verdict.leaderboard))
    text = "The figures show all finished runs."
    if num_omitted:
        others = counted(num_omitted, "other combination is", "other combinations are")
        text += f" Figures show the first {MAX_PANELS} panels; {others} in the table."
    paragraph = Paragraph(text + _about_time(timed))
    return Section("Values", [paragraph, *_pictures(verdict, bool(timed))], needs_pictures=True)


def _pictures(verdict: Verdict, timed: bool) -> list[Picture]:
    leaderboard, layout = verdict.leaderboard, PlotAxes.of(verdict.leaderboard)
    value_name = f"{leaderboard.how.capitalize()} {leaderboard.metric_label}"
    pictures = []
    if len(layout.rates) > 1:
        caption = f"{value_name} against {layout.rate}: means, 95 % intervals and N/A runs"
        pictures.append(Picture(caption, partial(rates_picture, verdict), Chart("rates"), name=_by(layout)))
        if len(layout.methods) > 1:
            ends = f"; {leaderboard.references}" if leaderboard.references else ""
            caption = f"{value_name} by {layout.method} and {layout.rate}; hatched: every run is N/A{ends}"
            pictures.append(
                Picture(caption, partial(heat_picture, verdict), Chart("heat"), name=f"heat_map_{_by(layout)}")
            )
    repeated = any(len(one.scores) > 1 for one in leaderboard.configurations)
    seeds = ": mean over seeds, band from lowest to highest seed" if repeated else ""
    for field, metric in metrics(leaderboard).items():
        for axis, over_time in {"steps": False, "training time": True}.items():
            if timed or not over_time:
                label = metric_label(str(metric.get("name", "result")))
                draw = partial(curves_picture, verdict, field, over_time)
                name = f"{metric.get('name')}_over_{'time' if over_time else 'steps'}"
                chart = Chart("curves", partial(dict, field=field, over_time=over_time))
                pictures.append(Picture(f"{label} over the {axis}{seeds}", draw, chart, name=name))
    if shown_runs(verdict):
        caption = "Losses of the best configuration of each method, run with the median value"
        pictures.append(
            Picture(caption, partial(losses_picture, verdict), _lines(losses_panels, verdict), name="losses")
        )
    if varies(verdict):
        caption = "Learning rate schedules, as factors of the base rate"
        chart = _lines(schedules_panels, verdict)
        pictures.append(Picture(caption, partial(schedules_picture, verdict), chart, name="schedules"))
    return pictures


def _lines(panels: Callable[[Verdict], dict[str, Any]], verdict: Verdict) -> Chart:
    return Chart("lines", partial(panels, verdict))


def _by(layout: PlotAxes) -> str:
    """Return the name of the figures over the rate, for example `rates_by_optimizer`."""
    name = "rates" if layout.rate in RATES else str(layout.rate)
    return f"{name}_by_{layout.method}" if layout.method else name


def _num_omitted(layout: PlotAxes) -> int:
    combinations = {tuple(str(one.settings[key]) for key in layout.rest) for one in layout.leaderboard.configurations}
    return max(0, len(combinations) - MAX_PANELS)


def _timed(verdict: Verdict) -> list[Mapping[str, Any]]:
    """Return the records with a training time for evaluations after the first."""
    records = [result.record for result in verdict.leaderboard.results if result.record and result.metric]
    return [record for record in records if any(trained_s(record).values())]


def _about_time(timed: Sequence[Mapping[str, Any]]) -> str:
    """Return the definition of the training time on the x axis; empty without timed records."""
    if not timed:
        return ""
    text = " Time is pure training time, without evaluation, plotting and checkpoints."
    if any((record.get("pack") or {}).get("members", 1) > 1 for record in timed):
        text += " Runs trained as one pack are all assigned the time of the whole pack; compare them with care."
    if any("evaluations" not in record["time"] for record in timed):
        text += " Some records hold only the mean speed; their steps are assumed to take equal time."
    return text


PLAYERS = {"discriminator": line(0), "generator": line(1)}
MAX_RUNS, IN_A_ROW = 6, 3


def losses_picture(verdict: Verdict) -> Figure:
    """Draw the losses of the best configuration of every method, run with the median value; at most six panels."""
    parts = shown_runs(verdict)
    players: set[str] = set()
    with styled():
        size = (3.5, 2.5) if len(parts) > 1 else (5.6, 3.2)
        figure, axes = panels(len(parts), min(len(parts), IN_A_ROW), "", size)
        for n, (axis, (title, result)) in enumerate(zip(axes, parts, strict=True)):
            for player, values in finite_losses(result).items():
                players.add(player)
                axis.plot(list(values), list(values.values()), **PLAYERS[player], linewidth=1.2)
            axis.set(title=title, xlabel="step (generator updates)")
            if n % IN_A_ROW == 0:
                axis.set_ylabel("loss")
            axis.locator_params(axis="x", nbins=5)
            grid_lines(axis)
        legend(figure, [key(player, lw=1.6, **style) for player, style in PLAYERS.items() if player in players])
    return figure


def finite_losses(result: Result) -> dict[str, dict[int, float]]:
    """Return the losses of both players of a run by step, as far as they are finite."""
    return {
        player: {step: value for step, value in values.items() if math.isfinite(value)}
        for player, values in losses(result.cell.directory).items()
    }


def losses_panels(verdict: Verdict) -> dict[str, Any]:
    """Return the losses that `losses_picture` draws, as options of the chart `lines`."""
    parts = [
        {
            "title": " ".join(title.split()),
            "cell": result.cell.short_hash,
            "lines": [
                charts.line(player, list(values), list(values.values()))
                for player, values in finite_losses(result).items()
            ],
        }
        for title, result in shown_runs(verdict)
    ]
    return {"panels": parts, "x": "step (generator updates)", "y": "loss", "log": False}


def shown_runs(verdict: Verdict) -> list[tuple[str, Result]]:
    """Return title and run of the best configuration of every method that has event files."""
    leaderboard, layout = verdict.leaderboard, PlotAxes.of(verdict.leaderboard)
    runs: dict[str, tuple[str, Result]] = {}
    for place in verdict.order:
        configuration = leaderboard.configurations[place]
        method = layout.label(configuration.settings.get(layout.method or ""))
        run = configuration.runs[verdict.median_run(place)]
        if method not in runs and event_files(run.cell.directory):
            runs[method] = (wrapped(configuration.name), run)
    return list(runs.values())[:MAX_RUNS]


CONSTANT = "gansweep.schedules.constant.Constant"
SCHEDULES = {"schedule": "generator", "schedule_d": "discriminator"}


def schedule_values(verdict: Verdict) -> dict[str, np.ndarray]:
    """Return the distinct schedules of both players by name: factors of the base rate (steps,)."""
    from gansweep.config.instantiate import Broken, Constructor

    distinct: dict[str, tuple[str, Any, int]] = {}  # by content: name, node, steps
    for result in verdict.leaderboard.results:
        config = result.cell.config
        steps = (result.record or {}).get("config", config).get("steps")
        for setting, player in SCHEDULES.items():
            node = config.get(setting)
            if not isinstance(node, Mapping) or "_target_" not in node or not isinstance(steps, int):
                continue
            chosen = plain(value(result.cell, setting))
            name = chosen if chosen != "default" else str(node["_target_"]).rpartition(".")[2].lower()
            label = name if setting == "schedule" else f"{name} ({player})"
            distinct.setdefault(json.dumps([node, steps], sort_keys=True), (label, node, steps))
    found: dict[str, np.ndarray] = {}
    for label, node, steps in distinct.values():
        schedule = Constructor()(json.loads(json.dumps(node)), "schedule")
        if isinstance(schedule, Broken):
            continue  # classes of other packages are not loaded here
        while label in found:
            label += "'"
        found[label] = np.asarray(schedule.values(steps), dtype=float)
    return found


def varies(verdict: Verdict) -> bool:
    """Return whether some run has a non-constant schedule, without constructing schedules."""
    nodes = [result.cell.config.get(setting) for result in verdict.leaderboard.results for setting in SCHEDULES]
    return any(isinstance(node, Mapping) and node.get("_target_", CONSTANT) != CONSTANT for node in nodes)


def schedules_panels(verdict: Verdict) -> dict[str, Any]:
    """Return the factors that `schedules_picture` draws, as options of the chart `lines`."""
    lines = [charts.line(name, range(len(rates)), rates.tolist()) for name, rates in schedule_values(verdict).items()]
    return {"panels": [{"lines": lines}], "x": "step (generator updates)", "y": "factor of the base rate", "log": False}


def schedules_picture(verdict: Verdict) -> Figure:
    """Draw the factor of the base rate over training steps."""
    found = schedule_values(verdict)
    looks = [line(n) for n in range(len(found))]
    with styled():
        figure, (axis,) = panels(1, 1, "", (5.6, 3.0))
        for rates, style in zip(found.values(), looks, strict=True):
            steps = np.arange(len(rates) + 1)
            axis.plot(steps, [*rates, rates[-1]], drawstyle="steps-post", linewidth=1.6, **style)
        axis.set(xlabel="step (generator updates)", ylabel="factor of the base rate")
        positive = [rates[rates > 0] for rates in found.values() if (rates > 0).any()]
        # The quantile keeps a cosine linear: it ends near 0 but is mostly far from it; see gansweep.schedules.curves.
        if any(np.quantile(rates, 0.25) < rates.max() / 20 for rates in positive):
            axis.set_yscale("log", nonpositive="clip")
            axis.set_ylim(bottom=max(min(rates.min() for rates in positive) / 1.5, 1e-4))
        else:
            axis.set_ylim(bottom=0)
        axis.set_xlim(0, max((len(rates) for rates in found.values()), default=1))
        grid_lines(axis)
        legend(figure, [key(name, **style, lw=1.6) for name, style in zip(found, looks, strict=True)])
    return figure
