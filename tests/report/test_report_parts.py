from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.lines import Line2D
from tests.sweep.fake_cells import cell, record
from tests.sweep.fake_cells import diverged as diverged_record

from gansweep.plot_style import panels, styled
from gansweep.report import diverged, sensitivity, targets, tuning
from gansweep.report.leaderboard import contests
from gansweep.report.pictures import curves, losses, marks, schedules, survival
from gansweep.report.pictures.samples import Sample, sampled, title
from gansweep.report.plot_axes import Roles
from gansweep.report.verdict import Verdict
from gansweep.sweep.cell import State
from gansweep.sweep.result import Result


def verdict(root, finals):
    """A verdict on a mapping from (optimizer, lr, seed) to a final value, None for a divergence."""
    results = []
    for (optimizer, lr, seed), final in finals.items():
        one = cell(root, optimizer=optimizer, lr=lr, seed=seed)
        kept = diverged_record(one) if final is None else record(one, final)
        results.append(Result(one, State.DIVERGED if final is None else State.COMPLETED, kept))
    (contest,) = contests(results)
    return Verdict(contest)


def grid(root, value, seeds=2, rates=(1e-3, 1e-2), optimizers=("adam", "sgd")):
    return verdict(root, {(o, lr, s): value(o, lr, s) for o in optimizers for lr in rates for s in range(seeds)})


def test_the_rate_is_the_axis_and_words_are_colours(tmp_path):
    roles = Roles.of(grid(tmp_path, lambda o, lr, s: 1.0).contest)
    assert (roles.rate, roles.method, roles.rest) == ("lr", "optimizer", ())
    assert roles.rates == [1e-3, 1e-2]
    assert roles.methods == ["adam", "sgd"]


@pytest.mark.parametrize("untrained", [1.0, 9.0], ids=["no better than untrained", "ranked"])
def test_the_title_of_a_panel_is_no_wider_than_the_panel(tmp_path, untrained):
    of = grid(tmp_path, lambda o, lr, s: 1.92)
    for result in of.contest.results:
        result.record["metric"]["untrained"] = untrained
    of = Verdict(of.contest)
    lines = title(of, Sample(of.contest.candidates[0], 1, "0", 1.92, tmp_path / "step_0.png")).split("\n")
    assert ("no better than untrained" in lines) == (untrained == 1.0)
    assert max(map(len, lines)) <= 34, lines


def test_a_setting_that_does_all_has_all_of_the_variance(tmp_path):
    found = sensitivity.sensitivity(grid(tmp_path, lambda o, lr, s: 10.0 if o == "sgd" else 5.0))
    keys = ("optimizer", "lr")
    assert keys[found.effects[0].axes[0]] == "optimizer"
    assert found.effects[0].share == pytest.approx(1)
    assert not found.by_rank
    assert found.seeds == 0


def test_divergences_turn_variances_into_those_of_ranks_and_a_torn_grid_has_none(tmp_path):
    with_na = grid(tmp_path, lambda o, lr, s: None if lr > 5e-3 else 5.0)
    found = sensitivity.sensitivity(with_na)
    assert found.by_rank
    assert found.effects[0].share == pytest.approx(1)
    assert found.effects[0].axes == (1,)
    torn = verdict(tmp_path, {("adam", 1, 0): 1.0, ("adam", 2, 0): 2.0, ("sgd", 1, 0): 3.0})
    assert sensitivity.sensitivity(torn) is None


def test_one_setting_of_one_seed_each_has_all_of_the_variance_which_nobody_has_to_be_told(tmp_path):
    (one, two) = ({(o, 1e-3, s): float(len(o) + s) for o in ("adam", "sgd") for s in range(n)} for n in (1, 2))
    assert sensitivity.section(verdict(tmp_path, one)) is None
    assert "seeds" in sensitivity.section(verdict(tmp_path, two)).text


def test_tuning_is_over_settings_and_one_that_loses_a_seed_is_never_the_best(tmp_path):
    found = grid(tmp_path, lambda o, lr, s: (None if s else 0.0) if lr == 1e-3 else 7.0 + s)
    (adam, _) = tuning.tuned(found)
    assert adam.best.tolist() == [7.5, 7.5]
    assert adam.none.tolist() == [0.5, 0.0]


def test_the_target_is_what_half_of_the_methods_reach(tmp_path):
    """Their evaluations: 400 at 0, final - 1 at 80, final at 100."""
    found = targets.targets(
        grid(
            tmp_path, lambda o, lr, s: {"adam": 10.0, "sgd": 20.0, "lion": 30.0}[o], optimizers=("adam", "sgd", "lion")
        )
    )
    assert found.goals == {"": 20.0}
    times = dict(zip(found.methods, found.times.tolist(), strict=True))
    assert times == {"adam": [80, 80], "sgd": [80, 80], "lion": [math.inf, math.inf]}


def test_no_run_meets_the_target_before_it_is_trained(tmp_path):
    """Medians of means that lie above 20 would be met by the generator of 20 at step 0."""
    finals = {"adam": 10.0, "sgd": 30.0, "lion": 40.0}

    def untrained(value):
        found = grid(tmp_path, lambda o, lr, s: finals[o], optimizers=tuple(finals))
        for run in found.contest.results:
            run.record["metric"]["untrained"] = value
            run.record["metric"]["evaluations"][0]["value"] = value
        return found

    found = targets.targets(untrained(20.0))
    assert found.goals == {"": 10.0}
    assert (found.times > 0).all()
    text = targets.section(untrained(9.0)).text
    assert "No target" in text
    assert "median" not in text


def test_divergences_are_counted_by_cause_and_rate(tmp_path):
    text = diverged.section(grid(tmp_path, lambda o, lr, s: None if lr > 5e-3 else 5.0)).text
    assert "4 of 8 runs diverged, all at lr=0.01." in text
    assert "| discriminator: loss is not finite | 4" in text
    assert diverged.section(grid(tmp_path, lambda o, lr, s: 5.0)) is None


def test_the_keys_of_the_picture_of_divergences_stand_above_their_panels(tmp_path):
    figure = survival.survival_picture(grid(tmp_path, lambda o, lr, s: None if lr > 5e-3 else 5.0))
    figure.draw_without_rendering()
    assert not figure.legends
    assert len(figure.axes) == 2
    for axis in figure.axes:
        key, panel = axis.get_legend().get_window_extent(), axis.get_window_extent()
        assert key.y0 >= panel.y1
        assert panel.x0 <= key.x0 < panel.x1


def test_a_curve_ends_where_the_first_seed_does(tmp_path):
    found = grid(tmp_path, lambda o, lr, s: 5.0 + s)
    (one, *_) = found.contest.candidates
    one.runs["1"].record["metric"]["evaluations"].pop()
    steps, values = curves.common(one)
    assert steps.tolist() == [0, 80]
    assert values.tolist() == [[400, 4], [400, 5]]


def test_what_diverged_does_not_flatten_the_others_and_ends_at_the_top(tmp_path):
    """Their evaluations: 400 at 0, final - 1 at 80; one that diverged came to 1e9."""
    found = grid(tmp_path, lambda o, lr, s: None if lr > 5e-3 else 5.0, seeds=1, optimizers=("adam",))
    (lost,) = (run for one in found.contest.candidates if one.num_diverged for run in one.runs.values())
    lost.metric["evaluations"][1:] = [{"step": 80, "value": 1e9}]
    (axis,) = curves.curves_picture(found).axes
    assert 400 < axis.get_ylim()[1] < 1000
    (cross,) = (line for line in axis.lines if line.get_marker() == "x")
    assert cross.get_ydata().tolist() == [400.0]


def test_a_long_key_takes_nothing_from_the_panel():
    heights = []
    for number in (8, 24):
        assert len({(marks.COLOURS[n % 6], schedules.line(n)) for n in range(number)}) == number
        with styled():
            figure, (axis,) = panels(1, 1, "", (5.6, 3.0))
            marks.legend(figure, [Line2D([], [], label=f"a schedule with a long name {n}") for n in range(number)])
            figure.draw_without_rendering()
        heights.append(axis.get_window_extent().height)
    assert heights[1] > 0.9 * heights[0]


def test_schedules_are_drawn_as_their_configs_say(tmp_path):
    found = grid(tmp_path, lambda o, lr, s: 5.0)
    assert not schedules.varies(found)
    for result in found.contest.results:
        result.cell.config["schedule"] = {"_target_": "gansweep.schedules.cosine.Cosine"}
    assert schedules.varies(found)
    (name, rates), *rest = schedules.curves(found).items()
    assert name == "cosine"
    assert not rest
    assert len(rates) == 100
    assert rates[0] == 1
    assert np.all(np.diff(rates) < 0)


def test_losses_are_read_from_the_event_files_of_the_best_setting_of_each_method(tmp_path):
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    found = grid(tmp_path, lambda o, lr, s: {"adam": 5.0, "sgd": 1.0}[o] + s + 100 * lr)
    for result in found.contest.results:
        writer = EventFileWriter(str(result.cell.directory))
        for step in (10, 20):
            for tag, value in (("loss/generator", 2.0 * step), ("loss/discriminator", 1.0), ("rate/generator", 7.0)):
                point = Summary.Value(tag=tag, simple_value=value)
                writer.add_event(Event(step=step, summary=Summary(value=[point])))
        writer.close()
    shown = [run.cell.overrides for _, run in losses.watched(found)]
    assert [(one["optimizer"], one["lr"], one["seed"]) for one in shown] == [("sgd", 1e-3, 0), ("adam", 1e-3, 0)]
    read = losses.read(found.contest.results[0].cell.directory)
    assert read == {"generator": [(10, 20.0), (20, 40.0)], "discriminator": [(10, 1.0), (20, 1.0)]}
    told = [text.get_text() for text in losses.losses_picture(found).legends[0].get_texts()]
    assert told == ["discriminator", "generator"]


def test_samples_are_of_the_median_run_in_the_order_of_the_ranks(tmp_path):
    found = grid(tmp_path, lambda o, lr, s: {"adam": 5.0, "sgd": 1.0}[o] + s + lr, seeds=3)
    for result in found.contest.results:
        (result.cell.directory / "samples").mkdir(parents=True)
        (result.cell.directory / "samples" / "step_0000010.png").touch()
    order = [(one.candidate.settings["optimizer"], one.seed) for one in sampled(found)]
    assert order == [("sgd", "1"), ("sgd", "1"), ("adam", "1"), ("adam", "1")]
