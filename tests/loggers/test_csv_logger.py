"""logger=csv. Mistakes: a point twice after an interruption, a point after a divergence, a mean of one seed only."""

from __future__ import annotations

import csv

import pytest

from gansweep.interfaces import LoggedRun
from gansweep.loggers.csv import CSV

GROUP = "lr=0.1-00000000"


def opened(folder, seed: int, step: int = 0):
    name = f"lr=0.1,seed={seed}-{seed:08d}"
    return CSV().open(LoggedRun(folder / name, name, "s", GROUP, {"seed": seed}, {}, step))


def rows(path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def run_file(folder, seed: int):
    return folder / "curves" / f"{GROUP}.{seed:08d}.csv"


ENDED = {"divergence": None, "state": "completed"}


def test_exact_values_of_each_run_and_the_mean_over_seeds(tmp_path):
    for seed, value in ((0, 0.1 + 0.2), (1, 1.0), (2, float("nan"))):
        logger = opened(tmp_path, seed)
        logger.scalars({"loss/generator": value, "metric/w1": seed}, 10)
        logger.scalars({"loss/generator": 2.0}, 2)
        logger.close(ENDED)
    assert rows(run_file(tmp_path, 0)) == [
        ["step", "tag", "value"],
        ["10", "loss/generator", "0.30000000000000004"],
        ["10", "metric/w1", "0"],
        ["2", "loss/generator", "2.0"],
    ]
    head, *body = rows(tmp_path / "curves" / f"{GROUP}.csv")
    assert head == ["step", "tag", "mean", "deviation", "n"]
    assert [row[:2] for row in body] == [["2", "loss/generator"], ["10", "loss/generator"], ["10", "metric/w1"]]
    mean, deviation, n = map(float, body[1][2:])
    assert (mean, n) == (pytest.approx((0.3 + 1) / 2), 2)
    assert deviation == pytest.approx((0.7**2 / 2) ** 0.5)
    assert list(map(float, body[2][2:])) == [1, 1, 3]


def test_a_run_that_continues_has_no_point_twice(tmp_path):
    logger = opened(tmp_path, 0)
    for step in (0, 10, 20, 30):
        logger.scalars({"a": step}, step)
    logger.flush()
    with run_file(tmp_path, 0).open("a") as file:
        file.write("40,a")  # killed while it wrote
    logger = opened(tmp_path, 0, step=20)
    logger.scalars({"a": 30}, 30)
    logger.close(ENDED)
    assert [row[0] for row in rows(run_file(tmp_path, 0))[1:]] == ["0", "10", "20", "30"]
    opened(tmp_path, 0).close(None)
    assert rows(run_file(tmp_path, 0)) == [["step", "tag", "value"]]  # it starts again


def test_points_after_a_divergence_are_removed(tmp_path):
    logger = opened(tmp_path, 0)
    for step in (10, 20, 30):
        logger.scalars({"a": step}, step)
    logger.close({"divergence": {"step": 20}, "state": "diverged"})
    assert [row[0] for row in rows(run_file(tmp_path, 0))[1:]] == ["10", "20"]
    assert [row[0] for row in rows(tmp_path / "curves" / f"{GROUP}.csv")[1:]] == ["10", "20"]


def test_fresh_accepts_the_folder_of_curves(tmp_path):
    from gansweep.sweep.sweep_directory import _belongs

    logger = opened(tmp_path, 0)
    logger.close(ENDED)
    assert _belongs(tmp_path / "curves", set())
