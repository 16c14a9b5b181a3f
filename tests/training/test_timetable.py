"""What is due after which step."""

from __future__ import annotations

import pytest

from gansweep.training.intervals import Timetable
from gansweep.training.run import TrainerSettings

SETTINGS = {"eval_every": 4, "eval_at": [5], "sample_every": 6, "checkpoint_every": 7, "log_every": 3, "check_every": 9}


@pytest.mark.parametrize(
    ("what", "steps"),
    [
        ("evaluation", [4, 5, 8, 12, 13]),
        ("picture", [5, 6, 12, 13]),
        ("checkpoint", [7, 13]),
        ("point", [3, 6, 9, 12, 13]),
        ("diagnosis", [11, 13]),
        ("anything", [4, 5, 6, 7, 8, 9, 11, 12, 13]),  # a point of the curves waits for nobody
    ],
)
def test_steps_of_a_run_of_thirteen(what, steps):
    due = getattr(Timetable(TrainerSettings(**SETTINGS, diagnose_every=11), 13), what)
    assert [step for step in range(1, 14) if due(step)] == steps


def test_without_diagnoses_there_is_none_at_the_end():
    assert not Timetable(TrainerSettings(), 13).diagnosis(13)
