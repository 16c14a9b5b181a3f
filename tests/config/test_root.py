"""The numbers at the root."""

from __future__ import annotations

import pytest

from gansweep.config.root import out_of_range, steps_of


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("lr", [0.0, -1.0, float("nan"), float("inf")]),
        ("lr_d", [0.0, float("nan")]),
        ("seed", [-1]),
        ("steps", [0, -5]),
        ("batch_size", [0]),
        ("epochs", [0]),
        ("critic_steps", [0]),
        ("threads", [0]),
        ("device", ["gpu", "cuda:", "cuda:x", "CPU"]),
        ("name", ["", "/etc", "a/../../b", "a/b", ".", "..", "a\0"]),
    ],
)
def test_values_out_of_range_are_reported(key, values):
    for value in values:
        (problem,) = out_of_range({key: value})
        assert str(problem).startswith(f"{key}={value}: expected")


def test_values_in_range_are_not_reported():
    fine = {"lr": 1e-9, "seed": 0, "steps": 1, "epochs": None, "device": "cuda:12", "name": "a b ü"}
    assert list(out_of_range(fine)) == []


def test_an_epoch_ends_with_its_last_sample():
    assert steps_of(3, 100, 10) == 30
    assert steps_of(3, 101, 10) == 33
