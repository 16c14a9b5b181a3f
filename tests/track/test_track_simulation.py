"""The simulation of docs/records/track_rule.md at a small scale: false records, early stops, power."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).parents[2] / "scripts" / "bench" / "track_rule.py"


@pytest.fixture(scope="module")
def simulation():
    spec = spec_from_file_location("track_rule_simulation", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.parametrize(
    "name",
    [
        "lognormal, spread 0.3",
        "many ties: 4 evaluations",
        "20 % never at the target",
        "heavy tails (Pareto 0.8)",
        "times given by the seeds",
    ],
)
def test_false_records_stay_below_the_level(name, simulation):
    rates = simulation.null_rates(simulation.CASES[name], 300, np.random.default_rng(4))
    assert max(rates[:3]) <= 11 / 300  # Binomial(300, 0.01) exceeds 11 once in 20,000
    assert rates.stopped <= rates.in_sequence + 3 / 300
    assert 5 <= rates.seeds <= 20


def test_an_entry_that_is_twice_as_fast_becomes_the_record(simulation):
    case = simulation.CASES["lognormal, spread 0.3"]
    curve = {round(row[0], 2): row[1:] for row in simulation.power(case, 20, np.random.default_rng(5))}
    assert curve[0.5] == (1, 1)
    assert curve[1.0][0] <= 0.2


def test_the_factor_is_interpolated(simulation):
    assert simulation.factor_at(0.8, [(1.0, 0.0), (0.9, 0.6), (0.8, 1.0)]) == "0.85"
    assert simulation.factor_at(0.8, [(1.0, 0.0), (0.9, 0.6)]) == "< 0.90"
