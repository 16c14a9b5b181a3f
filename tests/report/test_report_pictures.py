"""Figures of a report. Mistakes: lines that hide each other or differ by colour only, a lost seed that ends a curve."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from tests.report.test_report_html import swept
from tests.report.test_report_sections import grid
from tests.sweep.fake_cells import cell, record

from gansweep.plot_style import line, look, panels, shades
from gansweep.report import curves, formats, targets
from gansweep.report import rates as pictures_of_rates
from gansweep.report.targets import Targets
from gansweep.report.verdict import Verdict
from gansweep.results.leaderboard import leaderboards
from gansweep.section import Picture
from gansweep.sweep.cell import Result, State


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def with_values(verdict, *series):
    """Set the evaluations of the seeds of the first configuration; steps are 0, 10, 20, ..."""
    one = verdict.leaderboard.configurations[0]
    for run, values in zip(one.runs.values(), series, strict=True):
        run.metric["evaluations"] = [{"step": 10 * n, "value": value} for n, value in enumerate(values)]
    return one


def test_a_curve_goes_on_with_the_seeds_that_did_not_diverge(tmp_path):
    found = grid(tmp_path, lambda o, lr, s: None if s == 0 else 5.0, rates=(1e-3,), optimizers=("adam",))
    one = with_values(found, [8.0, 6.0, None], [4.0, 2.0, 1.0])
    steps, values, lost = curves.by_seed(one)
    assert steps.tolist() == [0, 10, 20]
    assert lost == [True, False]
    assert np.array_equal(values, [[8, 6, math.nan], [4, 2, 1]], equal_nan=True)
    figure = curves.curves_picture(found)
    thick, thin, cross, *_ = figure.axes[0].lines
    assert (thick.get_xdata().tolist(), thick.get_ydata().tolist()) == ([0, 10], [6, 4])
    assert (thin.get_xdata().tolist(), thin.get_ydata().tolist()) == ([10, 20], [4, 1])
    assert thin.get_linewidth() < thick.get_linewidth()
    assert (cross.get_marker(), cross.get_xdata().tolist(), cross.get_ydata().tolist()) == ("x", [10], [4])
    assert {"lowest to highest seed", "a seed diverges after this", "mean of the other seeds"} <= set(labels(figure))


def test_a_sweep_without_divergence_has_no_key_of_one(tmp_path):
    figure = curves.curves_picture(grid(tmp_path, lambda o, lr, s: 5.0 + s, optimizers=("adam",)))
    assert not any("seed diverges" in label or "other seeds" in label for label in labels(figure))
    (axis,) = figure.axes
    assert len({drawn.get_linestyle() for drawn in axis.lines[:2]}) == 2, "rates differ by more than colour"


@pytest.mark.parametrize("styles", [shades(5), [line(n) for n in range(4)], [look(n) for n in range(6)]])
def test_lines_differ_without_their_colour(styles):
    assert len({str({key: value for key, value in style.items() if key != "color"}) for style in styles}) == len(styles)


def test_rates_show_seeds_and_the_ends_of_the_scale(tmp_path):
    """The untrained generators have 400 and real samples 1.5; the axis ends near 5 and 6, far from both."""
    found = grid(tmp_path, lambda o, lr, s: 5.0 + s)
    found.leaderboard.metric["floor"] = 2.5
    figure = pictures_of_rates.rates_picture(found)
    assert {"one seed", "real against real: 2.50"} <= set(labels(figure))
    assert any("untrained" in label and ", outside" in label for label in labels(figure))
    size = pictures_of_rates.SEED["markersize"]
    seeds = [drawn for drawn in figure.axes[0].lines if drawn.get_markersize() == size]
    assert [drawn.get_ydata().tolist() for drawn in seeds] == [[5, 6, 5, 6]] * 2, "two optimizers at two rates"
    assert len({x for drawn in seeds for x in drawn.get_xdata()}) == 4


def test_profiles_of_equal_methods_are_distinct_lines():
    equal = Targets(["adam", "sgd", "rmsprop"], np.full((3, 4), 60.0), {"": 1.0}, [])
    (axis,) = targets.profiles_picture(equal).axes
    heights = [set(drawn.get_ydata()) for drawn in axis.lines]
    low, high = axis.get_ylim()
    assert len({min(values) for values in heights}) == 3
    assert all(0.97 < value < 1.03 and low < value < high for values in heights for value in values)
    assert axis.get_xlim()[0] < 1


def test_profiles_of_different_methods_are_at_their_shares():
    times = np.array([[60.0, 60.0, np.inf], [np.inf] * 3])
    (axis,) = targets.profiles_picture(Targets(["adam", "sgd"], times, {"": 1.0}, [])).axes
    assert [set(drawn.get_ydata()) for drawn in axis.lines] == [{2 / 3}, {0.0}]


def test_every_file_has_a_title_and_the_name_of_what_it_shows(tmp_path):
    (figure, _) = panels(1, 1, "", (3.0, 2.0))
    height = figure.get_figheight()
    caption = "Final W1 against lr: means, 95 % intervals and N/A runs"
    formats.titled(figure, caption)
    assert figure.get_suptitle().replace("\n", " ") == caption
    assert max(map(len, figure.get_suptitle().split("\n"))) <= 39
    assert figure.get_figheight() > height, "the panel keeps its size"
    assert formats.titled(figure, "another").get_suptitle() != "another"
    assert Picture("W1 over the steps: mean", lambda: figure).file_name == "w1_over_the_steps"


def test_titles_of_neighbouring_panels_do_not_touch(tmp_path):
    results = []
    for optimizer, loss, lr in itertools.product(("schedule_free_adamw", "adam"), ("wgan_gp_per_pixel", "r1"), (1, 9)):
        name = {"model.generator_widths": "[64,128,256]" if loss == "r1" else "[512,512,512]"}
        one = cell(tmp_path, optimizer=optimizer, loss=loss, lr=lr, **name)
        results.append(Result(one, State.COMPLETED, record(one, 5.0)))
    (found,) = map(Verdict, leaderboards(results))
    for draw in (curves.curves_picture, pictures_of_rates.rates_picture, pictures_of_rates.heat_picture):
        figure = draw(found)
        figure.draw_without_rendering()
        boxes = [axis.title.get_window_extent() for axis in figure.axes if axis.get_title()]
        assert len(boxes) > 1
        assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


@pytest.mark.slow
def test_figures_are_written_as_png_and_svg(tmp_path):
    found = formats.write_pictures(swept(tmp_path), formats.TableOptions(), tmp_path / "pictures")
    names = {path.name for path in found}
    assert {"rates_by_optimizer.png", "rates_by_optimizer.svg", "divergences.png", "expected_best_of_k.png"} <= names
    assert len(names) == len(found)
    assert all(path.stat().st_size > 2000 for path in found)
