"""The tests that need a GPU (`-m gpu`), on the pretended device."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch
from tests.batched import test_philox, test_random_streams
from tests.rehearsal import pretended
from tests.training import test_cuda

pytestmark = pytest.mark.rehearsal
MODULES = (test_cuda, test_philox, test_random_streams)
# The size by memory is chosen for device.type == "cuda" only; test_memory.py tests it. A Triton kernel needs a GPU.
NOT_REHEARSED = ("test_the_pack_size_is_limited_by_memory", "test_on_a_gpu_one_kernel_equals_numpy")


def cases():
    """Yield every fast GPU test of `MODULES` with each set of its parameters."""
    for name, test in [entry for module in MODULES for entry in vars(module).items()]:
        if not name.startswith("test_") or not inspect.isfunction(test) or name in NOT_REHEARSED:
            continue
        marks = {mark.name: mark for mark in [*getattr(test, "pytestmark", ()), *_marks_of_module(test)]}
        if "gpu" in marks and "slow" not in marks:
            names, values = marks["parametrize"].args if "parametrize" in marks else ("", [None])
            for value in values:
                yield pytest.param(test, {names: value} if names else {}, id=f"{name}-{value}" if names else name)


def _marks_of_module(test):
    marks = getattr(inspect.getmodule(test), "pytestmark", ())
    return [decorator.mark for decorator in (marks if isinstance(marks, list) else [marks])] if marks else []


def test_all_modules_with_gpu_tests_are_listed():
    folder = Path(__file__).parent
    files = [file for file in folder.parent.rglob("test_*.py") if folder not in file.parents]
    found = {file for file in files if "pytest.mark.gpu" in file.read_text()}
    assert found == {Path(module.__file__) for module in MODULES}


@pytest.mark.parametrize(("test", "parameters"), list(cases()))
def test_gpu_test(test, parameters, request, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "cuda", lambda self: self.to(pretended.NAME))
    fixtures = {name: request.getfixturevalue(name) for name in inspect.signature(test).parameters.keys() - parameters}
    with pretended.PretendedDevice():
        test(**fixtures, **parameters)
