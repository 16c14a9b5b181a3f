"""Where a run computes and how exactly."""

from __future__ import annotations

import contextlib
import ctypes
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

PRECISIONS = ("fp32", "tf32", "bf16")


def resolve(name: str) -> torch.device:
    """Turn `auto`, `cuda`, `cuda:1`, `mps` or `cpu` into a device that is there.

    Raises:
        ValueError: it is not there, or the name means nothing.
    """
    here = ["cpu"]
    if torch.cuda.is_available():
        here += ["cuda", *(f"cuda:{n}" for n in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        here.append("mps")
    if name == "auto":
        return torch.device("cuda" if "cuda" in here else "mps" if "mps" in here else "cpu")
    if name not in here:
        raise ValueError(f"device={name}: this machine has {', '.join(here)}; auto takes the fastest")
    return torch.device(name)


@contextlib.contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """Let torch compute with so many threads for one operation of the processor. Usable as a decorator.

    Sums are divided among threads, so their number changes results.
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
    """Let float32 products use TF32 or not; bf16 is a matter of `autocast`.

    Raises:
        ValueError: the name is not in PRECISIONS.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision}: choose one of {', '.join(PRECISIONS)}")
    backends: Any = torch.backends  # its modules make their attributes at run time
    for operation in (backends.cuda.matmul, backends.cudnn.conv):
        operation.fp32_precision = "tf32" if precision == "tf32" else "ieee"


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager:
    """Return the context in which networks are evaluated."""
    if precision != "bf16":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def finest(device: torch.device) -> torch.dtype:
    """Return the finest numbers that a device computes with."""
    return torch.float32 if device.type == "mps" else torch.float64


def hold_memory() -> None:
    """Ask glibc to keep freed blocks instead of giving them back after every operation.

    A training step frees and asks for the same large blocks again and again; without this
    the kernel clears them each time. Other C libraries are left alone.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3
    mallopt(mmap_threshold, 1 << 30)
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(top_pad, 64 << 20)


def peak_memory_bytes(device: torch.device) -> int | None:
    """Return the most memory that this process has held so far, None where that is not told.

    On CUDA, of the device; else resident memory. `ru_maxrss` would begin with the parent's.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def describe(device: torch.device, precision: str, threads: int) -> dict[str, str | int]:
    """Name the hardware for the record, with the precision and the threads that were used on it."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
    return {"type": device.type, "name": name, "precision": precision, "threads": threads}


def processor(info: Path = Path("/proc/cpuinfo")) -> str:
    """Name the processor's model where Linux tells it, else what Python knows, often the architecture alone."""
    with contextlib.suppress(OSError):
        for line in info.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()
