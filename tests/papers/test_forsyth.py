"""Forsyth's autoencoder. Mistakes: a diverged seed left out of a mean, the order at different learning rates."""

from __future__ import annotations

from tests.papers.fake_records import run

from gansweep.papers.forsyth import PRINTED, autoencoder_blocks, best_entries, ordered_seeds
from gansweep.section import Paragraph


def trained(skips, lr, seed, value, optimizer="adam"):
    trained = run(
        "forsyth_autoencoder",
        {9: value or 0.0},
        overrides={"optimizer": optimizer, "data": "digits"},
        diverged=value is None,
        lr=lr,
        seed=seed,
        model={"skips": skips},
    )
    measured = {"psnr/blur": value, "psnr/blur/std": 1.0, "psnr/all": value, "psnr/all/std": 2.0}
    measured |= {"given/blur": 12.0, "given/blur/std": 0.5, "given/all": 12.0, "given/all/std": 0.5}
    trained.metric["evaluations"][-1]["measured"] = measured
    return trained


RUNS = [
    *(trained("none", 1e-3, seed, 20.0 + seed) for seed in (0, 1)),
    *(trained("shallow", 1e-3, seed, 22.5 - 2 * seed) for seed in (0, 1)),
    *(trained("both", 1e-3, seed, 24.0) for seed in (0, 1)),
    *(trained("both", 1e-2, seed, 23.0) for seed in (0, 1)),
    trained("none", 1e-1, 0, 40.0),
    trained("none", 1e-1, 1, None),
    *(trained("none", 1e-1, seed, 30.0, "momentum") for seed in (0, 1)),
]


def test_best_rate_has_no_diverged_seed():
    best = best_entries(RUNS)
    assert {key: entry.lr for key, entry in best.items()} == {
        ("adam", "none"): 1e-3,
        ("adam", "shallow"): 1e-3,
        ("adam", "both"): 1e-3,
        ("momentum", "none"): 1e-1,
    }
    assert best["adam", "none"].mean("psnr/all") == 20.5


def test_order_is_counted_per_seed():
    best = best_entries(RUNS)
    assert ordered_seeds(best, "adam") == (1, 2)  # with seed 1 no skip has 21 and shallow 20.5
    assert ordered_seeds(best, "momentum") == (0, 0)


def test_table_of_printed_and_measured():
    table, *paragraphs = autoencoder_blocks(RUNS)
    rows = [list(row) for row in table.rows]
    assert rows[0] == ["Input", "", "", "blank", "12.0 (0.5)", "12.0 (0.5)"]
    assert ["Both", "adam", "1e-3", "30 (4)", "24.0 (1.0)", "24.0 (2.0)"] in rows
    assert ["No skip", "momentum", "1e-1", "21 (2.8)", "30.0 (1.0)", "30.0 (2.0)"] in rows
    assert any("+1.0 dB, then +2.5 dB; printed +5 dB, then +4 dB" in str(part.text) for part in paragraphs)
    assert [PRINTED[row][1] for row in ("none", "shallow", "both")] == [21, 26, 30]


def test_no_finished_run():
    assert autoencoder_blocks([trained("none", 1e-3, 0, None)]) == [Paragraph("No run has finished yet.")]
