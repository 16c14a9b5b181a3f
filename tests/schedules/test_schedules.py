"""What every schedule promises, for every yaml of conf/schedule."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from gansweep.interfaces import Schedule

CONF = Path(__file__).parents[2] / "conf"
CHOICES = sorted(path.stem for path in (CONF / "schedule").glob("*.yaml"))

SUITS_SHORT_RUNS = {"warmup": ["schedule.length=0.5"]}


@pytest.fixture(params=CHOICES)
def schedule(request):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=[f"+schedule={request.param}", *SUITS_SHORT_RUNS.get(request.param, [])])
    return instantiate(config.schedule, _convert_="all")


@pytest.mark.parametrize("total_steps", [2, 3, 10, 1000])
def test_values_are_the_calls_in_order(schedule, total_steps):
    assert isinstance(schedule, Schedule)
    schedule.check(total_steps)
    values = schedule.values(total_steps)
    assert values.dtype == np.float64 and values.shape == (total_steps,)
    backwards = [schedule(step, total_steps) for step in reversed(range(total_steps))]
    assert backwards[::-1] == values.tolist()
    assert ((values >= 0) & (values <= 1)).all()


@pytest.mark.parametrize("choice", CHOICES)
def test_asking_for_a_rate_needs_neither_torch_nor_numpy(choice):
    """Settings are checked on the way to `--help`, which must not wait for either."""
    module = f"gansweep.schedules.{choice}"
    name = choice.capitalize()
    arguments = {"Step": "num_drops=2", "Piecewise": "[[1.0, 9]]"}.get(name, "")
    code = f"import sys, {module} as m; m.{name}({arguments})(1, 9); print({{'torch', 'numpy'}} & set(sys.modules))"
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout == "set()\n"
