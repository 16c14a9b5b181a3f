"""A compiled pack is compiled in its first step only."""

from __future__ import annotations

import torch
from tests.training.small import Shapes, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.schedules.cosine import Cosine


def test_no_later_step_compiles_a_graph(monkeypatch):
    """Mistake: a graph reads a number on the host that changes in every step, such as the place of the rates."""
    graphs, whole = [], torch.compile

    def counted(module, inputs):
        graphs.append(module)
        return module.forward

    monkeypatch.setattr(torch, "compile", lambda step, **more: whole(step, backend=counted, **more))
    members = [member(seed, schedule=Cosine(), steps=9) for seed in range(2)]
    pack = AdversarialPack(
        members, small_mlp(), Shapes().samples, PackSettings(batch_size=8), critic_steps=2, compiled=True
    )
    counts = [len(graphs) for _, _ in zip(range(5), pack.steps(), strict=False)]
    assert counts == [2] * 5, counts
