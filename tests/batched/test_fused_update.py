"""Fused updates, which are used on CUDA, agree with those of a CPU."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch
from tests.batched.test_player import ELEMENTWISE, NAMES, everything, train
from tests.training.small import member
from torch._inductor import list_options

from gansweep.algorithms.adversarial import graphs
from gansweep.batched import fused_update, player
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.sgd import SGD
from gansweep.schedules.linspace import Linspace


@pytest.fixture
def on_cuda(monkeypatch):
    """Update as on CUDA, with graphs that are recorded, but not translated to Triton."""

    def without_inductor():
        fused_update.allow_graphs()
        return torch.compile(fused_update.update_part, backend="eager", fullgraph=True)

    monkeypatch.setattr(fused_update, "_compiled", without_inductor)
    monkeypatch.setattr(fused_update, "_NOT_COMPILED", [])
    monkeypatch.setattr(player, "can_fuse", lambda device: True)


def assert_close(fused, separate):
    assert fused.keys() == separate.keys()
    for name in fused:
        torch.testing.assert_close(fused[name], separate[name], rtol=2e-4, atol=1e-6, msg=name)


def compared(members, monkeypatch, **settings):
    """Return everything about the members after a few steps, fused and separate."""
    fused = train(members, steps=3, **settings)
    assert fused.g.fused
    monkeypatch.setattr(player, "can_fuse", lambda device: False)
    separate = train(members, steps=3, **settings)
    return [(everything(fused, k), everything(separate, k)) for k in range(len(members))]


@pytest.mark.slow
@pytest.mark.parametrize("one", ELEMENTWISE, ids=NAMES[:8])
def test_every_elementwise_rule(one, on_cuda, monkeypatch):
    for fused, separate in compared([one], monkeypatch):
        assert_close(fused, separate)
    assert not fused_update._NOT_COMPILED


def test_groups_with_a_scheduled_beta(on_cuda, monkeypatch):
    constant = member(3, Adam(betas=(0.5, 0.9)))
    settings = replace(constant.generator, beta_schedule=Linspace(1.0, 0.0))
    scheduled = replace(constant, generator=settings, discriminator=settings)
    members = [member(1, SGD(momentum=0.9)), scheduled, member(2, Adam()), member(4, SGD(momentum=0.9))]
    for fused, separate in compared(members, monkeypatch):
        assert_close(fused, separate)
    assert not fused_update._NOT_COMPILED


@dataclass(frozen=True)
class ReadsItsRate(SGD):
    """A rule that can't be compiled."""

    elementwise: ClassVar[bool] = True

    def update(self, theta, grad, state, context):
        theta.sub_(grad * context.lr.to(theta.dtype))
        print(context.lr.tolist(), end="")


def test_a_rule_that_cannot_be_compiled_runs_without(on_cuda, monkeypatch, caplog):
    with caplog.at_level(logging.WARNING):
        pairs = compared([member(1, ReadsItsRate())], monkeypatch)
    for fused, separate in pairs:
        assert_close(fused, separate)
    ours = [record.message for record in caplog.records if record.name == fused_update.__name__]
    assert len(ours) == 1
    assert "its update can't be compiled" in ours[0]


def test_a_gradient_that_is_not_finite_is_noted(on_cuda):
    pack = train([member(1, Adam()), member(2, Adam())], steps=1)
    gradients = [torch.zeros_like(theta) for theta in pack.d.chunks]
    gradients[0][1, 0] = float("nan")
    norms = pack.d.apply(gradients)
    assert norms[0] == 0
    assert norms[1].isnan()
    assert pack.d.finite_gradients.tolist() == [True, False]


def test_no_fused_updates_on_a_cpu():
    assert not train([member(1, Adam())], steps=1).g.fused


def test_options_that_pytorch_lacks_are_left_out(monkeypatch):
    """Options of Inductor differ between versions, and torch.compile refuses those that it does not know."""
    assert fused_update.supported(fused_update.OPTIONS | graphs.OPTIONS).keys() <= set(list_options())
    monkeypatch.setattr(fused_update, "OPTIONS", {"force_pointwise_cat": True, "no_such_option": 1})
    monkeypatch.setattr(graphs, "OPTIONS", {"no_such_option": 1})
    fused_update._compiled.__wrapped__()
    steps = dict.fromkeys(("_generated", "_discriminator_gradients", "_generator_gradients"), abs)
    graphs.compile_steps(SimpleNamespace(device=torch.device("cuda"), **steps))
