"""Effect of each switch. Mistakes: means of different seeds compared, a switch that was not trained counted as none."""

from __future__ import annotations

import itertools

import pytest

from gansweep.papers.epfl_quirks import STEPS, changes, waterfall


def test_changes_are_of_seeds_with_both_values():
    finals = {"wgan_gp": {0: 10.0, 1: 20.0}, "same_minibatch": {0: 13.0, 1: None}, "penalty_weight": {0: 11.0, 1: 5.0}}
    assert changes(finals) == {"same_minibatch": [3.0], "penalty_weight": [-2.0]}


def test_bars_are_adjacent_and_a_divergence_has_none():
    pytest.importorskip("matplotlib")
    finals = {name: {0: 1.0 - 0.1 * n, 1: 0.9 - 0.1 * n} for n, name in enumerate(STEPS)}
    finals["norm_per_pixel"] = {0: None, 1: None}
    (axis,) = waterfall({"adam": finals}).axes
    bars = sorted((round(bar.get_y() + bar.get_height() / 2), bar) for bar in axis.patches)
    assert [y for y, _ in bars] == [0, 1, 2, 3, 5, 6, 7, 8]
    for (_, before), (y, after) in itertools.pairwise(bars[:4]):
        assert after.get_x() == pytest.approx(before.get_x() + before.get_width()), y
    assert any(text.get_text() == "N/A" for text in axis.texts)
