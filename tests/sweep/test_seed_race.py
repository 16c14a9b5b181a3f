"""Which runs seeds=auto adds."""

from __future__ import annotations

import numpy as np
import pytest
from fake_cells import cell, diverged, record

from gansweep.sweep.cell import State
from gansweep.sweep.race import SeedRace
from gansweep.sweep.result import Result


def result(root, name, seed, value, higher=False, metric="fd_digits"):
    """A run that came to a value, diverged (None) or failed (an exception)."""
    one = cell(root, optimizer=name, seed=seed)
    if isinstance(value, Exception):
        return Result(one, State.FAILED, record(one, None, state="failed", metric=None))
    content = diverged(one) if value is None else record(one, value, fingerprint={"metric": metric})
    content["metric"]["lower_is_better"] = not higher
    return Result(one, State(content["state"]), content)


def play(root, race, draw, names, **more):
    """Play a race to its end; `draw(name, seed)` trains."""
    settings = [{} for _ in names]
    while wanted := race.wanted(settings):
        for place, seed in wanted:
            settings[place][seed] = result(root, names[place], seed, draw(names[place], seed), **more)
    return settings


def test_all_are_given_the_first_seeds(tmp_path):
    race = SeedRace.beginning_with([7, 3], 5)
    assert race.seeds == (7, 3, 8, 9, 10)
    assert race.wanted([{}, {7: result(tmp_path, "b", 7, 1.0)}]) == [(0, 7), (0, 3), (1, 3)]


@pytest.mark.parametrize("higher", [False, True])
def test_a_clear_loser_gets_no_more_and_the_close_ones_do(tmp_path, higher):
    rng, sign = np.random.default_rng(0), -1 if higher else 1
    means = {"a": 10.0, "b": 10.1, "c": 500.0}
    race = SeedRace.beginning_with([0, 1, 2], 8)
    played = play(tmp_path, race, lambda name, seed: sign * (means[name] + rng.normal()), "abc", higher=higher)
    assert len(played[2]) < 6
    assert len(played[0]) == len(played[1]) == 8
    assert "2 of 3 settings left" in race.told(played)
    assert "at most 5%" in race.told(played)


def test_a_decided_table_is_left_alone(tmp_path):
    race = SeedRace.beginning_with(range(4), 10)
    played = play(tmp_path, race, lambda name, seed: 1.0 + 0.1 * seed if name == "a" else 900.0 + 0.1 * seed**2, "ab")
    assert [len(one) for one in played] == [4, 4]
    assert "no more were made, decided, one setting left" in race.told(played)


def test_one_that_diverges_is_out_in_the_end(tmp_path):
    race = SeedRace.beginning_with([0, 1], 16)
    played = play(tmp_path, race, lambda name, seed: None if name == "b" else seed + 1.0, "ab")
    assert "decided" in race.told(played)
    assert len(played[1]) < 16


def test_one_that_failed_is_not_tried_for_ever(tmp_path):
    rng = np.random.default_rng(0)
    race = SeedRace.beginning_with([0, 1], 4)
    played = play(tmp_path, race, lambda name, seed: ValueError() if name == "b" else rng.normal(), "abc")
    assert [len(one) for one in played] == [4, 2, 4]


def test_what_was_measured_differently_does_not_race(tmp_path):
    race = SeedRace.beginning_with([0, 1], 6)
    settings = [
        {seed: result(tmp_path, name, seed, value + seed, metric=metric) for seed in (0, 1)}
        for name, value, metric in (("a", 1.0, "fd"), ("b", 900.0, "kid"))
    ]
    assert race.wanted(settings) == [], "each is alone in its table"


def test_the_error_rate_is_kept(tmp_path):
    """Equal settings: each dropping of the first is an error. A race at a high level, so that it would show."""
    rng = np.random.default_rng(1)
    lost = []
    for _ in range(60):
        race = SeedRace(tuple(range(6)), 3, level=0.3)
        played = play(tmp_path, race, lambda name, seed: rng.normal(), "abc")
        lost.append(0 not in race.race.remaining([race._scores(one) for one in played]))
    assert np.mean(lost) < 0.3 + 2 * (0.3 * 0.7 / 60) ** 0.5


def test_settings_that_remain_and_are_no_better_than_untrained_are_named_so(tmp_path):
    race = SeedRace.beginning_with([0, 1], 2)  # their records have 400 at step 0
    assert "2 of 2 settings left, 1 of them no better than the untrained generator" in race.told(
        play(tmp_path, race, lambda name, seed: {"a": 399.0, "b": 401.0}[name] + seed / 9, "ab")
    )


def test_too_few_seeds_are_refused():
    with pytest.raises(ValueError, match="most_seeds=2: expected at least 3"):
        SeedRace.beginning_with([0, 1, 2], 2)
