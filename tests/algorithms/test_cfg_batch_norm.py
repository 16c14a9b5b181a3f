"""Composite functional gradients with batch normalisation."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.algorithms.cfg_packs import BATCH_NORM, pack_of, run_of


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_push_looks_at_the_others_of_its_batch_where_there_is_batch_norm(batch_norm):
    model = replace(BATCH_NORM, batch_norm_discriminator=batch_norm)
    pack = pack_of(run_of(model=model))
    pack.gradient_steps.eta.fill_(1.0)
    x = torch.randn(1, 4, 1, 6, 6, generator=torch.Generator().manual_seed(3))
    changed = x.clone()
    changed[:, 2] += 1
    others = [0, 1, 3]
    difference = (pack.gradient_steps.of(0, x) - pack.gradient_steps.of(0, changed))[:, others].abs().max()
    assert bool(difference > 0) == batch_norm


def test_pushes_use_batch_statistics_and_move_the_running_ones_of_what_is_stored():
    pack = pack_of(run_of(model=BATCH_NORM))
    name = next(name for name in pack.d.buffers if name.endswith("running_mean"))
    live, stored = pack.d.buffers[name].clone(), pack.gradient_steps.stored[0].buffers[name].clone()
    x = torch.randn(1, 8, 1, 6, 6)
    pack.gradient_steps(x, 0, 1)
    assert not torch.equal(pack.gradient_steps.stored[0].buffers[name], stored)
    assert torch.equal(pack.d.buffers[name], live)


def test_the_generator_makes_samples_with_running_statistics_and_learns_with_those_of_the_batch():
    pack = pack_of(run_of(model=BATCH_NORM))
    name = next(name for name in pack.g.buffers if name.endswith("running_mean"))
    z = torch.randn(1, 8, 4)
    before = pack.g.buffers[name].clone()
    alone = torch.cat([pack.approximators(z[:, n : n + 1]) for n in range(8)], 1)
    assert torch.allclose(pack.approximators(z), alone, atol=1e-6)
    assert torch.equal(pack.g.buffers[name], before)
    pack.approximators.step(z, torch.zeros(1, 8, 1, 6, 6))
    assert not torch.equal(pack.g.buffers[name], before)
