"""Methods side by side. Mistakes: a diverged seed in a mean, the average over all of a run, ticks in another order."""

from __future__ import annotations

from pathlib import Path

import pytest

from gansweep.papers.dirac import METHODS, _text, arrived
from gansweep.papers.mescheder_2d import _agreement, best_settings, late
from gansweep.papers.methods import by_method, over_time, table
from gansweep.papers.trained import Trained

CONF = Path(__file__).parents[2] / "conf" / "experiment"


def trained(values, experiment="mescheder_images/r1", seed=0, lr=1e-4, diverged=False, **overrides):
    evaluations = [{"step": step, "value": value} for step, value in values.items()]
    last = max(values)
    metric = {
        "name": "w1",
        "untrained": values.get(0),
        "final": None if diverged else values[last],
        "best": min(values.values()),
        "evaluations": evaluations,
    }
    record = {
        "cell": {"overrides": {"experiment": experiment, **overrides}},
        "config": {"lr": lr, "seed": seed, "steps": last, "critic_steps": 1, "loss": overrides.get("loss")},
        "metric": metric,
        "steps": last,
        "state": "diverged" if diverged else "completed",
        "time": {"steps_per_s": 2.0},
    }
    return Trained(Path("x"), record)


def test_methods_are_in_the_papers_order_and_a_diverged_seed_is_counted_not_averaged():
    cells = [
        trained({0: 9.0, 10: 4.0}, "mescheder_images/wgan_gp_5"),
        trained({0: 9.0, 10: 2.0}, "mescheder_images/r1"),
        trained({0: 9.0, 5: 1.0, 10: 3.0}, "mescheder_images/r1", seed=1),
        trained({0: 9.0, 5: 0.1}, "mescheder_images/none", diverged=True),
    ]
    assert list(by_method(cells)) == ["none", "r1", "wgan_gp_5"]
    text = table(cells)
    assert "| none | N/A | N/A | 1 of 1 | N/A |" in text
    assert "| r1 | 2.50 ± 0.71 | 1.50 ± 0.71 | 0 of 2 | 5.00 ± 0.00 |" in text


def test_the_curves_are_over_seconds_and_over_steps():
    pytest.importorskip("matplotlib")
    by_time, by_step = over_time([trained({0: 9.0, 10: 2.0})]).axes
    assert by_time.lines[0].get_xdata().tolist() == [0, 5]
    assert by_step.lines[0].get_xdata().tolist() == [0, 10]


def test_the_plane_is_judged_by_the_last_fifth_of_the_best_setting():
    assert late(trained({0: 9.0, 40: 5.0, 80: 1.0, 100: 2.0})) == 1.5
    assert late(trained({0: 9.0, 100: 2.0}, diverged=True)) is None
    cells = [
        trained({0: 9.0, 10: value}, "mescheder_2d", seed, lr, loss=loss, data="line")
        for loss, lr, values in (
            ("standard", 1e-4, (0.4, 0.5)),
            ("standard", 1e-3, (0.1, 2.0)),
            ("r1", 1e-4, (0.3, 0.3)),
            ("r2", 1e-4, (0.2, 0.2)),
        )
        for seed, value in enumerate(values)
    ]
    best = best_settings(cells)
    assert best["standard", "line"] == [0.4, 0.5]
    assert _agreement(best) == "Here both are better than standard on 1 of 1."


def test_dirac_arrives_where_the_paper_has_a_tick():
    assert set(METHODS) == {path.stem for path in (CONF / "dirac").glob("*.yaml")} - {"base"}
    assert arrived(trained({0: 1.0, 500: 1e-4}))
    assert not arrived(trained({0: 1.0, 500: 0.1}))
    ends = {"gan": 3.1, "r1": 1e-6, "dragan": 1e-6}
    text = _text([trained({0: 1.0, 500: end}, f"dirac/{name}", lr=0.2) for name, end in ends.items()])
    assert "| unregularised | no | no | 0.2: 3.1 | yes |" in text
    assert "| R1 | yes | yes | 0.2: 1e-06 | yes |" in text
    assert "| DRAGAN | no | yes | 0.2: 1e-06 | no |" in text
