"""How many members a pack should have, found by trying."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import torch

from gansweep import device as devices
from gansweep.training.run import Run
from gansweep.training.session import pack_of

WARM_STEPS, TIMED_STEPS = 1, 3
WORTH_IT = 0.95  # of the time alone; below that a pack is faster beyond doubt
LARGEST = 64
MEMORY_USED = 0.8  # of what the GPU has free


class Choice(NamedTuple):
    """How many members a pack has, and the measurement that says so.

    Args:
        size: members.
        alone_ms: time of a step of one member, None if that was not asked.
        together_ms: time of a step for each of the members tried together.
    """

    size: int
    alone_ms: float | None = None
    together_ms: float | None = None


def best_size(runs: Sequence[Run], num_cells: int) -> Choice:
    """Choose the members of a pack for cells that can share one.

    On a CPU: one, or as many as given, whichever trains a member faster in a few steps of
    both. Small networks gain from company because every call does more; large ones only wait
    for the processor. On a GPU: as many as fit into its memory, by what the first two took.

    Args:
        runs: some of the cells, as many as would be packed.
        num_cells: how many there are for this process.
    """
    device = devices.resolve(runs[0].device)
    if len(runs) == 1:
        return Choice(1)
    if device.type == "cuda":
        return Choice(min(num_cells, _that_fit(runs, device)))
    alone = _seconds_per_step(runs[:1])
    together = _seconds_per_step(runs) / len(runs)
    size = len(runs) if together < WORTH_IT * alone else 1
    return Choice(size, round(1e3 * alone, 3), round(1e3 * together, 3))


def _seconds_per_step(runs: Sequence[Run]) -> float:
    steps = pack_of(runs).steps()
    for _ in range(WARM_STEPS):
        next(steps, None)
    start = time.perf_counter()
    for _ in range(TIMED_STEPS):
        next(steps, None)
    return (time.perf_counter() - start) / TIMED_STEPS


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
    return int(max(1, min(LARGEST, MEMORY_USED * free // each)))
