"""Sections and their figures. Mistakes: values of other runs, a wrong order, a figure without room for its text."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.sweep.fake_cells import cell, record
from tests.sweep.fake_cells import diverged as diverged_record

from gansweep.plot_style import COLOURS, key, legend, line, panels, styled
from gansweep.report import curves, diverged, markdown, sensitivity, targets, tuning, value_figures, verdict_text
from gansweep.report import rates as pictures_of_rates
from gansweep.report.plot_axes import PlotAxes
from gansweep.report.samples import Sample, sampled, title
from gansweep.report.verdict import Verdict
from gansweep.results.leaderboard import leaderboards
from gansweep.sweep.cell import Result, State
from gansweep.training import events


def verdict(root, finals):
    """Return the verdict on final values by (optimizer, lr, seed); None for a divergence."""
    results = []
    for (optimizer, lr, seed), final in finals.items():
        one = cell(root, optimizer=optimizer, lr=lr, seed=seed)
        content = diverged_record(one) if final is None else record(one, final)
        results.append(Result(one, State.DIVERGED if final is None else State.COMPLETED, content))
    (leaderboard,) = leaderboards(results)
    return Verdict(leaderboard)


def grid(root, value, seeds=2, rates=(1e-3, 1e-2), optimizers=("adam", "sgd")):
    return verdict(root, {(o, lr, s): value(o, lr, s) for o in optimizers for lr in rates for s in range(seeds)})


def text(section):
    return markdown.write(section.blocks)


def test_rates_are_the_axis_and_names_are_colours(tmp_path):
    layout = PlotAxes.of(grid(tmp_path, lambda o, lr, s: 1.0).leaderboard)
    assert (layout.rate, layout.method, layout.rest) == ("lr", "optimizer", ())
    assert layout.rates == [1e-3, 1e-2]
    assert layout.methods == ["adam", "sgd"]


@pytest.mark.parametrize("untrained", [1.0, 9.0], ids=["no better than untrained", "ranked"])
def test_titles_are_not_wider_than_their_panel(tmp_path, untrained):
    of = grid(tmp_path, lambda o, lr, s: 1.92)
    for result in of.leaderboard.results:
        result.record["metric"]["untrained"] = untrained
    of = Verdict(of.leaderboard)
    lines = title(of, Sample(of.leaderboard.configurations[0], 1, "0", 1.92, tmp_path / "step_0.png")).split("\n")
    assert ("no better than untrained" in lines) == (untrained == 1.0)
    assert max(map(len, lines)) <= 34, lines


def test_the_only_effect_has_all_of_the_variance(tmp_path):
    found = sensitivity.sensitivity(grid(tmp_path, lambda o, lr, s: 10.0 if o == "sgd" else 5.0))
    keys = ("optimizer", "lr")
    assert keys[found.effects[0].axes[0]] == "optimizer"
    assert found.effects[0].share == pytest.approx(1)
    assert not found.by_rank
    assert found.seeds == 0


def test_omitted_shares_are_mentioned(tmp_path):
    (one, all_shown) = (
        verdict(tmp_path, {(o, lr, 0): value(len(o), lr) for o in ("adam", "sgd") for lr in (1, 2)})
        for value in (lambda o, lr: float(o), lambda o, lr: float(o**lr))
    )
    assert "Shares below 0.5% are omitted." in text(sensitivity.section(one))
    assert "omitted" not in text(sensitivity.section(all_shown))


def test_ranks_are_used_with_divergences_and_an_incomplete_grid_has_no_shares(tmp_path):
    with_na = grid(tmp_path, lambda o, lr, s: None if lr > 5e-3 else 5.0)
    found = sensitivity.sensitivity(with_na)
    assert found.by_rank
    assert found.effects[0].share == pytest.approx(1)
    assert found.effects[0].axes == (1,)
    torn = verdict(tmp_path, {("adam", 1, 0): 1.0, ("adam", 2, 0): 2.0, ("sgd", 1, 0): 3.0})
    assert sensitivity.sensitivity(torn) is None


def test_no_section_for_one_setting_with_one_seed(tmp_path):
    (one, two) = ({(o, 1e-3, s): float(len(o) + s) for o in ("adam", "sgd") for s in range(n)} for n in (1, 2))
    assert sensitivity.section(verdict(tmp_path, one)) is None
    assert "seeds" in text(sensitivity.section(verdict(tmp_path, two)))


def test_a_configuration_with_a_diverged_seed_is_never_the_best(tmp_path):
    found = grid(tmp_path, lambda o, lr, s: (None if s else 0.0) if lr == 1e-3 else 7.0 + s)
    (adam, _) = tuning.tuned(found)
    assert adam.best.tolist() == [7.5, 7.5]
    assert adam.none.tolist() == [0.5, 0.0]


def test_half_of_the_methods_reach_the_target(tmp_path):
    """The evaluations are 400 at 0, final - 1 at 80, final at 100."""
    found = targets.targets(
        grid(
            tmp_path, lambda o, lr, s: {"adam": 10.0, "sgd": 20.0, "lion": 30.0}[o], optimizers=("adam", "sgd", "lion")
        )
    )
    assert found.goals == {"": 20.0}
    times = dict(zip(found.methods, found.times.tolist(), strict=True))
    assert times == {"adam": [80, 80], "sgd": [80, 80], "lion": [math.inf, math.inf]}


def test_one_evaluation_per_run_is_no_measure_of_speed(tmp_path):
    found = grid(tmp_path, lambda o, lr, s: {"adam": 10.0, "sgd": 20.0}[o])
    assert "evaluated once" not in text(targets.section(found))
    for run in found.leaderboard.results:
        del run.record["metric"]["evaluations"][1]
    assert "Every run was evaluated once after step 0" in text(targets.section(found))


def test_divergences_with_one_seed_are_counted_and_not_tested(tmp_path):
    found = verdict(tmp_path, {("adam", 1e-3, 0): 5.0, ("sgd", 1e-3, 0): None})
    assert "needs at least 4 seeds, here 1." in text(diverged.section(found))
    written = text(verdict_text.section(found, with_ranks=False))
    assert "1 of 2 runs is N/A: it ranks last." in written
    assert "comparison" not in written


def test_no_run_reaches_the_target_untrained(tmp_path):
    """A median above 20 would be reached at step 0 by an untrained generator of 20."""
    finals = {"adam": 10.0, "sgd": 30.0, "lion": 40.0}

    def untrained(value):
        found = grid(tmp_path, lambda o, lr, s: finals[o], optimizers=tuple(finals))
        for run in found.leaderboard.results:
            run.record["metric"]["untrained"] = value
            run.record["metric"]["evaluations"][0]["value"] = value
        return found

    found = targets.targets(untrained(20.0))
    assert found.goals == {"": 10.0}
    assert (found.times > 0).all()
    without = text(targets.section(untrained(9.0)))
    assert "No target" in without
    assert "median" not in without


def test_divergences_are_counted_by_cause_and_rate(tmp_path):
    written = text(diverged.section(grid(tmp_path, lambda o, lr, s: None if lr > 5e-3 else 5.0)))
    assert "4 of 8 runs diverged, all at lr=0.01." in written
    assert "| discriminator: loss is not finite | 4" in written
    assert diverged.section(grid(tmp_path, lambda o, lr, s: 5.0)) is None


def test_legends_of_divergences_are_above_their_panels(tmp_path):
    figure = diverged.survival_picture(grid(tmp_path, lambda o, lr, s: None if lr > 5e-3 else 5.0))
    figure.draw_without_rendering()
    assert not figure.legends
    assert len(figure.axes) == 2
    for axis in figure.axes:
        box, panel = axis.get_legend().get_window_extent(), axis.get_window_extent()
        assert box.y0 >= panel.y1
        assert panel.x0 <= box.x0 < panel.x1


def test_diverged_curves_do_not_extend_the_axis(tmp_path):
    """The evaluations are 400 at 0, final - 1 at 80, and 1e9 for the diverged run."""
    found = grid(tmp_path, lambda o, lr, s: None if lr > 5e-3 else 5.0, seeds=1, optimizers=("adam",))
    (lost,) = (run for one in found.leaderboard.configurations if one.num_diverged for run in one.runs.values())
    lost.metric["evaluations"][1:] = [{"step": 80, "value": 1e9}]
    (axis,) = curves.curves_picture(found).axes
    assert 400 < axis.get_ylim()[1] < 1000
    (cross,) = (line for line in axis.lines if line.get_marker() == "x")
    assert cross.get_ydata().tolist() == [400.0]


def test_a_long_legend_keeps_the_height_of_the_panel():
    heights = []
    for number in (8, 24):
        assert len({tuple(line(n).values()) for n in range(number)}) == number
        with styled():
            figure, (axis,) = panels(1, 1, "", (5.6, 3.0))
            legend(figure, [key(f"a schedule with a long name {n}") for n in range(number)])
            figure.draw_without_rendering()
        heights.append(axis.get_window_extent().height)
    assert heights[1] > 0.9 * heights[0]


def test_schedules_are_those_of_the_configs(tmp_path):
    found = grid(tmp_path, lambda o, lr, s: 5.0)
    assert not value_figures.varies(found)
    for result in found.leaderboard.results:
        result.cell.config["schedule"] = {"_target_": "gansweep.schedules.cosine.Cosine"}
    assert value_figures.varies(found)
    (name, rates), *rest = value_figures.schedule_values(found).items()
    assert name == "cosine"
    assert not rest
    assert len(rates) == 100
    assert rates[0] == 1
    assert np.all(np.diff(rates) < 0)


def test_losses_are_those_of_the_best_setting_of_each_method(tmp_path):
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    found = grid(tmp_path, lambda o, lr, s: {"adam": 5.0, "sgd": 1.0}[o] + s + 100 * lr)
    for result in found.leaderboard.results:
        writer = EventFileWriter(str(result.cell.directory))
        for step in (10, 20):
            for tag, value in (("loss/generator", 2.0 * step), ("loss/discriminator", 1.0), ("rate/generator", 7.0)):
                point = Summary.Value(tag=tag, simple_value=value)
                writer.add_event(Event(step=step, summary=Summary(value=[point])))
        writer.close()
    shown = [run.cell.overrides for _, run in value_figures.shown_runs(found)]
    assert [(one["optimizer"], one["lr"], one["seed"]) for one in shown] == [("sgd", 1e-3, 0), ("adam", 1e-3, 0)]
    read = events.losses(found.leaderboard.results[0].cell.directory)
    assert read == {"generator": {10: 20.0, 20: 40.0}, "discriminator": {10: 1.0, 20: 1.0}}
    names = [label.get_text() for label in value_figures.losses_picture(found).legends[0].get_texts()]
    assert names == ["discriminator", "generator"]


def test_samples_are_of_the_median_run_in_ranking_order(tmp_path):
    found = grid(tmp_path, lambda o, lr, s: {"adam": 5.0, "sgd": 1.0}[o] + s + lr, seeds=3)
    for result in found.leaderboard.results:
        (result.cell.directory / "samples").mkdir(parents=True)
        (result.cell.directory / "samples" / "step_0000010.png").touch()
    order = [(one.configuration.settings["optimizer"], one.seed) for one in sampled(found)]
    assert order == [("sgd", "1"), ("sgd", "1"), ("adam", "1"), ("adam", "1")]


@pytest.mark.parametrize("rates", [(1e-3, 1e-2), (1.0, 2.0)], ids=["logarithmic", "linear"])
def test_methods_of_one_rate_are_drawn_side_by_side_and_cut_intervals_have_arrows(tmp_path, rates):
    """Adam's values are 5 and 6, so that its interval is 5.5 -+ 6.35; the others' are 5.0 and 5.1."""
    names = ("adam", "sgd", "lion")
    of = grid(tmp_path, lambda o, lr, s: 5.0 + s * (1.0 if o == "adam" else 0.1), rates=rates, optimizers=names)
    figure = pictures_of_rates.rates_picture(of)
    (axis,) = figure.axes
    means = {
        line.get_color(): line.get_xdata()
        for line in axis.lines
        if len(line.get_xdata()) == len(rates)
        and line.get_marker() in ("None", "")
        and line.get_xdata()[0] != line.get_xdata()[1]
    }
    xs = [means[colour] for colour in COLOURS[: len(names)]]
    for places, rate in zip(zip(*xs, strict=True), rates, strict=True):
        assert list(places) == sorted(set(places)), "in the order of the legend"
        assert places[1] == pytest.approx(rate), "the middle one is at the rate itself"
        assert places[2] / places[0] < 1.2
    bottom, top = axis.get_ylim()
    arrows = {
        (line.get_marker(), line.get_color(), line.get_ydata()[0])
        for line in axis.lines
        if len(line.get_xdata()) == 1 and not line.get_clip_on()
    }
    assert arrows == {("v", COLOURS[0], bottom), ("^", COLOURS[0], top)}
    assert "interval beyond the axis" in [text.get_text() for text in figure.legends[0].get_texts()]
    whole = pictures_of_rates.rates_picture(grid(tmp_path, lambda o, lr, s: 5.0 + s / 10 + lr, seeds=9))
    assert "interval beyond the axis" not in [text.get_text() for text in whole.legends[0].get_texts()]
