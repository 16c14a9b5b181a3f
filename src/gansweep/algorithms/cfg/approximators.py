"""Approximators: generator networks fitted by regression to the updated samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gansweep.batched.member import Member
from gansweep.batched.player import Player
from gansweep.batched.random_streams import Draws, normal, permutation
from gansweep.device import autocast
from gansweep.layers import Pass


@dataclass
class Fit:
    """Result of a fit, (K,) each: mean losses of the first and last epoch, rate reductions, last gradient norm."""

    first: Tensor
    last: Tensor
    decays: Tensor
    gradient: Tensor


class Approximators:
    """Approximator G~ of every member.

    Args:
        g: networks and optimizers.
        algorithm: `CFG` with the settings of the fit.
        batch_size: B.
        precision: fp32, tf32 or bf16.
    """

    def __init__(self, g: Player, algorithm: Any, batch_size: int, precision: str) -> None:
        self.g, self.algorithm, self.batch_size, self.precision = g, algorithm, batch_size, precision

    def __call__(self, z: Tensor) -> Tensor:
        """Return G~(z) with running statistics, for z (K, B, latent_dim)."""
        with autocast(self.g.device, self.precision):
            return self.g.network(self.g.params(), z, Pass((), self.g.buffers, training=False))

    def fit(self, z: Tensor, target: Tensor, orders: Sequence[Tensor]) -> Fit:
        """Fit G~ to pairs z, target (K, N, ...) with reset optimizer states; `orders` (K, N) is one per epoch.

        A member's rate is multiplied by `fit_decay` after an epoch whose mean loss has risen. The next stage starts
        at the scheduled rate again.
        """
        self.g.reset_state()
        rows = torch.arange(len(z), device=z.device)[:, None]
        decays, means, gradient = torch.zeros(len(z), 1, device=z.device), [], None
        for order in orders:
            parts = order.split(self.batch_size, 1)
            total = torch.zeros(len(z), device=z.device)
            for batch in parts:
                loss, gradient = self.step(z[rows, batch], target[rows, batch])
                total += loss
            means.append(total / len(parts))
            if len(means) > 1:
                risen = (means[-1] > means[-2])[:, None] & (decays < self.algorithm.max_fit_decays)
                self.g.rates.now.mul_(torch.where(risen, self.algorithm.fit_decay, 1.0))
                decays += risen
        assert gradient is not None  # fit_epochs >= 1 and num_pairs >= 1
        return Fit(means[0], means[-1], decays[:, 0], gradient)

    def step(self, z: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Update G~ on a batch of pairs; return the loss and the gradient norm, (K,) each."""

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            state = Pass((), self.g.buffers)
            with autocast(self.g.device, self.precision):
                fake = self.g.network(params, z, state)
            loss = half_square(fake, target)
            return loss.sum(), (loss.detach(), state.updates)

        (loss, buffers), gradient = self.g.descend(losses)
        self.g.keep_buffers(buffers)
        return loss, gradient

    def fit_to_noise(self, members: Sequence[Member], latent_dim: int, shape: tuple[int, ...]) -> Fit:
        """Fit G~ to clip(W^T z, -1, 1), reshaped to samples, with streams that are used only here."""
        a, device = self.algorithm, self.g.device
        draws = Draws([member.streams(device, "start/") for member in members], device)
        draws.plan("projection", [normal(latent_dim, math.prod(shape))])
        draws.plan("latents", [normal(a.num_pairs, latent_dim)])
        draws.plan("shuffle", [permutation(a.num_pairs)] * a.fit_epochs)
        w, z = draws.next("projection") * a.start_std, draws.next("latents")
        noise = torch.stack([latents @ projection for latents, projection in zip(z, w, strict=True)]).clamp(-1, 1)
        self.g.rates.set([0] * len(members), [member.steps for member in members])
        self.g.set_rate()
        return self.fit(z, noise.view(*z.shape[:2], *shape), [draws.next("shuffle") for _ in range(a.fit_epochs)])


def half_square(fake: Tensor, target: Tensor) -> Tensor:
    """Return 1/2 mean_i || fake_i - target_i ||^2 (K,) of samples (K, B, ...).

    >>> half_square(torch.zeros(1, 4, 1, 32, 32), torch.ones(1, 4, 1, 32, 32))
    tensor([512.])
    """
    return (fake - target).square().flatten(2).sum(2).mean(1) / 2
