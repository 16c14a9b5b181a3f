"""Importance of settings in a report. Mistakes: a lost share, runs of another seed, a grid with gaps taken as full."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.report.studies import study, verdict

from gansweep.report import sensitivity
from gansweep.sweep.cell import State


def grid(root, value, **settings):
    keys = list(settings)
    combinations = [dict(zip(keys, values, strict=True)) for values in itertools.product(*settings.values())]
    return verdict(study(root, [(one, value(one)) for one in combinations]))


def rows(found):
    return {row[0]: row[1:] for row in sensitivity.section(found).blocks[1].rows}


def test_the_rows_of_three_settings_and_seeds_sum_to_one(tmp_path):
    rng = np.random.default_rng(0)
    found = grid(tmp_path, lambda _: float(rng.gamma(1.0, 50.0)), a=[1, 2], b=[1, 2, 3], c=[1, 2, 3], seed=[0, 1])
    table = rows(found)
    assert "interactions of three or more settings" in table
    assert sum(float(share.rstrip("%")) for share, _ in table.values()) == pytest.approx(100, abs=0.5)


def test_missing_runs_leave_the_seeds_that_all_configurations_have(tmp_path):
    def value(one):
        return State.FAILED if (one["a"], one["seed"]) == (1, 2) else 40.0 + 10 * one["a"] + one["seed"] * one["a"]

    found = grid(tmp_path, value, a=[1, 2], b=[1, 2], seed=[0, 1, 2])
    text = "".join(part for part in sensitivity.section(found).blocks[0].text if isinstance(part, str))
    assert "Only runs of the 2 seeds that every configuration has are used." in text
    assert rows(found) == rows(grid(tmp_path / "x", value, a=[1, 2], b=[1, 2], seed=[0, 1]))


def test_without_a_common_seed_there_are_no_shares(tmp_path):
    results = [({"a": a, "seed": 2 * a + n}, 40.0 + n) for a in (1, 2) for n in (0, 1)]
    (block,) = sensitivity.section(verdict(study(tmp_path, results))).blocks
    assert block.text.startswith("No seed has a finished run of every configuration")


def test_a_grid_with_a_gap_has_no_shares(tmp_path):
    gap = [({"a": a, "b": b, "seed": s}, 1.0 + s) for a, b, s in itertools.product((1, 2), (1, 2), (0, 1)) if a * b < 4]
    assert sensitivity.section(verdict(study(tmp_path, gap))) is None


def test_the_test_accounts_for_crossed_seeds(tmp_path):
    """a has no effect; each initialisation has one on each value of a, so 3 of the 9 runs are independent."""
    rng = np.random.default_rng(0)  # independent runs would have p = 0.003
    of_init, rest = rng.normal(0, 10, (2, 3)), rng.normal(0, 0.1, (2, 3, 3))

    def value(one):
        return 100.0 + of_init[one["a"], one["seed_init"]] + rest[one["a"], one["seed_init"], one["seed_data"]]

    found = grid(tmp_path, value, a=[0, 1], seed_init=[0, 1, 2], seed_data=[0, 1, 2])
    text = "".join(part for part in sensitivity.section(found).blocks[0].text if isinstance(part, str))
    assert "accounts for runs that share a seed_init or seed_data." in text
    assert float(rows(found)["a"][1]) == pytest.approx(0.163, abs=0.001)


def test_an_effect_without_differences_between_seeds_has_no_p_value(tmp_path):
    found = grid(tmp_path, lambda one: 10.0 * one["a"], a=[1, 2], b=[1, 2], seed=[0, 1])
    assert rows(found) == {"a": ["100.0%", ""], "seeds": ["0.0%", ""]}
    assert "by chance" not in str(sensitivity.section(found).blocks[0].text)
