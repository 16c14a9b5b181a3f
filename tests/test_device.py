"""Precision of float32 matrix products: PyTorch's two interfaces for it agree after every change."""

from __future__ import annotations

import pytest
import torch

from gansweep.device import PRECISIONS, restored_matmul_precision, set_matmul_precision
from gansweep.metrics.features import full_precision
from gansweep.training.trainer import train
from tests.training.small import make_run, member


@pytest.fixture(autouse=True)
def unchanged_afterwards():
    with restored_matmul_precision():
        yield


def read_all() -> dict[str, object]:
    """Read what PyTorch's own code reads; each of these raises if the interfaces disagree."""
    with torch.backends.cudnn.flags(enabled=True):  # reads and writes allow_tf32
        pass
    return {
        "matmul": torch.backends.cuda.matmul.allow_tf32,
        "convolutions": torch.backends.cudnn.allow_tf32,
        "matmul precision": torch.get_float32_matmul_precision(),
        "matmul fp32_precision": torch.backends.cuda.matmul.fp32_precision == "tf32",
        "conv fp32_precision": torch.backends.cudnn.conv.fp32_precision == "tf32",
    }


def expected(tf32: bool) -> dict[str, object]:
    names = ("matmul", "convolutions", "matmul fp32_precision", "conv fp32_precision")
    return dict.fromkeys(names, tf32) | {"matmul precision": "high" if tf32 else "highest"}


@pytest.mark.parametrize("before", PRECISIONS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_all_flags_agree(before, precision):
    set_matmul_precision(before)
    set_matmul_precision(precision)
    assert read_all() == expected(precision == "tf32")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_precision_of_the_cpu_does_not_change(precision):
    before = torch.backends.mkldnn.matmul.fp32_precision, torch.backends.mkldnn.conv.fp32_precision
    set_matmul_precision(precision)
    assert (torch.backends.mkldnn.matmul.fp32_precision, torch.backends.mkldnn.conv.fp32_precision) == before


@pytest.mark.parametrize("precision", PRECISIONS)
def test_metrics_are_computed_in_float32_and_the_precision_is_restored(precision):
    set_matmul_precision(precision)
    with full_precision(torch.device("cpu")):
        assert read_all() == expected(False)
    assert read_all() == expected(precision == "tf32")


@pytest.mark.parametrize("name", ["ieee", "tf32", "none"])
def test_flags_that_a_user_mixed_are_restored(name):
    torch.backends.cuda.matmul.fp32_precision = name
    torch.backends.cudnn.rnn.fp32_precision = "ieee"
    with restored_matmul_precision():
        set_matmul_precision("tf32")
        assert read_all() == expected(True)
    assert torch.backends.cuda.matmul.fp32_precision == name
    assert torch.backends.cudnn.rnn.fp32_precision == "ieee"
    assert torch.backends.cuda.matmul.allow_tf32 == (name == "tf32")


@pytest.mark.parametrize("allowed", [False, True])
def test_training_restores_the_precision(allowed, tmp_path):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed
    train(make_run(2, member(), tensorboard=False), tmp_path)
    assert read_all() == expected(allowed)


def test_compilation_reads_the_flags():
    set_matmul_precision("tf32")
    double = torch.compile(lambda x: x @ x, backend="eager")
    assert torch.equal(double(torch.eye(2)), torch.eye(2))
