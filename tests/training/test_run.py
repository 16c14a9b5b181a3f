"""Outputs that are due after a step."""

from __future__ import annotations

import pytest

from gansweep.training.run import Intervals, TrainerSettings

SETTINGS = {"eval_every": 4, "eval_at": [5], "sample_every": 6, "checkpoint_every": 7, "log_every": 3, "check_every": 9}


@pytest.mark.parametrize(
    ("what", "steps"),
    [
        ("evaluation", [4, 5, 8, 12, 13]),
        ("picture", [5, 6, 12, 13]),
        ("checkpoint", [7, 13]),
        ("point", [3, 6, 9, 12, 13]),
        ("diagnosis", [11, 13]),
        ("anything", [4, 5, 6, 7, 8, 9, 11, 12, 13]),  # a point of the curves needs no divergence check
    ],
)
def test_outputs_due_in_a_run_of_13_steps(what, steps):
    due = getattr(Intervals(TrainerSettings(**SETTINGS, diagnose_every=11), 13), what)
    assert [step for step in range(1, 14) if due(step)] == steps


def test_no_diagnosis_without_diagnose_every():
    assert not Intervals(TrainerSettings(), 13).diagnosis(13)
