"""Verdicts on printed and measured numbers. Mistakes: a verdict on the wrong side, a diverged seed in a mean."""

from __future__ import annotations

import pytest
from tests.papers.fake_records import run

from gansweep.papers.compare import by_method, interval, method_table, rank_correlation, verdict
from gansweep.papers.figures import metric_over_time

BANDS = (100.0, 200.0)


@pytest.mark.parametrize(
    ("printed", "measured", "expected"),
    [
        (50.0, [48.0, 50.0, 53.0], "inside"),
        (90.0, [48.0, 50.0, 53.0], "outside, same band"),
        (150.0, [48.0, 50.0, 53.0], "outside, other band"),
        (90.0, [50.0], "same band"),
        (90.0, [50.0, None], "same band"),
        (50.0, [None, None], "N/A here"),
        (None, [None, None], "both N/A"),
        (None, [None, 80.0], "N/A in some seeds"),
        (None, [70.0, 80.0], "printed N/A"),
    ],
)
def test_verdicts(printed, measured, expected):
    assert verdict(printed, measured, BANDS) == expected


def test_another_metric_has_no_interval():
    assert verdict(50.0, [500.0, 501.0], BANDS, (600.0, 1200.0)) == "same band"
    assert verdict(50.0, [700.0, 50.0], (100.0, 200.0), (30.0, 60.0)) == "other band"


def test_interval_of_one_more_run():
    """t(0.975, 2 degrees) = 4.302653, sd 1, n 3."""
    low, high = interval([1.0, 2.0, 3.0])
    assert high - 2 == pytest.approx(4.302653 * (4 / 3) ** 0.5, rel=1e-6)
    assert 2 - low == pytest.approx(high - 2)


def test_rank_correlation_omits_missing_values():
    first = {"a": 1.0, "b": 2.0, "c": 3.0, "d": None}
    assert rank_correlation(first, {"a": 9.0, "b": 5.0, "c": 1.0, "d": 0.0}) == (-1.0, 3)
    assert rank_correlation(first, {"a": 9.0})[1] == 1


def test_methods_are_in_the_order_of_the_paper_and_diverged_seeds_are_not_averaged():
    runs = [
        run("mescheder_images/wgan_gp_5", {0: 9.0, 10: 4.0}),
        run("mescheder_images/r1", {0: 9.0, 10: 2.0}),
        run("mescheder_images/r1", {0: 9.0, 5: 1.0, 10: 3.0}, seed=1),
        run("mescheder_images/none", {0: 9.0, 5: 0.1}, diverged=True),
    ]
    assert list(by_method(runs)) == ["none", "r1", "wgan_gp_5"]
    rows = [list(row) for row in method_table(runs).rows]
    assert ["none", "N/A", "N/A", "1 of 1", "N/A"] in rows
    assert ["r1", "2.50 ± 0.71", "1.50 ± 0.71", "0 of 2", "5.00 ± 0.00"] in rows


def test_curves_over_seconds_and_over_steps():
    pytest.importorskip("matplotlib")
    by_time, by_step = metric_over_time([run("mescheder_images/r1", {0: 9.0, 10: 2.0})]).axes
    assert by_time.lines[0].get_xdata().tolist() == [0, 5]
    assert by_step.lines[0].get_xdata().tolist() == [0, 10]
