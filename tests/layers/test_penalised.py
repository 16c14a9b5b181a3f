"""Closed form of the parameter gradients of a game with a gradient penalty, as used on a GPU."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.training.small import member

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.layers import LeakyReLU, Linear, Network, Tanh
from gansweep.layers.layer import Pass
from gansweep.layers.penalised import has_closed_form, penalised_gradients
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.losses.wasserstein import Wasserstein
from gansweep.models.initialisation import TorchDefault
from gansweep.models.mlp import MLP
from gansweep.penalties.r1 import R1
from gansweep.penalties.roth_real import RothReal
from gansweep.penalties.wgan_gp import WGANGP


def pack_of(*penalties, **settings):
    """Return a pack with one member for each penalty, at its first step, and the inputs of an update."""
    model = MLP(latent_dim=5, generator_widths=(16,), discriminator_widths=(24, 16, 8), input_factor=0.5)
    games = Standard(), Wasserstein(), Standard()
    members = [
        replace(member(seed), objective=Objective(games[seed], {} if one is None else {"p": one}, **settings))
        for seed, one in enumerate(penalties)
    ]
    samples = torch.randn(64, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    pack = AdversarialPack(members, model, samples, PackSettings(batch_size=8), critic_steps=1)
    pack.draws.begin(pack.done, pack.step)
    pack.objectives.set(pack.done, pack.total_steps)
    return pack, pack.random.for_discriminator()


@pytest.mark.parametrize("compiled", [False, True])
@torch.no_grad()
def test_agrees_with_autograd(compiled, monkeypatch):
    """Mistakes: a bias that gets a gradient from the penalty, rows of another part, a mask of another part."""
    pack, given = pack_of(WGANGP(weight=3.0), R1(weight=2.0), WGANGP(weight=1.0, target=0.0), flip=0.3)
    gradients, norms, terms = pack._discriminator_gradients(given)
    monkeypatch.setattr(pack.objectives, "device", torch.device("cuda"))
    assert pack.objectives.has_closed_form(pack.d.network, None)
    calls = torch.compile(pack._discriminator_gradients, backend="eager") if compiled else pack._discriminator_gradients
    in_one_pass, norms_in_one_pass, terms_in_one_pass = calls(given)
    torch.testing.assert_close(in_one_pass, gradients, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(norms_in_one_pass, norms, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(terms_in_one_pass, terms, rtol=1e-4, atol=1e-6)


def test_known_gradient_of_a_linear_critic():
    """D(x) = W x + b: dL/dW = mean of x and of the penalty's 2 (|W| - 1) W / |W|, dL/db = 1."""
    network = Network([Linear("0", 2, 1)], TorchDefault())
    params = [torch.tensor([[[3.0, 4.0]]]), torch.tensor([[7.0]])]
    x = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [9.0, 9.0]]])
    found = penalised_gradients(
        network.layers,
        params,
        x,
        Pass(),
        2,
        lambda logits: logits.mean(1),
        lambda gradient: (gradient.norm(dim=2) - 1).square().mean(1),
    )
    torch.testing.assert_close(found.gradients[0], torch.tensor([[[2.0 + 8 * 0.6, 4.0 + 8 * 0.8]]]))
    torch.testing.assert_close(found.gradients[1], torch.tensor([[1.0]]))
    torch.testing.assert_close(found.game, torch.tensor([(18.0 + 40.0) / 2]))
    torch.testing.assert_close(found.penalty, torch.tensor([16.0]))


@pytest.mark.parametrize(
    ("penalties", "layers"),
    [
        ([WGANGP(), None], None),  # not every member has a penalty
        ([RothReal(weight=1.0)], None),  # depends on the logits too
        ([None], None),
        ([WGANGP()], [Linear("0", 16, 8), Tanh(), Linear("1", 8, 1)]),  # the input gradient depends on x
    ],
)
def test_where_it_does_not_apply(penalties, layers, monkeypatch):
    pack, _ = pack_of(*penalties)
    network = pack.d.network if layers is None else Network(layers, TorchDefault())
    monkeypatch.setattr(pack.objectives, "device", torch.device("cuda"))
    assert not pack.objectives.has_closed_form(network, None)


def test_where_it_applies(monkeypatch):
    pack, _ = pack_of(WGANGP())
    network = pack.d.network
    assert not pack.objectives.has_closed_form(network, None), "numbers on a CPU would change"
    monkeypatch.setattr(pack.objectives, "device", torch.device("cuda"))
    assert pack.objectives.has_closed_form(network, None)
    assert not pack.objectives.has_closed_form(network, torch.zeros(1, 8))
    assert has_closed_form([Linear("0", 2, 8), LeakyReLU(0.2)])
