"""A compiled pack is compiled in its first step only."""

from __future__ import annotations

import torch
from tests.training.small import Shapes, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.batched.random_streams import Draws
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


def test_masks_are_the_same_if_they_are_converted_in_the_graph(monkeypatch):
    """As on a GPU, where the random bits are the inputs of the graphs. Mistake: another bound, or another factor."""
    whole = torch.compile
    monkeypatch.setattr(torch, "compile", lambda step, **more: whole(step, backend="eager", **more))

    def trained(as_bits):
        pack = AdversarialPack(
            [member(seed, steps=3) for seed in range(2)], small_mlp(), Shapes().samples, PackSettings(batch_size=8),
            critic_steps=2, compiled=True,
        )  # fmt: skip
        pack.random = pack._random_inputs(Draws(pack.streams, pack.device), as_bits=as_bits)
        pack.draws = pack.random.draws
        given = pack.random.for_discriminator()
        assert {mask.dtype for mask in given.masks} == {torch.int16 if as_bits else torch.float32}
        for _ in pack.steps():
            pass
        return pack

    (bits, masks) = trained(True), trained(False)
    assert torch.equal(bits.g.theta, masks.g.theta)
    assert torch.equal(bits.d.theta, masks.d.theta)
