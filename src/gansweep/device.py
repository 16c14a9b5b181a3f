"""Device, precision, threads and memory of a process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

PRECISIONS = ("fp32", "tf32", "bf16")


def resolve(name: str) -> torch.device:
    """Return the torch device for `auto`, `cuda`, `cuda:1`, `mps` or `cpu`.

    Raises:
        ValueError: the device is not available, or the name is unknown.
    """
    available = ["cpu"]
    if torch.cuda.is_available():
        available += ["cuda", *(f"cuda:{n}" for n in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        available.append("mps")
    if name == "auto":
        return torch.device("cuda" if "cuda" in available else "mps" if "mps" in available else "cpu")
    if name not in available:
        raise ValueError(f"device={name}: this machine has {', '.join(available)}; auto selects the fastest")
    return torch.device(name)


def has_compiler(device: torch.device) -> bool:
    """Return whether torch.compile finds the C++ compiler that it needs on a CPU; True on other devices."""
    name = {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    command = shlex.split(os.environ.get("CXX", name)) or [name]
    return device.type != "cpu" or shutil.which(command[0]) is not None


def num_gpus(name: str) -> int:
    """Return the number of GPUs for a `device`: all visible ones for `auto` and `cuda`, 1 for `cuda:1`, 0 for `cpu`."""
    if resolve(name).type == "cpu":
        return 0
    return max(1, torch.cuda.device_count()) if name in ("auto", "cuda") else 1


def environment_of_gpu(name: str, number: int) -> dict[str, str]:
    """Return the environment variables of a process that uses one of the GPUs of a `device`.

    In this process, `auto` and `cuda` are the GPU with the number, and no memory of other GPUs is used.

    Args:
        name: auto, cuda, or a device with a number, which needs no variables.
        number: from 0, less than `num_gpus(name)`.
    """
    if name not in ("auto", "cuda"):
        return {}
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return {"CUDA_VISIBLE_DEVICES": str(number) if visible is None else visible.split(",")[number].strip()}


@contextlib.contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """Set torch's number of intra-op CPU threads inside the context. Usable as a decorator.

    Sums are divided among threads, so the number of threads changes results.
    """
    before = torch.get_num_threads()
    if count != before:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


def set_matmul_precision(precision: str) -> None:
    """Enable TF32 for float32 matrix products and convolutions if `precision` is tf32, else disable it.

    For bf16 see `autocast`.

    Raises:
        ValueError: the name is not in PRECISIONS.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision}: choose one of {', '.join(PRECISIONS)}")
    _allow_tf32(matmul=precision == "tf32", convolutions=precision == "tf32")


@contextlib.contextmanager
def restored_matmul_precision() -> Iterator[None]:
    """Restore the precision of float32 matrix products and convolutions on exit. Usable as a decorator."""
    backends: Any = torch.backends  # attributes are defined at run time
    settings = backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn
    before = [setting.fp32_precision for setting in settings]  # allow_tf32 raises if users mixed both interfaces
    try:
        yield
    finally:
        matmul, convolutions, _ = (precision == "tf32" for precision in before)
        _allow_tf32(matmul=matmul, convolutions=convolutions)
        for setting, precision in zip(settings, before, strict=True):
            if setting.fp32_precision != precision:
                setting.fp32_precision = precision


def _allow_tf32(*, matmul: bool, convolutions: bool) -> None:
    """Set the TF32 flags of CUDA.

    PyTorch 2.9 and later have two interfaces, and `fp32_precision` does not update what `allow_tf32` and
    `torch.get_float32_matmul_precision` read: they raise afterwards, also inside torch.compile and
    `torch.backends.cudnn.flags`. `allow_tf32` updates both. It does not change the precision on a CPU, as
    `torch.set_float32_matmul_precision` does.
    """
    torch.backends.cuda.matmul.allow_tf32 = matmul
    torch.backends.cudnn.allow_tf32 = convolutions


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager:
    """Return the autocast context for forward passes: bfloat16 if `precision` is bf16, else a null context."""
    if precision != "bf16":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def finest(device: torch.device) -> torch.dtype:
    """Return the floating-point type with the highest precision on a device."""
    return torch.float32 if device.type == "mps" else torch.float64


def synchronize(device: torch.device) -> None:
    """Wait until a device has finished all operations. To be called before reading a clock."""
    if device.type != "cpu":
        torch.zeros((), device=device).item()  # works on every kind of device


def hold_memory() -> None:
    """Configure glibc's malloc to keep freed blocks in the process.

    A training step frees and allocates the same large blocks repeatedly. By default they are returned to the
    kernel, which zeroes the pages at each allocation. No effect with other C libraries.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3
    mallopt(mmap_threshold, 1 << 30)
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(top_pad, 64 << 20)


def peak_memory_bytes(device: torch.device) -> int | None:
    """Return the peak memory of this process in bytes, None if not available.

    On CUDA this is device memory, otherwise resident memory. `ru_maxrss` is not used: it is inherited from the
    parent process.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def describe(device: torch.device, precision: str, threads: int) -> dict[str, str | int]:
    """Return type and name of the hardware, precision and number of threads, for the record."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
    return {"type": device.type, "name": name, "precision": precision, "threads": threads}


def processor(info: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's model name from `info` on Linux, else Python's, often the architecture only."""
    with contextlib.suppress(OSError):
        for line in info.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()


def to_numbers(rows: Sequence[Mapping[str, Tensor | float]]) -> list[dict[str, float]]:
    """Return the values of tensors () as numbers, with one transfer from each device."""
    tensors: dict[torch.device, dict[torch.dtype, list[Tensor]]] = {}
    for row in rows:
        for value in row.values():
            if isinstance(value, Tensor):
                tensors.setdefault(value.device, {}).setdefault(value.dtype, []).append(value)
    numbers: dict[tuple[torch.device, torch.dtype], Iterator[float]] = {}
    for device, by_dtype in tensors.items():
        parts = [torch.stack(values).to(finest(device)) for values in by_dtype.values()]
        on_host = torch.cat(parts).cpu().split([len(part) for part in parts])
        numbers |= {(device, dtype): iter(part.tolist()) for dtype, part in zip(by_dtype, on_host, strict=True)}
    return [
        {
            name: next(numbers[value.device, value.dtype]) if isinstance(value, Tensor) else float(value)
            for name, value in row.items()
        }
        for row in rows
    ]


def to_host(content: Any) -> Any:
    """Return nested dicts, lists and tuples with their tensors on the CPU, with one transfer from each device.

    Tensors that are on the CPU already are not copied.
    """
    tensors: dict[torch.device, list[Tensor]] = {}
    _each(content, lambda tensor: tensors.setdefault(tensor.device, []).append(tensor))
    on_host: dict[torch.device, Iterator[Tensor]] = {}
    for device, of_device in tensors.items():
        on_host[device] = iter(of_device if device.type == "cpu" else _transferred(of_device))
    return _each(content, lambda tensor: next(on_host[tensor.device]))


def _each(content: Any, change: Callable[[Tensor], Any]) -> Any:
    """Return the content with `change` applied to every tensor, in order."""
    if isinstance(content, Tensor):
        return change(content)
    if isinstance(content, Mapping):
        return {name: _each(value, change) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return type(content)(_each(value, change) for value in content)
    return content


def _transferred(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return copies of tensors of one device on the CPU, made in one transfer of their bytes."""
    parts = [tensor.detach().reshape(-1).contiguous().view(torch.uint8) for tensor in tensors]
    on_host = torch.cat(parts).cpu().split([len(part) for part in parts])
    return [
        part.clone().view(tensor.dtype).reshape(tensor.shape) for part, tensor in zip(on_host, tensors, strict=True)
    ]
