"""Training equals a plain PyTorch loop in float64, step by step."""

from __future__ import annotations

import pytest
import torch
from tests.training.small import Shapes, member, small_mlp
from torch import nn

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.losses.wasserstein import Wasserstein
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.r1 import R1
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.schedules.linspace import Linspace


class Masked(nn.Module):
    """Dropout with a given mask."""

    mask: torch.Tensor

    def forward(self, x):
        return x * self.mask


def modules(pack):
    """Return both networks as torch.nn modules with the pack's initial parameters."""
    generator = nn.Sequential(
        nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 10), nn.LeakyReLU(0.2), nn.Linear(10, 36), nn.Tanh()
    )
    first, second = Masked(), Masked()
    discriminator = nn.Sequential(
        nn.Linear(36, 10), nn.LeakyReLU(0.2), first, nn.Linear(10, 8), nn.LeakyReLU(0.2), second, nn.Linear(8, 1)
    )
    for network, player in ((generator, pack.g), (discriminator, pack.d)):
        tensors = [p[0].clone() for p in player.params()]
        with torch.no_grad():
            for parameter, value in zip(network.parameters(), tensors, strict=True):
                parameter.copy_(value)

    def wear(masks, rows):
        first.mask, second.mask = (mask[0, rows] for mask in masks)

    return generator, discriminator, wear


RULES = {
    "adam": (Adam(betas=(0.5, 0.9)), lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.5, 0.9))),
    "rmsprop": (RMSprop(), lambda p: torch.optim.RMSprop(p, lr=0.01)),
    "sgd": (SGD(momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)),
}
GAMES = {
    "wgan_gp": Objective(Wasserstein(), {"gp": WGANGP(weight=10.0)}),
    "r1": Objective(Standard(), {"r1": R1(weight=2.0)}),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("game", GAMES)
def test_twenty_steps_equal_the_textbook_loop(rule, game):
    torch.set_default_dtype(torch.float64)
    try:
        ours, textbook = (make_pack(RULES[rule][0], GAMES[game]) for _ in range(2))
        for _ in ours.steps():
            pass
        generator, discriminator = train_as_a_textbook(textbook, RULES[rule][1], game)
    finally:
        torch.set_default_dtype(torch.float32)
    for network, player in ((generator, ours.g), (discriminator, ours.d)):
        expected = torch.cat([p.detach().flatten() for p in network.parameters()])
        torch.testing.assert_close(player.theta[0], expected, rtol=1e-8, atol=1e-10)


def make_pack(rule, objective):
    samples = Shapes().samples.double()
    one = member(3, rule, 0.01, objective, Linspace(start=1.0, end=0.1), steps=20)
    return AdversarialPack([one], small_mlp(), samples, PackSettings(batch_size=10), critic_steps=2)


def train_as_a_textbook(pack, optimizer, game):
    """Two forwards, autograd.grad for the penalty, loss.backward(), torch.optim."""
    generator, discriminator, wear = modules(pack)
    optimizer_g, optimizer_d = optimizer(generator.parameters()), optimizer(discriminator.parameters())
    for step in range(20):
        pack.draws.begin([step], torch.tensor([step]))
        for one in (optimizer_g, optimizer_d):
            one.param_groups[0]["lr"] = 0.01 * (1 + (0.1 - 1) * step / 19)
        for _ in range(2):
            given = pack.random.for_discriminator()
            real, fake = given.real[0].flatten(1), generator(given.z[0]).detach()
            wear(given.masks, slice(0, 10))
            on_real = discriminator(real)[:, 0]
            wear(given.masks, slice(10, 20))
            on_fake = discriminator(fake)[:, 0]
            wear(given.penalties[0].masks, slice(0, 10))
            u = given.penalties[0].u[0][0].flatten(1)
            x = (u * real + (1 - u) * fake if game == "wgan_gp" else real).requires_grad_()
            slope = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)[0].norm(dim=1)
            if game == "wgan_gp":
                loss = on_fake.mean() - on_real.mean() + 10 * (slope - 1).square().mean()
            else:
                softplus = nn.functional.softplus
                loss = softplus(-on_real).mean() + softplus(on_fake).mean() + 2 / 2 * slope.square().mean()
            optimizer_d.zero_grad()
            loss.backward()
            optimizer_d.step()
        given = pack.random.for_generator(given)
        wear(given.masks, slice(0, 10))
        logits = discriminator(generator(given.z[0]))[:, 0]
        loss = -logits.mean() if game == "wgan_gp" else nn.functional.softplus(-logits).mean()
        optimizer_g.zero_grad()
        loss.backward()
        optimizer_g.step()
    return generator, discriminator


def test_samples_of_all_critic_steps_at_once():
    """As on a GPU. Mistakes: masks, latents or labels of another update; a batch that is drawn twice."""

    def trained(at_once):
        model = small_mlp(discriminator_widths=(16, 8))
        pack = AdversarialPack(
            [member(seed, steps=3) for seed in range(2)], model, Shapes().samples, PackSettings(batch_size=8),
            critic_steps=3,
        )  # fmt: skip
        pack.samples_at_once = at_once
        for _ in pack.steps():
            pass
        return pack

    once, each = trained(True), trained(False)
    torch.testing.assert_close(once.d.theta, each.d.theta, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(once.g.theta, each.g.theta, rtol=1e-4, atol=1e-6)
    once.g.chunks[0][1, 0] = float("nan")
    once.draws.begin(once.done, once.step)
    next(once._discriminator_inputs(3))
    assert [each is None for each in once.monitor.read()] == [True, False]
