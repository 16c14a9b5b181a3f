"""The twelve generator schedules of Hill and Nijkamp 2017, compared with their printed values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from tests.construct import instantiate

from gansweep.schedules.linspace import Linspace
from gansweep.schedules.per_epoch import PerEpoch
from gansweep.schedules.piecewise import Piecewise

FOLDER = Path(__file__).parents[2] / "conf" / "schedule" / "coopnets"
# length, first, epoch 101, epoch 251, last, sum
TABLE = {
    "exp_1": (400, 3.5e-4, 3.5e-5, 3.5e-5, 3.5e-6, 0.04235),
    "exp_2": (500, 5e-3, 1e-3, 5e-4, 5e-5, 0.665),
    "exp_3": (500, 1e-3, 2e-4, 1e-4, 1e-5, 0.133),
    "exp_4": (500, 5e-4, 1e-4, 5e-5, 5e-6, 0.0665),
    "exp_5": (500, 2.5e-4, 5e-5, 2.5e-5, 2.5e-6, 0.03325),
    "exp_6": (500, 5e-5, 1e-5, 5e-6, 5e-7, 0.00665),
    "exp_7": (500, 3e-3, 1e-3, 5e-4, 1e-4, 0.51),
    "exp_8": (500, 1e-2, 2e-3, 1e-3, 1e-4, 1.33),
    "exp_9": (500, 5e-4, 3.15188e-4, 1.57750e-4, 5e-5, 0.097796),
    "exp_10": (500, 1e-3, 6.30375e-4, 3.15499e-4, 1e-4, 0.195592),
    "exp_11": (500, 1e-3, 3.97373e-4, 9.95396e-5, 1e-5, 0.107779),
    "exp_12": (500, 5e-4, 4.00802e-4, 2.52004e-4, 5e-6, 0.12625),
    "gamma": (500, 5e-4, 5e-5, 1e-5, 1e-6, 0.0566),
    "gamma_exp_1": (400, 5e-4, 5e-5, 5e-5, 5e-6, 0.0605),
}


def schedule(name, **changes):
    return instantiate(OmegaConf.load(FOLDER / f"{name}.yaml"), **changes)


@pytest.mark.parametrize("name", TABLE)
def test_values_of_the_study(name):
    length, *numbers, total = TABLE[name]
    values = schedule(name).values(10 * length)
    epochs = values[::10]
    assert (np.repeat(epochs, 10) == values).all()  # constant over the ten steps of an epoch
    # the table has six digits
    np.testing.assert_allclose(epochs[[0, 100, 250, -1]], numbers, rtol=4e-6)
    assert epochs.sum() == pytest.approx(total, rel=6e-6)


NUMPY = {
    "exp_9": 0.0005 * np.logspace(-2, -3, 500) * 100,
    "exp_10": 0.001 * np.logspace(-2, -3, 500) * 100,
    "exp_11": 0.001 * np.logspace(-2, -4, 500) * 100,
    "exp_12": 0.0005 * np.linspace(1, 0.01, 500),
    "exp_2": 10 * np.repeat([5e-4, 1e-4, 5e-5, 1e-5, 5e-6], 100),
}


@pytest.mark.parametrize("name", NUMPY)
def test_formulas_of_the_study(name):
    np.testing.assert_allclose(schedule(name).values(5000), NUMPY[name].repeat(10), rtol=1e-12)


def test_table_lists_all_schedules():
    assert TABLE.keys() == {path.stem for path in FOLDER.glob("*.yaml")}


@pytest.mark.parametrize(
    ("name", "ratio"), [("exp_9", 0.9953962310), ("exp_10", 0.9953962310), ("exp_11", 0.9908136567)]
)
def test_ratios_of_geometric_schedules(name, ratio):
    epochs = schedule(name).values(5000)[::10]
    np.testing.assert_allclose(epochs[1:] / epochs[:-1], ratio, rtol=1e-9)


def test_differences_of_the_linear_schedule():
    epochs = schedule("exp_12").values(5000)[::10]
    np.testing.assert_allclose(np.diff(epochs), -0.0005 * 0.99 / 499, rtol=1e-9)


def test_schedule_of_experiment_1_is_shorter_than_500_epochs():
    with pytest.raises(ValueError, match=r"epochs=400: schedule shorter than the run.*are 4000.*has 5000.*null"):
        schedule("exp_1").check(5000)
    with pytest.raises(ValueError, match="epochs=500: schedule longer than the run"):
        schedule("exp_2").check(4000)
    schedule("exp_1").check(4000)


def test_pieces_must_fill_the_epochs():
    with pytest.raises(ValueError, match="pieces: schedule shorter than the run: lengths sum to 400, expected 500"):
        PerEpoch(Piecewise([[1.0, 400]]), epochs=500)


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("total_steps", [7, 100, 1000])
def test_stretched_schedule_has_the_same_ends_and_mean(name, total_steps):
    length, first, _, _, last, total = TABLE[name]
    values = schedule(name, steps_per_epoch=None).values(total_steps)
    assert values[0] == pytest.approx(first, rel=1e-9)
    if total_steps >= 1000:
        assert values[-1] == pytest.approx(last, rel=1e-9)
    if total_steps >= 100:
        assert values.mean() == pytest.approx(total / length, rel=0.02)


@pytest.mark.parametrize(
    "settings", [{"epochs": 0}, {"steps_per_epoch": 0}, {"factor": -1.0}, {"factor": float("inf")}], ids=str
)
def test_settings_out_of_range(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"{name}="):
        PerEpoch(Linspace(), **settings)


def test_default_is_one_epoch():
    of = Linspace(1.0, 0.25)
    assert PerEpoch(of, epochs=4, steps_per_epoch=2).values(8).tolist() == of.values(4).repeat(2).tolist()
