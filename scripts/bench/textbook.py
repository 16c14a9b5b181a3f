"""Baseline of the benchmarks: a plain PyTorch training loop, and the cases on which it is timed.

The loop uses a DataLoader over a TensorDataset, two discriminator forward passes, autograd.grad for the penalty,
loss.backward(), torch.optim, and .item() for the log. The loss is always WGAN-GP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from gansweep.models.dcgan import DCGAN
from gansweep.models.mlp import MLP


@dataclass(frozen=True)
class Case:
    """Networks, sample shape and batch size of a benchmark."""

    shape: tuple[int, ...]
    model: MLP | DCGAN
    batch: int
    critic_steps: int = 5

    def samples(self) -> torch.Tensor:
        """Return synthetic samples (4096, *shape) in [-1, 1]; their content does not affect the speed."""
        return torch.rand(4096, *self.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


CASES = {
    "epfl": Case((1, 28, 28), MLP(), 128),
    "digits": Case((1, 8, 8), MLP(32, (128, 256), (256, 128), dropout=0.0), 128),
    "toy": Case((2,), MLP(16, (64, 64), (64, 64), dropout=0.0), 256),
    "dcgan": Case((1, 32, 32), DCGAN(latent_dim=64, base_width=32), 64, critic_steps=1),
}


def textbook(case: Case, optimizer: str = "Adam", lr: float = 1e-4, device: str = "cpu") -> Callable[[], None]:
    """Return a function that does one generator step with all its critic steps."""
    generator, discriminator = (network.to(device) for network in networks(case))
    make = getattr(torch.optim, optimizer)
    optimizer_g, optimizer_d = make(generator.parameters(), lr=lr), make(discriminator.parameters(), lr=lr)
    samples = case.samples() if isinstance(case.model, DCGAN) else case.samples().flatten(1)
    loader = DataLoader(TensorDataset(samples), batch_size=case.batch, shuffle=True, drop_last=True)
    ones = [1] * (samples.ndim - 1)

    def endless() -> Iterator[torch.Tensor]:
        while True:
            for (images,) in loader:
                yield images.to(device)

    batches = endless()

    def latents() -> torch.Tensor:
        return torch.randn(case.batch, case.model.latent_dim, device=device)

    def step() -> None:
        for _ in range(case.critic_steps):
            real = next(batches)
            fake = generator(latents()).detach()
            u = torch.rand(case.batch, *ones, device=device)
            x_hat = (u * real + (1 - u) * fake).requires_grad_()
            (input_gradient,) = torch.autograd.grad(discriminator(x_hat).sum(), x_hat, create_graph=True)
            penalty = 10 * (input_gradient.flatten(1).norm(dim=1) - 1).square().mean()
            loss = discriminator(fake).mean() - discriminator(real).mean() + penalty
            optimizer_d.zero_grad()
            loss.backward()
            optimizer_d.step()
            loss.item()
        loss = -discriminator(generator(latents())).mean()
        optimizer_g.zero_grad()
        loss.backward()
        optimizer_g.step()
        loss.item()

    return step


def networks(case: Case) -> tuple[nn.Sequential, nn.Sequential]:
    """Build generator and discriminator of a case from torch.nn layers."""
    if isinstance(case.model, DCGAN):
        return _convolutional(case.shape, case.model)
    model, size = case.model, torch.Size(case.shape).numel()
    end = [nn.Tanh()] if len(case.shape) == 3 else []
    generator = _connected([model.latent_dim, *model.generator_widths, size], 0, end)
    return generator, _connected([size, *model.discriminator_widths, 1], model.dropout, [])


def _connected(widths: list[int], dropout: float, end: Sequence[nn.Module]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n, (inputs, outputs) in enumerate(pairwise(widths)):
        layers.append(nn.Linear(inputs, outputs))
        if n < len(widths) - 2:
            layers.append(nn.LeakyReLU(0.2))
            if dropout:
                layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, *end)


def _convolutional(shape: tuple[int, ...], model: DCGAN) -> tuple[nn.Sequential, nn.Sequential]:
    """Build a DCGAN for images of 32 x 32 pixels, with batch norm in the generator only."""
    width, channels = model.base_width, shape[0]
    layers: list[nn.Module] = [
        nn.Unflatten(1, (model.latent_dim, 1, 1)),
        nn.ConvTranspose2d(model.latent_dim, 4 * width, 4, bias=False),
    ]
    for wide, narrow in ((4 * width, 2 * width), (2 * width, width), (width, channels)):
        layers += [nn.BatchNorm2d(wide), nn.ReLU(), nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False)]
    critic: list[nn.Module] = []
    for narrow, wide in ((channels, width), (width, 2 * width), (2 * width, 4 * width)):
        critic += [nn.Conv2d(narrow, wide, 4, 2, 1), nn.LeakyReLU(model.slope)]
    return nn.Sequential(*layers, nn.Tanh()), nn.Sequential(*critic, nn.Conv2d(4 * width, 1, 4), nn.Flatten())
