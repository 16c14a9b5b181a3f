"""Decibels beside the printed ones. Mistakes: a diverged seed forgotten in a mean, the order of other rates."""

from __future__ import annotations

from pathlib import Path

import pytest

from gansweep.papers.forsyth_autoencoder import PRINTED, _text, best_cells, ordered_seeds
from gansweep.papers.trained import Trained


def trained(skips, lr, seed, value, optimizer="adam"):
    measured = {"psnr/blur": value, "psnr/blur/std": 1.0, "psnr/all": value, "psnr/all/std": 2.0}
    measured |= {"given/blur": 12.0, "given/blur/std": 0.5, "given/all": 12.0, "given/all/std": 0.5}
    evaluations = [] if value is None else [{"step": 9, "value": value, "measured": measured}]
    record = {
        "cell": {"overrides": {"optimizer": optimizer, "experiment": "forsyth_autoencoder", "data": "digits"}},
        "config": {"lr": lr, "seed": seed, "steps": 9, "model": {"skips": skips}},
        "metric": {"final": value, "evaluations": evaluations},
        "state": "completed" if value else "diverged",
    }
    return Trained(Path("x"), record)


CELLS = [
    *(trained("none", 1e-3, seed, 20.0 + seed) for seed in (0, 1)),
    *(trained("shallow", 1e-3, seed, 22.5 - 2 * seed) for seed in (0, 1)),
    *(trained("both", 1e-3, seed, 24.0) for seed in (0, 1)),
    *(trained("both", 1e-2, seed, 23.0) for seed in (0, 1)),
    trained("none", 1e-1, 0, 40.0),
    trained("none", 1e-1, 1, None),
    *(trained("none", 1e-1, seed, 30.0, "momentum") for seed in (0, 1)),
]


def test_the_best_rate_is_one_at_which_no_seed_diverged():
    best = best_cells(CELLS)
    assert {key: lr for key, (lr, _) in best.items()} == {
        ("adam", "none"): 1e-3,
        ("adam", "shallow"): 1e-3,
        ("adam", "both"): 1e-3,
        ("momentum", "none"): 1e-1,
    }
    assert best["adam", "none"][1].mean("psnr/all") == 20.5


def test_the_order_is_counted_seed_by_seed():
    best = best_cells(CELLS)
    assert ordered_seeds(best, "adam") == (1, 2)  # at seed 1 no skip has 21 and shallow 20.5
    assert ordered_seeds(best, "momentum") == (0, 0)


def test_the_table_has_printed_and_ours():
    text = _text(CELLS)
    assert "| Input | | | blank | 12.0 (0.5) | 12.0 (0.5) |" in text
    assert "| Both | adam | 1e-3 | 30 (4) | 24.0 (1.0) | 24.0 (2.0) |" in text
    assert "| No skip | momentum | 1e-1 | 21 (2.8) | 30.0 (1.0) | 30.0 (2.0) |" in text
    assert "+1.0 dB, then +2.5 dB; printed +5 dB, then +4 dB" in text
    assert [PRINTED[row][0] for row in ("none", "shallow", "both")] == [21, 26, 30]


@pytest.mark.parametrize("cells", [[trained("none", 1e-3, 0, None)]])
def test_nothing_to_tell(cells):
    assert "No run has finished" in _text(cells)
