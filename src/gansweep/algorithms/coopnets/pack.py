"""One training step of CoopNets for K members as one batch.

    G0  z ~ N(0, I),  y = G(z)
    D1  move y by Langevin dynamics of the descriptor
    G1  move z by Langevin dynamics of the generator
    D2  update the descriptor on real images and y
    G2  update the generator by regression of y on z

Xie et al. 2018, arXiv:1609.09408, algorithm 1; formulas and differences from the paper: see `CoopNets`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gansweep.batched.divergence import Cause
from gansweep.batched.member import Member
from gansweep.batched.pack import Pack, PackSettings, finite
from gansweep.batched.random_streams import normal
from gansweep.device import autocast
from gansweep.interfaces import Model
from gansweep.layers import Network, Pass, chain
from gansweep.layers.layer import per_member
from gansweep.models.networks import networks_of


@dataclass
class Report:
    """Values of one step, with one entry per row of the pack.

    `steps` counts each member's steps so far; `moved` is the mean absolute change of a chain's entries, in grey levels.
    """

    steps: list[int]
    discriminator_loss: Tensor
    on_real: Tensor
    on_chains: Tensor
    discriminator_gradient: Tensor
    generator_loss: Tensor
    generator_gradient: Tensor
    moved: Tensor


@dataclass
class Revision:
    """Training pairs of the generator in a step: latents z and revised samples y in [-1, 1], (K, B, ...) each."""

    z: Tensor
    y: Tensor


class CoopNetsPack(Pack[Report]):
    """K independent pairs of a descriptor and a generator, trained as one batch.

    Args:
        members: settings of every member.
        model: the pair of networks; the descriptor is its discriminator.
        samples: images (N, C, H, W) in [-1, 1], on the device to train on.
        settings: settings of every pack.
        algorithm: `CoopNets` with the settings of the step.
    """

    def __init__(
        self,
        members: Sequence[Member],
        model: Model,
        samples: Tensor,
        settings: PackSettings,
        *,
        algorithm: Any,
    ) -> None:
        super().__init__(members, samples, networks_of(model, samples), model.latent_dim, settings)
        self.algorithm, self.d = algorithm, self.players["discriminator"]
        self.num_chains = algorithm.num_chains or self.batch_size
        self.mean = grey(samples).mean(0)
        self.areas = areas(self.d.network, [p[:1] for p in self.d.params()], samples[None, :1])
        self.last: Revision | None = None  # of the previous step; for the record and pictures only
        self._plan()

    def play(self) -> Report:
        """Train one step of every member."""
        z = self.draws.next("latents")
        with autocast(self.device, self.precision):
            fake = self.g.network(self.g.params(), z, Pass((), self.g.buffers))
        start = proposal(fake) - self.mean
        y = self._revised(start)
        target = within_range(y + self.mean)
        z = self._inferred(z, target)
        real = grey(self.samples[self.draws.next("order")]) - self.mean
        (on_real, on_chains), d_gradient = self._descriptor_step(real, y)
        g_loss, g_gradient = self._generator_step(z, target)
        self.average()

        d_loss = on_chains - on_real
        self.monitor.record(Cause.NON_FINITE_SAMPLES, ~finite(fake), self.step)
        self.monitor.record(Cause.NON_FINITE_LOSS, ~d_loss.isfinite(), self.step)
        self.monitor.record(Cause.NON_FINITE_LOGITS, ~g_loss.isfinite(), self.step)
        self.check_divergence(fake, g_gradient)
        self.last = Revision(z, target)
        moved = (y - start).flatten(1).abs().mean(1)
        return Report(list(self.done), d_loss, on_real, on_chains, d_gradient, g_loss, g_gradient, moved)

    def curves(self, report: Report, k: int) -> dict[str, Tensor]:
        """Return member k's losses, descriptor outputs, norms of the transformed gradients, and rates by tag."""
        row = self.place[k]
        curves = {
            "loss/discriminator": report.discriminator_loss,
            "loss/generator": report.generator_loss,
            "logits/real": report.on_real,
            "logits/chains": report.on_chains,
            "chains/moved": report.moved,
            "gradient norm/discriminator": report.discriminator_gradient,
            "gradient norm/generator": report.generator_gradient,
            "rate/discriminator": self.d.lr[:, 0],
            "rate/generator": self.g.lr[:, 0],
        }
        return {tag: value[row] for tag, value in curves.items()}

    @torch.no_grad()
    def custom_scalars(self, k: int) -> dict[str, Tensor]:
        """Return the reconstruction error mean |G(z) - y| of the generator after its update.

        Hill and Nijkamp 2017 call it the loss. It is the mean over all entries of the last step's chains, in units
        of [-1, 1].
        """
        if self.last is None:
            return {}
        row = slice(self.place[k], self.place[k] + 1)
        buffers = {name: buffer[row] for name, buffer in self.g.buffers.items()}
        with autocast(self.device, self.precision):
            reconstructed = self.g.network([p[row] for p in self.g.params()], self.last.z[row], Pass((), buffers))
        return {"reconstruction_error": (reconstructed - self.last.y[row]).abs().mean()}

    def pictures(self, k: int) -> dict[str, Tensor]:
        """Return the descriptor's samples: the final states of the last step's chains."""
        return {} if self.last is None else {"descriptor": self.last.y[self.place[k]]}

    def _revised(self, y: Tensor) -> Tensor:
        """D1: return chains y after Langevin dynamics of the descriptor, in grey levels minus the mean image."""
        params, buffers = self.d.params(), self.d.buffers
        for _ in range(self.algorithm.langevin_steps):
            with autocast(self.device, self.precision):
                input_gradient = self.d.network.input_gradient(params, y, Pass((), buffers)).detach()
            y = self.algorithm.langevin(input_gradient, y, self.draws.next("langevin"))
        return y

    def _inferred(self, z: Tensor, y: Tensor) -> Tensor:
        """G1: return latents z after Langevin dynamics given the revised samples y."""
        a, params = self.algorithm, self.g.params()
        for _ in range(a.latent_steps):
            with torch.enable_grad():
                z = z.detach().requires_grad_()
                with autocast(self.device, self.precision):
                    proposed = self.g.network(params, z, Pass((), self.g.buffers))
                error = (y - proposed).square().sum() / 2
                (gradient,) = torch.autograd.grad(error, z)
            z = z.detach()
            z = z - (a.delta_z**2 / 2) * (gradient / a.s_z**2 + z) + a.delta_z * self.draws.next("latent_langevin")
        return z

    def _descriptor_step(self, real: Tensor, y: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """D2: update the descriptor on real images and chains; return the mean outputs and the gradient norm, (K,)."""

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            state = Pass((), self.d.buffers)
            with autocast(self.device, self.precision):
                f = self.d.network(params, torch.cat([real, y], 1), state)[..., 0]
            on_real, on_chains = f[:, : real.shape[1]].mean(1), f[:, real.shape[1] :].mean(1)
            return (on_chains - on_real).sum(), ((on_real.detach(), on_chains.detach()), state.updates)

        def shaped(gradients: Sequence[Tensor]) -> Sequence[Tensor]:
            cap = self.algorithm.cap_discriminator
            return [capped(g / area, cap) for g, area in zip(gradients, self.areas, strict=True)]

        (means, buffers), gradient = self.d.descend(losses, lambda aux: aux[0][1] - aux[0][0], shaped)
        self.d.keep_buffers(buffers)
        return means, gradient

    def _generator_step(self, z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """G2: update the generator by regression of y on z; return the loss and the gradient norm, (K,) each."""
        a = self.algorithm
        count = y.shape[1] if a.generator_gradient == "mean" else 1

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            state = Pass((), self.g.buffers)
            with autocast(self.device, self.precision):
                error = y - self.g.network(params, z, state)
            loss = error.flatten(2).square().sum(2).sum(1) / (2 * a.sigma**2 * count)
            return loss.sum(), (loss.detach(), state.updates)

        (loss, buffers), gradient = self.g.descend(
            losses, transform=lambda gradients: [capped(g, a.cap_generator) for g in gradients]
        )
        self.g.keep_buffers(buffers)
        return loss, gradient

    def _plan(self) -> None:
        """Register the random draws of a step."""
        a, chains, draws = self.algorithm, self.num_chains, self.draws
        draws.plan_batches(len(self.samples), self.batch_size, 1)
        draws.plan("latents", [normal(chains, self.latent_dim)])
        draws.plan("langevin", [normal(chains, *self.samples.shape[1:])] * a.langevin_steps)
        draws.plan("latent_langevin", [normal(chains, self.latent_dim)] * a.latent_steps)


def grey(images: Tensor) -> Tensor:
    """Return grey levels 0 ... 255 of images in [-1, 1].

    >>> grey(torch.tensor([-1.0, 1.0]))
    tensor([  0., 255.])
    """
    return (images + 1) * 127.5


def proposal(fake: Tensor) -> Tensor:
    """Return the initial grey levels of the chains for generated images in [-1, 1].

    >>> proposal(torch.tensor([-1.0, 0.0, 0.001, 1.0]))
    tensor([  0., 128., 128., 256.])
    """
    return (128 * (fake + 1)).floor()


def within_range(levels: Tensor) -> Tensor:
    """Return images in the range of a generator, clipped, for grey levels.

    >>> within_range(torch.tensor([-40.0, 128.0, 300.0]))
    tensor([-0.9999,  0.0000,  0.9999])
    """
    return levels.clamp(0.01, 255.99) / 128 - 1


def capped(gradient: Tensor, cap: float | None) -> Tensor:
    """Return the gradient (K, ...) of a parameter, scaled per member so that no entry exceeds `cap` in magnitude.

    >>> capped(torch.tensor([[16.0, -4.0], [4.0, 1.0]]), 8.0)
    tensor([[ 8., -2.],
            [ 4.,  1.]])
    """
    if cap is None:
        return gradient
    largest = gradient.flatten(1).abs().amax(1)
    factor = torch.where(largest > cap, cap / largest, 1.0)
    return gradient * per_member(factor, gradient)


def areas(network: Network, params: Sequence[Tensor], x: Tensor) -> list[int]:
    """Return, for every parameter of a network, the number of output pixels of its layer for input x (1, 1, ...)."""
    counts, state = [], Pass(buffers=network.initial_buffers(1, x.device), training=False)
    for layer, layer_params, inner in chain.shares(network.layers, params, state):
        x = layer.forward(layer_params, x, inner)
        counts += [math.prod(x.shape[3:])] * len(layer_params)
    return counts
