"""How many members a pack should have, found by trying."""

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
WORTH_IT = 0.95  # of the time in a smaller pack; below that a larger one is faster beyond doubt
SIZES = (4, 16, 64)
LARGEST = SIZES[-1]
MEMORY_USED = 0.8  # of what the GPU has free


class Choice(NamedTuple):
    """How many members a pack has, and the measurement that says so.

    Args:
        size: members.
        alone_ms: time of a step of one member, None if that was not asked.
        together_ms: time of a step for each of the members of the best pack that was tried.
    """

    size: int
    alone_ms: float | None = None
    together_ms: float | None = None


def best_size(runs: Sequence[Run], num_cells: int) -> Choice:
    """Choose the members of a pack for cells that can share one.

    On a CPU: packs of 1, 4, 16 and 64 are tried for a few steps, as long as each trains a
    member faster than the one before. Small networks gain from company because every call
    does more; large ones only wait for the processor, and are not asked for the memory of 64.
    On a GPU: as many as fit into its memory, by what the first two took.

    Args:
        runs: some of the cells, as many as would be packed.
        num_cells: how many there are for this process.
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
    """Time a step of one member by itself, in a few steps that leave nothing behind."""
    return _seconds_per_step([run])


def _seconds_per_step(runs: Sequence[Run]) -> float:
    """Time the quickest of a few steps, in this process's own time where it has one thread."""
    steps = pack_of([_uncompiled(run) for run in runs]).steps()
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    times = []
    for _ in range(min(WARM_STEPS + TIMED_STEPS, *(run.steps for run in runs))):
        start = clock()
        next(steps)
        times.append(clock() - start)
    return min(times[WARM_STEPS:], default=times[0])


def _uncompiled(run: Run) -> Run:
    """Compiling every size takes minutes, and what gains from company does so either way."""
    return replace(run, trainer=replace(run.trainer, compile=False))


def _that_fit(runs: Sequence[Run], device: torch.device) -> int:
    """Compare the peaks of one and of two members; what the second adds, the others will add too."""
    peaks = []
    for count in (1, 2):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        _seconds_per_step(runs[:count])
        peaks.append(torch.cuda.max_memory_allocated(device))
    free, _ = torch.cuda.mem_get_info(device)
    each = max(peaks[1] - peaks[0], 1)
    return int(max(1, MEMORY_USED * free // each))
