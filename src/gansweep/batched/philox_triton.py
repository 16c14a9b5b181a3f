"""Philox4x64-10 as one Triton kernel."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

SIZE = tl.constexpr(256)  # blocks per program


@triton.jit
def _kernel(out, keys, steps, blocks, pieces, num_blocks):
    row = tl.program_id(1).to(tl.int64)
    at = tl.program_id(0) * SIZE + tl.arange(0, SIZE)
    inside = at < num_blocks
    c0 = tl.load(blocks + at, inside, 0).to(tl.uint64)
    c2 = tl.load(pieces + at, inside, 0).to(tl.uint64)
    c1 = tl.zeros_like(c0) + tl.load(steps + row).to(tl.uint64)
    k0 = tl.zeros_like(c0) + tl.load(keys + 2 * row).to(tl.uint64)
    k1 = tl.zeros_like(c0) + tl.load(keys + 2 * row + 1).to(tl.uint64)
    c0, c1, c2, c3 = tl.philox_impl(c0, c1, c2, tl.zeros_like(c0), k0, k1)
    to = out + 4 * (row * num_blocks + at)
    tl.store(to, c0.to(tl.int64), inside)
    tl.store(to + 1, c1.to(tl.int64), inside)
    tl.store(to + 2, c2.to(tl.int64), inside)
    tl.store(to + 3, c3.to(tl.int64), inside)


def philox_triton(keys: Tensor, steps: Tensor, blocks: Tensor, pieces: Tensor) -> Tensor:
    """Return the words of every member and block, (K, T, 4), as `philox` does."""
    out = torch.empty(len(keys), len(blocks), 4, dtype=torch.int64, device=keys.device)
    grid = triton.cdiv(len(blocks), SIZE.value), len(keys)
    with torch.cuda.device_of(out):
        _kernel[grid](out, keys.contiguous(), steps.contiguous(), blocks, pieces, len(blocks))
    return out
