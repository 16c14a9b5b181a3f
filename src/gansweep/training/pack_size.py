"""Automatic pack size, from time measurements on CPU and memory measurements on GPU."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from gansweep import device as devices
from gansweep.training.run import Run
from gansweep.training.trainer import pack_of

WARM_STEPS, TIMED_STEPS = 1, 3
WORTH_IT = 0.95  # a larger pack is used if its time per member is below this fraction of the smaller one's
SIZES = (4, 16, 64)
LARGEST = SIZES[-1]
MEMORY_USED = 0.8  # fraction of the free GPU memory


class Choice(NamedTuple):
    """Chosen pack size and the measurements behind it.

    Args:
        size: number of members.
        alone_ms: time of a step of one member in ms, None if not measured.
        together_ms: time of a step per member in the fastest pack that was tried, in ms.
    """

    size: int
    alone_ms: float | None = None
    together_ms: float | None = None


def best_size(runs: Sequence[Run], num_cells: int) -> Choice:
    """Return the pack size for cells that can share a pack.

    On CPU: packs of 1, 4, 16 and 64 are timed for a few steps, as long as each has a lower time per member than
    the previous one. Small networks gain because every call does more work. Large ones are limited by the
    processor, and the search ends before the memory of 64 members is needed.
    On GPU: as many as fit into its memory, extrapolated from one and two members.

    Args:
        runs: some of the cells, at most as many as would be packed.
        num_cells: number of cells for this process.
    """
    device = devices.resolve(runs[0].device)
    if len(runs) == 1:
        return Choice(1)
    if device.type == "cuda":
        return Choice(min(num_cells, _that_fit(runs, device)))
    alone = best = _seconds_per_step(runs[:1])
    size, together = 1, math.inf
    for count in sorted({min(tried, len(runs)) for tried in SIZES}):
        each = _seconds_per_step(runs[:count]) / count
        together = min(together, each)
        if each >= WORTH_IT * best:
            break
        size, best = count, each
    packs = math.ceil(num_cells / size)
    return Choice(math.ceil(num_cells / packs), round(1e3 * alone, 3), round(1e3 * together, 3))


def seconds_alone(run: Run) -> float:
    """Return the time of a step of one member in seconds, measured over a few steps without side effects."""
    return _seconds_per_step([run])


def _seconds_per_step(runs: Sequence[Run]) -> float:
    """Return the time of the fastest of a few steps in seconds: CPU time on a CPU with one thread, else wall time."""
    pack = pack_of([_uncompiled(run) for run in runs])
    steps = pack.steps()
    clock = time.process_time if pack.device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
    times = []
    for _ in range(min(WARM_STEPS + TIMED_STEPS, *(run.steps for run in runs))):
        devices.synchronize(pack.device)
        start = clock()
        next(steps)
        devices.synchronize(pack.device)
        times.append(clock() - start)
    return min(times[WARM_STEPS:], default=times[0])


def _uncompiled(run: Run) -> Run:
    """Return the run without torch.compile, which would take minutes per size and does not change the choice."""
    return replace(run, trainer=replace(run.trainer, compile=False))


def _that_fit(runs: Sequence[Run], device: torch.device) -> int:
    """Return the number of members that fit into memory, extrapolated linearly from the peaks of one and two."""
    peaks = []
    for count in (1, 2):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        _seconds_per_step(runs[:count])
        peaks.append(torch.cuda.max_memory_allocated(device))
    free, _ = torch.cuda.mem_get_info(device)
    each = max(peaks[1] - peaks[0], 1)
    return int(max(1, MEMORY_USED * free // each))
