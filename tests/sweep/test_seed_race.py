"""seeds=auto: which runs are added."""

from __future__ import annotations

import numpy as np
import pytest
from fake_cells import cell, diverged, record

from gansweep.sweep.cell import Result, State
from gansweep.sweep.races import SeedRace


def result(root, name, seed, value, higher=False, metric="fd_digits"):
    """Return a run with a final value, or one that diverged (None) or failed (an exception)."""
    one = cell(root, optimizer=name, seed=seed)
    if isinstance(value, Exception):
        return Result(one, State.FAILED, record(one, None, state="failed", metric=None))
    content = diverged(one) if value is None else record(one, value, fingerprint={"metric": metric})
    content["metric"]["lower_is_better"] = not higher
    return Result(one, State(content["state"]), content)


def play(root, race, draw, names, **more):
    """Run a race to its end; `draw(name, seed)` returns the final value of a run."""
    settings = [{} for _ in names]
    while wanted := race.wanted(settings):
        for place, seed in wanted:
            settings[place][seed] = result(root, names[place], seed, draw(names[place], seed), **more)
    return settings


def test_all_configurations_get_the_initial_seeds(tmp_path):
    race = SeedRace.beginning_with([7, 3], 5)
    assert race.seeds == (7, 3, 8, 9, 10)
    assert race.wanted([{}, {7: result(tmp_path, "b", 7, 1.0)}]) == [(0, 7), (0, 3), (1, 3)]


@pytest.mark.parametrize("higher", [False, True])
def test_only_close_configurations_get_more_seeds(tmp_path, higher):
    rng, sign = np.random.default_rng(0), -1 if higher else 1
    means = {"a": 10.0, "b": 10.1, "c": 500.0}
    race = SeedRace.beginning_with([0, 1, 2], 8)
    played = play(tmp_path, race, lambda name, seed: sign * (means[name] + rng.normal()), "abc", higher=higher)
    assert len(played[2]) < 6
    assert len(played[0]) == len(played[1]) == 8
    assert "2 of 3 settings left" in race.summary(played)
    assert "at most 5%" in race.summary(played)


def test_a_decided_race_adds_no_seeds(tmp_path):
    race = SeedRace.beginning_with(range(4), 10)
    played = play(tmp_path, race, lambda name, seed: 1.0 + 0.1 * seed if name == "a" else 900.0 + 0.1 * seed**2, "ab")
    assert [len(one) for one in played] == [4, 4]
    assert "no more were made, decided, one setting left" in race.summary(played)


def test_a_diverging_configuration_is_eliminated(tmp_path):
    race = SeedRace.beginning_with([0, 1], 16)
    played = play(tmp_path, race, lambda name, seed: None if name == "b" else seed + 1.0, "ab")
    assert "decided" in race.summary(played)
    assert len(played[1]) < 16


def test_a_failed_configuration_leaves_the_race(tmp_path):
    rng = np.random.default_rng(0)
    race = SeedRace.beginning_with([0, 1], 4)
    played = play(tmp_path, race, lambda name, seed: ValueError() if name == "b" else rng.normal(), "abc")
    assert [len(one) for one in played] == [4, 2, 4]


def test_different_metric_fingerprints_have_separate_races(tmp_path):
    race = SeedRace.beginning_with([0, 1], 6)
    settings = [
        {seed: result(tmp_path, name, seed, value + seed, metric=metric) for seed in (0, 1)}
        for name, value, metric in (("a", 1.0, "fd"), ("b", 900.0, "kid"))
    ]
    assert race.wanted(settings) == [], "each is alone in its table"


def test_the_error_rate_is_below_the_level(tmp_path):
    """With equal settings each elimination of the first is an error. The level is high, so that errors occur."""
    rng = np.random.default_rng(1)
    lost = []
    for _ in range(60):
        race = SeedRace(tuple(range(6)), 3, level=0.3)
        played = play(tmp_path, race, lambda name, seed: rng.normal(), "abc")
        lost.append(0 not in race.race.remaining([race._scores(one) for one in played]))
    assert np.mean(lost) < 0.3 + 2 * (0.3 * 0.7 / 60) ** 0.5


def test_remaining_configurations_no_better_than_untrained_are_counted(tmp_path):
    race = SeedRace.beginning_with([0, 1], 2)  # their records have 400 at step 0
    assert "2 of 2 settings left, 1 of them no better than the untrained generator" in race.summary(
        play(tmp_path, race, lambda name, seed: {"a": 390.0, "b": 399.0}[name] + seed / 9, "ab")
    )


def test_too_few_seeds_raise_an_error():
    with pytest.raises(ValueError, match="most_seeds=2: expected at least 3"):
        SeedRace.beginning_with([0, 1, 2], 2)
