"""Log-rank tests in a report. Mistakes: a rate taken for a method, runs of one seed counted several times."""

from __future__ import annotations

import itertools

import pytest
from tests.report.studies import study, verdict

from gansweep.report.diverged import log_rank_tests


def finals(diverges, lrs=(1.0,), seeds=6, optimizers=("adam", "sgd")):
    """Return what the runs of a grid came to; `diverges(optimizer, lr)` says which are N/A."""
    return [
        ({"optimizer": name, "lr": lr, "seed": seed}, None if diverges(name, lr) else 40.0 + seed)
        for name, lr, seed in itertools.product(optimizers, lrs, range(seeds))
    ]


def text(root, results) -> str:
    return log_rank_tests(verdict(study(root, results)))


def test_a_method_that_diverges_at_equal_rates_is_named(tmp_path):
    found = text(tmp_path, finals(lambda name, lr: name == "sgd" and lr == 10, (1.0, 10.0)))
    assert found.startswith("optimizer: sgd diverges earlier or more often than adam (p = 0.002")
    assert "on runs with equal other settings, Holm-corrected for 1 pair." in found


def test_a_rate_that_only_one_method_has_is_not_held_against_it(tmp_path):
    results = finals(lambda name, lr: lr == 10, (1.0, 10.0))
    results = [one for one in results if one[0]["optimizer"] == "sgd" or one[0]["lr"] == 1]
    assert text(tmp_path, results).startswith("optimizer: No two of them differ significantly.")


def test_methods_without_a_common_rate_are_not_tested(tmp_path):
    rates = {"adam": 1.0, "sgd": 10.0, "lion": 10.0}
    results = [one for one in finals(lambda name, lr: lr == 10, (1.0, 10.0), optimizers=tuple(rates))
               if one[0]["lr"] == rates[one[0]["optimizer"]]]  # fmt: skip
    assert "Holm-corrected for 1 pair. 2 pairs without such runs not tested." in text(tmp_path, results)
    two = [one for one in results if one[0]["optimizer"] != "lion"]
    assert "no two have runs with equal other settings and seeds" in text(tmp_path, two)


def test_many_rates_do_not_make_up_for_few_seeds(tmp_path):
    found = text(tmp_path, finals(lambda name, lr: name == "sgd", (1.0, 2.0, 3.0, 4.0), seeds=3))
    assert found.endswith("diverges earlier or more often needs at least 4 seeds, here 3.")


@pytest.mark.parametrize(("number", "is_found"), [(3, False), (4, True)])
def test_crossed_seeds_are_counted_by_independent_runs(tmp_path, number, is_found):
    """All runs of sgd diverge: of 9 runs with three seeds of each kind, three are independent."""
    results = [
        ({"optimizer": name, "seed_init": a, "seed_data": b}, None if name == "sgd" else 40.0 + a + b)
        for name in ("adam", "sgd")
        for a, b in itertools.product(range(number), repeat=2)
    ]
    found = text(tmp_path, results)
    assert ("sgd diverges earlier or more often than adam (p = 0.02857)" in found) == is_found
    assert ("needs at least 4 seeds, here 3." in found) == (not is_found)
    assert found.endswith("Of runs that share a seed_init or seed_data only one is used.")
