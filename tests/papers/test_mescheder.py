"""Mescheder's methods. Mistakes: the average over a whole run, methods in another order than their fields."""

from __future__ import annotations

from pathlib import Path

from tests.papers.fake_records import run

from gansweep.papers.mescheder import DIRAC_METHODS, best_settings, converged, dirac_blocks, late, plane_agreement

CONF = Path(__file__).parents[2] / "conf" / "experiment"


def test_plane_takes_the_mean_over_the_last_fifth_at_the_best_setting():
    assert late(run("mescheder_2d", {0: 9.0, 40: 5.0, 80: 1.0, 100: 2.0})) == 1.5
    assert late(run("mescheder_2d", {0: 9.0, 100: 2.0}, diverged=True)) is None
    runs = [
        run(
            "mescheder_2d",
            {0: 9.0, 10: value},
            overrides={"loss": loss, "data": "line"},
            seed=seed,
            lr=lr,
            loss=loss,
            critic_steps=1,
        )
        for loss, lr, values in (
            ("standard", 1e-4, (0.4, 0.5)),
            ("standard", 1e-3, (0.1, 2.0)),
            ("r1", 1e-4, (0.3, 0.3)),
            ("r2", 1e-4, (0.2, 0.2)),
        )
        for seed, value in enumerate(values)
    ]
    best = best_settings(runs)
    assert best["standard", "line"] == [0.4, 0.5]
    assert plane_agreement(best) == "Here both are better than standard on 1 of 1."


def test_dirac_convergence_beside_the_printed_table():
    assert set(DIRAC_METHODS) == {path.stem for path in (CONF / "dirac").glob("*.yaml")} - {"base"}
    assert converged(run("dirac/r1", {0: 1.0, 500: 1e-4}))
    assert not converged(run("dirac/r1", {0: 1.0, 500: 0.1}))
    ends = {"gan": 3.1, "r1": 1e-6, "dragan": 1e-6}
    table, _ = dirac_blocks([run(f"dirac/{name}", {0: 1.0, 500: end}, lr=0.2) for name, end in ends.items()])
    rows = [list(row) for row in table.rows]
    assert ["unregularised", "no", "no", "0.2: 3.1", "yes"] in rows
    assert ["R1", "yes", "yes", "0.2: 1e-06", "yes"] in rows
    assert ["DRAGAN", "no", "yes", "0.2: 1e-06", "no"] in rows
