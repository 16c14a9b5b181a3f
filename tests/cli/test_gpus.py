"""Number of processes and the environment of each on machines with GPUs."""

from __future__ import annotations

import pytest
import torch

from gansweep.cli import distribution
from gansweep.config.errors import SettingError
from gansweep.device import environment_of_gpu, num_gpus
from gansweep.forking import can_fork
from gansweep.sweep import worker

SETTINGS = {"device": "cuda", "workers": "auto", "threads": 1}
VISIBLE = "CUDA_VISIBLE_DEVICES"


@pytest.fixture(autouse=True)
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(worker, "can_spawn", lambda: True)
    monkeypatch.delenv(VISIBLE, raising=False)


@pytest.mark.parametrize(("device", "count"), [("auto", 2), ("cuda", 2), ("cuda:1", 1), ("cpu", 0)])
def test_gpus_of_a_device(device, count):
    assert num_gpus(device) == count


@pytest.mark.parametrize(
    ("settings", "unsettled", "count"),
    [
        ({}, 9, 2),
        ({}, 1, 1),
        ({"workers": 1}, 9, 1),
        ({"workers": 2}, 9, 2),
        ({"device": "cuda:1"}, 9, 1),
        ({"threads": 4}, 9, 2),  # no process is forked
        ({"device": "cpu", "workers": 3}, 9, 3),
        ({"device": "cpu", "workers": 3, "threads": 2}, 9, 1),
    ],
)
def test_number_of_processes(settings, unsettled, count):
    if settings.get("workers") == 3 and not can_fork():
        pytest.skip("processes can't be forked here")
    assert distribution.num_workers(SETTINGS | settings, unsettled, cores=8) == count


@pytest.mark.parametrize(("settings", "gpus"), [({"workers": 3}, 2), ({"workers": 2, "device": "cuda:0"}, 1)])
def test_more_processes_than_gpus_are_refused(settings, gpus):
    with pytest.raises(SettingError, match=rf"workers=\d: expected at most the number of GPUs, {gpus} with"):
        distribution.num_workers(SETTINGS | settings, 9)


@pytest.mark.parametrize(
    ("visible", "expected"),
    [(None, ["0", "1"]), ("1,0", ["1", "0"]), ("GPU-3a, GPU-5f", ["GPU-3a", "GPU-5f"]), ("2,3,9", ["2", "3"])],
)
def test_each_process_sees_one_of_the_visible_gpus(visible, expected, monkeypatch):
    if visible is not None:
        monkeypatch.setenv(VISIBLE, visible)
    start = distribution.start_method(SETTINGS, print)
    assert isinstance(start, worker.Spawn)
    assert [one[VISIBLE] for one in start.environments] == expected


def test_a_device_with_a_number_needs_no_variables():
    assert environment_of_gpu("cuda:1", 0) == {}


def test_one_process_where_none_can_be_started(monkeypatch):
    monkeypatch.setattr(worker, "can_spawn", lambda: False)
    assert distribution.num_workers(SETTINGS, 9) == 1
    assert distribution.start_method(SETTINGS, print) is None
