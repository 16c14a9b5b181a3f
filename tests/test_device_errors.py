"""Errors of a GPU: which concern all runs on it."""

from __future__ import annotations

import pytest
import torch

from gansweep.device_errors import is_device_failure, is_out_of_memory

SHORT = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB."),
    torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
]
FAILED = [
    torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
    torch.AcceleratorError("CUDA error: device-side assert triggered"),
    RuntimeError("CUDA error: unspecified launch failure"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm( handle, ...)`"),
]
OF_ONE_RUN = [
    MemoryError("CPU"),
    RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
    ValueError("CUDA error: of another kind"),
    type("OutOfMemoryError", (Exception,), {})("of a database"),
]


@pytest.mark.parametrize("error", SHORT, ids=str)
def test_out_of_memory(error):
    assert is_out_of_memory(error)
    assert not is_device_failure(error)


@pytest.mark.parametrize("error", FAILED, ids=str)
def test_failure_of_the_device(error):
    assert is_device_failure(error)
    assert not is_out_of_memory(error)


@pytest.mark.parametrize("error", OF_ONE_RUN, ids=str)
def test_failure_of_one_run(error):
    assert not is_device_failure(error)
    assert not is_out_of_memory(error)
