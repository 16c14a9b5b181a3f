"""Errors of a GPU that concern all runs on it, as opposed to the failure of one run."""

from __future__ import annotations

# cuBLAS and cuDNN report a lack of memory in their own words, and the driver as an error like any other.
OUT_OF_MEMORY = ("CUDA error: out of memory", "STATUS_ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether the memory of the device was exhausted. Fewer runs at a time may fit.

    torch is not imported: the class is compared by name.
    """
    return _is_a(error, "OutOfMemoryError") or any(text in str(error) for text in OUT_OF_MEMORY)


def is_device_failure(error: BaseException) -> bool:
    """Return whether the device can't be used any more by this process.

    After an illegal memory access or a failed assertion in a kernel, every further call raises the same error.
    """
    failed = _is_a(error, "AcceleratorError") or (isinstance(error, RuntimeError) and "CUDA error:" in str(error))
    return failed and not is_out_of_memory(error)


def _is_a(error: BaseException, name: str) -> bool:
    return any(kind.__name__ == name and kind.__module__ == "torch" for kind in type(error).__mro__)
