"""Intervals on the command line. Mistakes: a linear scale for rates, other points for a longer search, a lost bound."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from scipy import stats

from gansweep.cli.overrides import combinations, num_jobs
from gansweep.cli.search_points import Interval, points
from gansweep.config.errors import BadConfig
from gansweep.report.__main__ import main as report


def parsed(*line):
    return OverridesParser.create().parse_overrides(list(line))


def values(*line, key="lr"):
    return [float(point[key]) for point in points(parsed(*line), {})]


@pytest.mark.parametrize("sampler", ["sobol", "random"])
def test_rates_are_uniform_on_a_logarithmic_scale(sampler):
    found = np.log10(values("lr=interval(1e-5,1e-1)", "num=256", f"sampler={sampler}"))
    assert stats.kstest(found, stats.uniform(-5, 4).cdf).pvalue > 0.01
    assert found.min() >= -5
    assert found.max() <= -1


@pytest.mark.parametrize("line", ["m=interval(0.5,0.99)", "m=tag(linear,interval(1,100))", "m=interval(-1,1)"])
def test_other_intervals_are_uniform(line):
    (override,) = parsed(line)
    at = Interval.of(override)
    found = values(line, "num=256", key="m")
    assert stats.kstest(found, stats.uniform(at.low, at.high - at.low).cdf).pvalue > 0.01


def test_whole_numbers_from_zero_are_uniform():
    assert set(values("s=int(interval(0,3))", "num=64", key="s")) == {0, 1, 2, 3}
    assert set(values("s=int(interval(-2,-1))", "num=16", key="s")) == {-2, -1}


def test_whole_numbers_include_both_ends():
    found = values("b=int(interval(2,5))", "num=64", key="b")
    assert set(found) == {2, 3, 4, 5}
    wide = values("b=int(interval(1,1000))", "num=256", key="b")
    assert abs(np.median(wide) - 32) < 12, "on a logarithmic scale"


@pytest.mark.parametrize("sampler", ["sobol", "random", "tpe"])
def test_a_longer_search_begins_with_the_points_of_a_shorter_one(sampler):
    line = ("lr=interval(1e-5,1e-1)", "m=interval(0,1)", f"sampler={sampler}")
    short, long = (points(parsed(*line, f"num={num}"), {}) for num in (5, 12))
    assert long[:5] == short
    assert len({point["lr"] for point in long}) == 12


def test_several_intervals_are_sampled_jointly():
    xy = np.array(
        [[float(p["a"]), float(p["b"])] for p in points(parsed("a=interval(0,1)", "b=interval(0,1)"), {"num": 64})]
    )
    counts, _, _ = np.histogram2d(*xy.T, bins=4, range=[[0, 1], [0, 1]])
    assert counts.min() == counts.max() == 4, "a Sobol sequence fills boxes evenly"


def test_every_combination_of_listed_values_is_trained_at_every_point():
    line = parsed("optimizer=adam,sgd", "lr=interval(1e-5,1e-1)", "seed=0,1", "num=3")
    jobs = combinations(line)
    assert len(jobs) == num_jobs(line) == 12
    assert len({tuple(job) for job in jobs}) == 12
    lines = [[text.split("=")[0] for text in job] for job in jobs]
    assert all(keys == ["optimizer", "lr", "seed", "num"] for keys in lines)
    by_optimizer = [{job[1] for job in jobs if job[0] == f"optimizer={name}"} for name in ("adam", "sgd")]
    assert by_optimizer[0] == by_optimizer[1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("lr=interval(1e-5,1e-1)",), "lr=interval(1e-5,1e-1): an interval needs the number"),
        (("lr=interval(1e-5,1e-1)", "num=0"), "num=0: expected a whole number above 0"),
        (("lr=interval(1e-5,1e-1)", "num=2.5"), "num=2.5"),
        (("lr=interval(1,1)", "num=2"), "two finite numbers"),
        (("lr=tag(log,interval(-1,1))", "num=2"), "lower end above 0"),
        (("lr=interval(1e-5,1e-1)", "num=2", "sampler=grid"), "sampler=grid: expected one of sobol, random, tpe"),
        (("lr=1,2", "num=2"), "num=2: without effect"),
        (("lr=tag(foo,interval(1,2))", "num=2"), "tag foo: expected log or linear"),
        (("lr=interval(1,2)", "num=2,4"), "num=2,4: expected one value"),
        (("lr=interval(1,2),3", "num=2"), "lr=interval(1,2),3: expected an interval alone, or listed values"),
        (("lr=3,interval(1,2)", "num=2"), "lr=3,interval(1,2): expected an interval alone, or listed values"),
        (
            ("optimizer.betas=[interval(0,1),0.9]", "num=2"),
            "optimizer.betas=[interval(0,1),0.9]: an interval is the value of a whole setting, such as "
            "lr='interval(1e-5,1e-1)'; expected whole values, such as optimizer.betas=[0.5,0.9],[0.0,0.9]",
        ),
        (("trainer={ema: interval(0,1)}", "num=2"), "expected listed values"),
        (("b=[interval(0,1)],[1]", "num=2"), "an interval is the value of a whole setting"),
    ],
)
def test_mistakes_are_named(line, words):
    with pytest.raises(BadConfig, match=re.escape(words)):
        combinations(parsed(*line))


def test_an_interval_inside_a_list_is_one_problem_with_and_without_m(gansweep):
    for more in ([], ["-m", "num=2"]):
        answer = gansweep("optimizer.betas=[interval(0,1),0.9]", *more)
        assert answer.code == 2
        problems = [line for line in answer.err.splitlines() if line.startswith("  ")]
        assert len(problems) == 1
        assert problems[0].startswith("  optimizer.betas=[interval(0,1),0.9]: an interval is the value of a whole")


def test_equal_points_of_an_interval_are_composed_once():
    line = parsed("optimizer=adam,sgd", "b=int(interval(2,4))", "num=9000")
    assert sorted(job[1] for job in combinations(line)) == ["b=2", "b=2", "b=3", "b=3", "b=4", "b=4"]


def test_a_search_is_a_sweep(gansweep, capsys):
    line = ("-m", "lr=interval(1e-4,1e-2)", "num=2", "name=x")
    answer = gansweep.tiny(*line)
    assert answer.code == 0
    first = gansweep.records("x")
    assert len(first) == 2
    assert "sampler=sobol: a search over 2 points. The best of many is biased" in answer.out
    for more in ([], ["--cols", "lr"], ["--format", "html", "--out", "page.html"]):
        assert report(["outputs/x", *more]) == 0
    assert capsys.readouterr().out.count("The best of many is biased") == 2
    assert "The best of many is biased" in (gansweep.folder / "page.html").read_text()
    answer = gansweep.tiny("-m", "lr=interval(1e-4,1e-2)", "num=3", "name=x")
    assert answer.code == 0
    assert "Training 1 of 3 cells" in answer.out + answer.err
    assert first.items() <= gansweep.records("x").items()


def test_an_interval_without_num_trains_nothing(gansweep):
    answer = gansweep("-m", "lr=interval(1e-4,1e-2)")
    assert answer.code == 2
    assert "num" in answer.err
    assert not (gansweep.folder / "outputs").exists()
