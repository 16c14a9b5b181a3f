"""seeds=auto on the command line, with simulated trainings."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from tests.cli.tiny import TINY

from gansweep.cli import sweeping
from gansweep.cli.checked_loader import CheckedLoader
from gansweep.sweep.cell import state

LINE = ["-m", "optimizer=adam,sgd,rmsprop", "seeds=auto", "name=race", "workers=1", "device=cpu", "steps=2"]
MEANS = {"adam": 10.0, "rmsprop": 10.02, "sgd": 900.0}


@pytest.fixture
def rounds(monkeypatch):
    """Simulate cells with values around the mean of their optimizer, and return the rounds, at most `limit`."""
    played, limit = [], []

    def train_all(multirun, launcher=None):
        if limit and len(played) >= limit[0]:
            return 130, True
        new = [cell for cell in multirun.sweep().cells if not state(cell).is_result]
        played.append([(cell.overrides["optimizer"], cell.config["seed"]) for cell in new])
        for cell in new:
            rng = np.random.default_rng([cell.config["seed"], *map(ord, cell.overrides["optimizer"])])
            value = MEANS[cell.overrides["optimizer"]] + 0.1 * float(rng.normal())
            write(cell, value)
        return 0, False

    monkeypatch.setattr(sweeping.Multirun, "train_all", train_all)
    return played, limit


def write(cell, value):
    metric = {
        "name": "fd",
        "lower_is_better": True,
        "evaluations": [{"step": 0, "value": 1e3}, {"step": 2, "value": value}],
    }
    metric |= {"untrained": 1e3, "final": value, "final_step": 2, "best": value, "best_step": 2, "fingerprint": {}}
    content = {
        "format": 1,
        "state": "completed",
        "cell": {"name": cell.name, "hash": cell.hash, "overrides": cell.overrides},
        "config": cell.config,
        "identity": cell.identity,
        "metric": metric,
        "time": {},
    }
    cell.directory.mkdir(parents=True, exist_ok=True)
    (cell.directory / "record.json").write_text(json.dumps(content))


def test_only_the_open_settings_get_more_seeds(gansweep, rounds):
    answer = gansweep(*LINE, "seed=0,1,2", "most_seeds=6")
    assert answer.code == 0, answer.err
    played, _ = rounds
    assert sorted(played[0]) == [(name, seed) for name in ("adam", "rmsprop", "sgd") for seed in (0, 1, 2)]
    assert played[-1] == [("adam", 5), ("rmsprop", 5)]
    assert len(played) == 4
    assert re.search(r"seeds=auto: 3 seeds .* up to 6.*2 of 3 settings left.*at most 5%", answer.out)
    assert "seeds=auto" in (gansweep.folder / "outputs/race/table.md").read_text()
    assert all(re.match(r"optimizer=\w+,seed=\d-", name) for name in gansweep.records("race"))


def test_the_same_command_continues_the_race(gansweep, rounds):
    played, limit = rounds
    limit.append(2)
    assert gansweep(*LINE, "most_seeds=5").code == 130
    stopped = [one for batch in played for one in batch]
    assert min(stopped) == ("adam", 0)
    assert len(stopped) < 15
    limit.clear()
    assert gansweep(*LINE, "most_seeds=5").code == 0
    every = [one for batch in played for one in batch]
    assert len(every) == len(set(every)), "nothing is trained twice"
    assert {seed for name, seed in every if name == "adam"} == set(range(5))


def test_the_rounds_share_the_compositions(gansweep, rounds, monkeypatch):
    composed = []
    load = CheckedLoader.load_sweep_config
    monkeypatch.setattr(
        CheckedLoader,
        "load_sweep_config",
        lambda self, master, overrides: composed.append(tuple(overrides)) or load(self, master, overrides),
    )
    assert gansweep(*LINE, "most_seeds=4").code == 0
    assert len(rounds[0]) == 3
    assert len(composed) == len(set(composed)), "each choice of groups is composed once"


def test_a_plan_trains_nothing_and_states_the_largest_number_of_runs(gansweep, rounds):
    answer = gansweep(*LINE, "most_seeds=5", "plan=true")
    assert answer.code == 0
    assert "6 cells: 6 new" in answer.out
    assert "up to 9 more runs" in answer.out
    assert rounds[0] == []
    assert not (gansweep.folder / "outputs").exists()


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (["seeds=3"], "seeds"),
        (["most_seeds=1"], "most_seeds=1: expected at least 2"),
        (["seed=0,1,2", "most_seeds=2"], "most_seeds=2: expected at least 3"),
        (["~metric"], "seeds=auto: seeds are chosen by the metric"),
        (["seed_init=0,1"], "seeds=auto: varies `seed` alone; expected no list for seed_init"),
    ],
)
def test_settings_that_exclude_seeds_auto_are_refused(gansweep, rounds, wrong, where):
    answer = gansweep(*[one for one in LINE if one.partition("=")[0] != wrong[0].partition("=")[0]], *wrong)
    assert answer.code == 2
    assert where in answer.err
    assert rounds[0] == []


@pytest.mark.slow
def test_a_small_real_race(gansweep):
    tiny = [one for one in TINY if one != "~metric"]
    line = [*tiny, "-m", "lr=1e-3,100", "seeds=auto", "most_seeds=3", "name=real"]
    answer = gansweep(*line)
    assert answer.code == 0, answer.err
    assert "seeds=auto: 2 seeds" in answer.out
    assert gansweep(*line).out == answer.out, "nothing is left to train"
    assert 4 <= len(gansweep.records("real")) <= 6
