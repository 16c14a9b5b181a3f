"""Properties of every schedule in conf/schedule."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from tests.construct import instantiate

from gansweep.cli.hydra_app import BASE
from gansweep.interfaces import Schedule
from gansweep.schedules.equal_area import EqualArea

CONF = Path(__file__).parents[2] / "conf"
CHOICES = sorted(path.stem for path in (CONF / "schedule").glob("*.yaml"))


# Choices as typed on the command line; wrappers are also tested around another schedule.
SHELF = [
    *([choice] for choice in CHOICES),
    ["warmup", "schedule@schedule.of=cosine"],
    ["equal_area", "schedule@schedule.of=one_cycle"],
    ["equal_area", "schedule@schedule.of=warmup", "schedule@schedule.of.of=linspace"],
]


@pytest.fixture(params=SHELF, ids=",".join, scope="module")
def schedule(request):
    choice, *inside = request.param
    with initialize_config_dir(str(CONF), **BASE):
        config = compose(overrides=[f"+schedule={choice}", *inside])
    return instantiate(config.schedule)


@pytest.mark.parametrize("total_steps", [1, 2, 3, 10, 1000])
def test_values_equal_the_calls(schedule, total_steps):
    assert isinstance(schedule, Schedule)
    try:
        schedule.check(total_steps)
    except ValueError as error:
        assert total_steps <= 10, error  # a warm-up of 5 % rounds to 0 steps
        pytest.skip(str(error))
    values = schedule.values(total_steps)
    assert values.dtype == np.float64
    assert values.shape == (total_steps,)
    backwards = [schedule(step, total_steps) for step in reversed(range(total_steps))]
    assert backwards[::-1] == values.tolist()
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    assert values.any()


def test_maximum_is_1_except_with_equal_area(schedule):
    values = schedule.values(1000)
    if isinstance(schedule, EqualArea):
        assert values.sum() == pytest.approx(1000, rel=1e-12)
    else:
        assert values.max() == pytest.approx(1, abs=2e-5)  # that of one_cycle can be between two steps
        assert values.max() <= 1


def test_equality_repr_and_pickling(schedule):
    """Also after evaluation: a pickled copy is equal, and repr contains only settings."""
    before, text = pickle.loads(pickle.dumps(schedule)), repr(schedule)
    values = schedule.values(20)
    after = pickle.loads(pickle.dumps(schedule))
    assert before == schedule == after
    assert hash(before) == hash(schedule) == hash(after)
    assert repr(schedule) == text == repr(after)
    assert after.values(20).tolist() == values.tolist()


@pytest.mark.parametrize("choice", CHOICES)
def test_evaluation_imports_neither_torch_nor_numpy(choice):
    """Settings are checked before `--help` is printed, which must not wait for these imports."""
    settings = OmegaConf.to_container(OmegaConf.load(CONF / "schedule" / f"{choice}.yaml"))
    module, _, name = settings.pop("_target_").rpartition(".")
    settings.pop("defaults", None)
    code = f"import sys, {module} as m; s = m.{name}(**{settings}); s.check(99); s(1, 99); "
    code += "print({'torch', 'numpy'} & set(sys.modules))"
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout == "set()\n"
