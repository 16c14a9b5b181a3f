"""The commands list, tune and try of the GAN Track, on a tiny track."""

from __future__ import annotations

import logging
import math
import subprocess
import sys
from pathlib import Path

import pytest

from gansweep.sweep.cell import Cell, Result, State
from gansweep.track.__main__ import COMMANDS, main
from gansweep.track.outcome import Outcome
from gansweep.track.track import Track
from tests.track import tiny
from tests.track.synthetic import entry


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Working directory in which `tiny` is the only track."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    tiny.install(monkeypatch, tmp_path / "tracks_of_test")
    monkeypatch.setattr("gc.collect", lambda *generation: 0)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    root.handlers[:] = handlers
    root.setLevel(level)


def result(seed, time, steps=4):
    """Return a run that reaches the target of `tiny` at a step; None for one that diverges, infinity for never."""
    evaluations = [{"step": step, "value": 1.0 if step >= (time or 0) else 3.0} for step in range(steps + 1)]
    divergence = {"step": 3, "player": "generator", "cause": "loss"} if time is None else None
    metric = {"name": "w1", "evaluations": evaluations, "final": None if divergence else evaluations[-1]["value"]}
    record = {"metric": metric, "divergence": divergence, "pack": {"members": 2}}
    state = State.DIVERGED if divergence else State.COMPLETED
    return Result(Cell({}, {"seed": seed}, {}, "", Path()), state, record)


def record_at(times):
    track = Track.load("tiny")
    Path("tracks/tiny").mkdir(parents=True)
    entry(track, dict(enumerate(times)), name="holder").write(Path("tracks/tiny/holder.json"))


def trained(monkeypatch, times):
    """Let the judging seeds reach the target at `times`, and return a list of the numbers of seeds asked for."""
    asked = []

    def judge(_track, _words, seeds, *_):
        asked.append(len(seeds))
        return Path("outputs/x"), {seed: result(seed, times[seed]) for seed in seeds}

    monkeypatch.setattr("gansweep.track.training.judge", judge)
    monkeypatch.setattr("gansweep.track.outcome.seconds_to_target", lambda *_: 1.5)
    return asked


def test_the_help_of_every_command_imports_neither_torch_nor_hydra():
    code = (
        "import sys; from importlib import import_module; from gansweep.track.__main__ import COMMANDS, _parser;"
        "_parser();"
        "[import_module('gansweep.track.commands.' + c.module).parser(n) for n, c in COMMANDS.items()];"
        "sys.exit(bool({'torch', 'hydra', 'omegaconf', 'pandas', 'scipy'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help(name, capsys):
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    assert f"track {name}" in capsys.readouterr().out.partition("\n")[0]


def test_list_names_the_record_of_every_track(place, capsys):
    assert main(["list"]) == 0
    assert "| tiny  | tiny | 1.95   | 4     | 5     | 8             | 0       | none   |" in capsys.readouterr().out
    record_at([2, 2, 3, 2, 1])
    assert main(["list"]) == 0
    assert "| 1       | holder, 3 steps |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["try", "tinny"], "track=tinny: unknown track; did you mean tiny? Tracks: tiny"),
        (["try", "tiny", "lr=1,2"], "lr=1,2: several values; an entry has one. To search: gansweep track tune tiny"),
        (["try", "tiny", "loss=wgan", "seed=3"], "loss=wgan: track tiny fixes it; free: optimizer, lr, schedule"),
        (["try", "tiny", "loss=wgan", "seed=3"], "seed=3: track tiny fixes the seeds"),
        (["try", "tiny", "--seeds", "6"], "--seeds=6: expected a whole number from 1 to 5, or auto"),
        (["try", "tiny", "--seeds", "some"], "--seeds=some: expected a whole number from 1 to 5, or auto"),
        (["tune", "tiny", "--budget", "0"], "--budget=0: expected a whole number from 1"),
        (["tune", "tiny", "--budget", "1"], "--budget=1: too small"),
        (["tune", "tiny", "name=mine"], "name=mine: track tiny chooses the runs and their folder"),
        (["try", "tiny", "--config-dir", "nothing"], "--config-dir=nothing: is not a directory"),
        (["try", "tiny", "optimizer=amad"], "optimizer=amad: Choose one of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_a_block_and_trains_nothing(words, expected, place, capsys):
    assert main(words) == 2
    err = capsys.readouterr().err
    assert "The configuration is not valid; nothing was trained.\n" in err
    assert f"  {expected}" in err
    assert not Path("outputs").exists()


def test_a_faulty_entry_is_reported_before_the_training(place, monkeypatch, capsys):
    asked = trained(monkeypatch, [1] * 5)
    Path("tracks/tiny").mkdir(parents=True)
    Path("tracks/tiny/broken.json").write_text("{")
    assert main(["try", "tiny", "lr=0.1"]) == 2
    assert "broken.json is not a valid entry" in capsys.readouterr().err
    assert asked == []


def test_try_prints_the_score_and_what_is_next(place, monkeypatch, capsys):
    trained(monkeypatch, [1, 2, 2, 3, 4])
    assert main(["try", "tiny", "optimizer=sgd", "lr=0.1"]) == 0
    out = capsys.readouterr().out
    assert "Track tiny: optimizer=sgd lr=0.1\n" in out
    assert "score    4 steps: with 95 % confidence, at least half of all trainings reach W1 <= 1.95 within" in out
    assert "median   2 steps\nreached  5 of 5 seeds\n" in out
    assert "time     1.50 s to the target (median, in packs of 2 runs); not part of the score" in out
    assert "record   yes: there is no other in tracks/tiny" in out
    assert "To submit: gansweep track submit outputs/x --name NAME --author AUTHOR" in out


def test_seeds_that_fail_are_named(place, monkeypatch, capsys):
    trained(monkeypatch, [1, None, 2, math.inf, 2])
    assert main(["try", "tiny"]) == 0
    out = capsys.readouterr().out
    assert "Track tiny: the defaults\nscore    not reached: too few seeds reach W1 <= 1.95" in out
    assert "reached  3 of 5 seeds\nmissed   seed 1, 3\ndiverged seed 1 at step 3\n" in out
    assert "record   no: the score is not finite" in out


@pytest.mark.parametrize(
    ("times", "verdict"),
    [
        ([1, 1, 1, 1, 1], r"yes: faster than holder, 3 steps (p = 0.031, level 0.05)"),
        ([3, 3, 3, 3, 3], r"no: not faster than holder, 3 steps (p = 1, level 0.05), but tied with it"),
        ([1, 1, 1, 1, 4], r"no: not faster than holder, 3 steps (p = 0.062, level 0.05), but tied with it"),
    ],
)
def test_an_entry_is_compared_with_the_record(times, verdict, place, monkeypatch, capsys):
    record_at([3] * 5)
    trained(monkeypatch, times)
    assert main(["try", "tiny", "lr=0.1"]) == 0
    assert f"record   {verdict}\n" in capsys.readouterr().out


def test_seeds_auto_stops_for_futility_only(place, monkeypatch, capsys):
    record_at([2, 2, 2, 2, 2])
    asked = trained(monkeypatch, [1, 1, 1, 1, 1])
    assert main(["try", "tiny", "lr=0.1", "--seeds", "auto"]) == 0
    assert asked == [2, 3, 5], "an entry that is ahead trains all seeds"
    assert "record   yes: faster than holder" in capsys.readouterr().out
    asked = trained(monkeypatch, [1, 4, 1, 1, 1])
    assert main(["try", "tiny", "lr=0.1", "--seeds", "auto"]) == 0
    assert asked == [2]
    out = capsys.readouterr().out
    assert (
        "Stopped after 2 seeds: it would not be the record even if every other seed reached the target at once" in out
    )
    assert "record   undecided: a record needs all 5 seeds" in out
    assert "To train the others: the same line without --seeds" in out


def test_a_part_of_the_seeds_decides_nothing(place, monkeypatch, capsys):
    asked = trained(monkeypatch, [1] * 5)
    assert main(["try", "tiny", "--seeds", "3", "lr=0.1"]) == 0
    assert asked == [3]
    out = capsys.readouterr().out
    assert "record   undecided" in out
    assert "gansweep track submit" not in out


def test_the_median_of_an_even_number_of_seeds(place):
    track = Track.load("tiny")
    times = {0: 1, 1: 2, 2: 4, 3: math.inf}
    assert Outcome(track, {seed: result(seed, time) for seed, time in times.items()}).median == 3
    assert Outcome(track, {seed: result(seed, math.inf) for seed in range(4)}).median == math.inf


RULE = """
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Signed:
    elementwise: ClassVar[bool] = True

    def state(self, slots, theta):
        return {}

    def update(self, theta, grad, state, context):
        theta.addcmul_(grad.sign(), context.lr.to(theta.dtype), value=-1)
"""


def test_a_class_of_the_user_is_tuned_and_judged(place, monkeypatch, capsys):
    (place / "my_rules_of_track.py").write_text(RULE)
    (place / "my_conf" / "optimizer").mkdir(parents=True)
    (place / "my_conf" / "optimizer" / "signed.yaml").write_text("_target_: my_rules_of_track.Signed\n")
    monkeypatch.syspath_prepend(str(place))
    line = ["tiny", "--config-dir", "my_conf", "optimizer=signed", *tiny.LIGHT]
    assert main(["try", *line, "lr=0.01", "--seeds", "1"]) == 2
    assert "my_rules_of_track" in capsys.readouterr().err
    assert main(["tune", *line, "allow=[my_rules_of_track]", "--budget", "2"]) == 0
    out = capsys.readouterr().out
    assert "Track tiny: 2 trainings, budget 2; without the target counted as 8 steps" in out
    (following,) = (text for text in out.splitlines() if text.startswith("To judge the best: "))
    words = following.removeprefix("To judge the best: gansweep track ").replace("'", "").split()
    assert words[-3:] == ["--config-dir", "my_conf", "allow=[my_rules_of_track]"]
    assert main([*words, *tiny.LIGHT, "--seeds", "1"]) == 0
    assert "record   undecided" in capsys.readouterr().out
