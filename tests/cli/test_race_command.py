"""race=steps on the command line, with simulated trainings, and one small real race."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.cli.test_auto_seeds import write

from gansweep.cli import sweeping

LINE = ["-m", "optimizer=adam,sgd,rmsprop", "lr=1e-4,1e-3", "seed=0,1,2", "name=race", "workers=1", "device=cpu"]
LINE += ["steps=4", "trainer.eval_every=1"]
MEANS = {"adam": 10.0, "rmsprop": 10.1, "sgd": 900.0}


@pytest.fixture
def rounds(monkeypatch):
    """Simulate runs with values around the mean of their optimizer, and return them by round, at most `limit`."""
    played, limit = [], [10**6]

    def train_all(multirun, launcher=None):
        new = [cell for cell in multirun.sweep().cells if not multirun._is_done(cell)]
        played.append([(cell.overrides["optimizer"], cell.overrides["lr"], cell.config["seed"]) for cell in new])
        for cell in new:
            if sum(map(len, played)) > limit[0]:
                return 130, True
            rng = np.random.default_rng([cell.config["seed"], *map(ord, cell.overrides["optimizer"])])
            final = MEANS[cell.overrides["optimizer"]] * float(np.exp(0.01 * rng.normal()))
            values = {step: final * (1 + (4 - step) / 4) for step in range(5)}
            limits = multirun.limits.get(cell.hash, {}) if cell.in_race else {}
            at = next((step for step in range(5) if values[step] > limits.get(step, np.inf)), 4)
            write(cell, final)
            change(cell, {step: values[step] for step in range(at + 1)})
        return 0, False

    monkeypatch.setattr(sweeping.Multirun, "train_all", train_all)
    return played, limit


def change(cell, values):
    """Give a record the evaluations `values`; it is that of a dropped run if the last step is missing."""
    path = cell.directory / "record.json"
    content, last = json.loads(path.read_text()), max(values)
    best = min((value, step) for step, value in values.items() if step)
    content["metric"] |= {"evaluations": [{"step": step, "value": value} for step, value in values.items()]}
    content["metric"] |= {"untrained": values[0], "best": best[0], "best_step": best[1]}
    content["metric"] |= {"final": values.get(4), "final_step": 4 if last == 4 else None}
    content |= {"steps": last}
    if last < 4:
        content |= {"state": "dropped", "dropped": {"by": "race=steps", "step": last}}
    path.write_text(json.dumps(content))


def test_hopeless_runs_are_dropped_and_the_same_line_without_race_finishes_them(gansweep, rounds):
    answer = gansweep(*LINE, "race=steps")
    assert answer.code == 0, answer.err
    states = [content["state"] for content in gansweep.records("race").values()]
    assert states.count("dropped") >= 1
    assert len(states) < 18
    assert "race=steps: " in (gansweep.folder / "outputs/race/table.md").read_text()
    assert "by the race" in answer.out
    assert len(rounds[0][0]) == 8, "the pilots are four configurations with two seeds"
    before = {name: r for name, r in gansweep.records("race").items() if r["state"] == "completed"}
    again = gansweep(*LINE, "race=steps", "plan=true")
    assert "Nothing is left to train." in again.out
    assert "more runs" not in again.out
    assert f"{18 - len(before)} to train" in gansweep(*LINE, "plan=true").out
    assert gansweep(*LINE).code == 0
    after = gansweep.records("race")
    assert len(after) == 18
    assert {content["state"] for content in after.values()} == {"completed"}
    assert {name: after[name] for name in before} == before


@pytest.mark.slow
def test_the_same_command_continues_an_interrupted_race_with_the_same_decisions(gansweep, rounds):
    gansweep(*LINE, "race=steps", "name=whole")
    rounds[0].clear()
    rounds[1][0] = 10
    assert gansweep(*LINE, "race=steps").code == 130
    rounds[1][0] = 10**6
    assert gansweep(*LINE, "race=steps").code == 0
    ended = {name: content["state"] for name, content in gansweep.records("race").items()}
    assert ended == {name: content["state"] for name, content in gansweep.records("whole").items()}


def test_the_best_of_a_race_is_not_named_without_a_word_on_the_untrained_generator(gansweep, rounds, monkeypatch):
    """Untrained generators have twice the final value; in the other race they have the final value."""
    assert gansweep(*LINE, "race=steps").code == 0
    assert "no better than the untrained" not in (gansweep.folder / "outputs/race/table.md").read_text()
    written = change

    def without_progress(cell, values):
        written(cell, {**values, 0: values[max(values)]})

    monkeypatch.setitem(globals(), "change", without_progress)
    answer = gansweep(*LINE, "race=steps", "name=flat")
    assert answer.code == 0, answer.err
    text = (gansweep.folder / "outputs/flat/table.md").read_text()
    assert "of them no better than the untrained generator, " in text.partition("race=steps: ")[2]


def test_with_automatic_seeds_the_race_goes_on_to_the_most(gansweep, rounds):
    line = [one for one in LINE if not one.startswith("seed=")]
    assert gansweep(*line, "race=steps", "seeds=auto", "most_seeds=4").code == 0
    seeds = {seed for batch in rounds[0] for name, _, seed in batch if name == "adam"}
    assert seeds == {0, 1, 2, 3}
    assert {seed for batch in rounds[0] for name, _, seed in batch if name == "sgd"} <= {0, 1}


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (["race=seeds"], "race=seeds"),
        (["seed=0"], "race=steps: expected at least 2 seeds"),
        (["~metric"], "race=steps: configurations are compared by the metric"),
        (["seed_init=0,1"], "race=steps: varies `seed` alone; expected no list for seed_init"),
    ],
)
def test_what_a_race_can_not_be_is_refused_before_anything_is_trained(gansweep, rounds, wrong, where):
    line = [one for one in [*LINE, "race=steps"] if one.partition("=")[0] != wrong[0].partition("=")[0]]
    answer = gansweep(*line, *wrong)
    assert answer.code == 2
    assert where in answer.err
    assert rounds[0] == []


@pytest.mark.slow
def test_a_small_real_race(gansweep):
    line = ["-m", "data=circle", "model=mlp_2d", "metric=wasserstein1", "metric.num_samples=256", "workers=1", "pack=6"]
    line += ["optimizer=adam,sgd,rmsprop", "lr=1e-4,1e-3,1e-2", "seed=0,1,2", "steps=100", "trainer.eval_every=10"]
    line += ["device=cpu", "trainer.tensorboard=false", "name=real"]
    assert gansweep(*line, "race=steps").code == 0
    raced = gansweep.records("real")
    assert any(content["state"] == "dropped" for content in raced.values())
    assert gansweep(*line).code == 0
    assert gansweep(*line, "name=whole").code == 0
    whole, finished = gansweep.records("whole"), gansweep.records("real")
    assert {n: r["metric"] for n, r in finished.items()} == {n: r["metric"] for n, r in whole.items()}
    kept = [name for name, content in raced.items() if content["state"] == "completed"]
    assert {name: finished[name] for name in kept} == {name: raced[name] for name in kept}
