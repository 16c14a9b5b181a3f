"""A descriptor revises what a generator proposes, and both learn from the revision. This is the algorithm box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gansweep.algorithms.coopnets.gradients import areas, capped
from gansweep.algorithms.coopnets.grey_levels import grey, proposal, within_range
from gansweep.batched.divergence import Cause
from gansweep.batched.member import Member
from gansweep.batched.pack import Pack, both, finite
from gansweep.batched.random_streams import normal
from gansweep.device import autocast
from gansweep.interfaces import Model
from gansweep.layers import Pass

if TYPE_CHECKING:
    from gansweep.algorithms.coopnets.settings import CoopNets


@dataclass
class Report:
    """What happened in one step; everything has one value per row of the pack.

    `steps` counts each member's steps so far; `moved` is how far the chains went, per entry, in grey levels.
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
    """What the generator learns from in a step: latents (K, B, ...) and what became of their samples, in [-1, 1]."""

    z: Tensor
    y: Tensor


class CoopNetsPack(Pack[Report]):
    """K pairs of a descriptor and a generator, each pair for itself.

    Args:
        members: what each of them chooses for itself.
        model: the pair of networks; the descriptor is its discriminator.
        samples: images (N, C, H, W) in [-1, 1], on the device to train on.
        algorithm: what a step is.
        shared: batch_size, precision, check_every, patience and draw_ahead, see `Pack`.
    """

    def __init__(
        self,
        members: Sequence[Member],
        model: Model,
        samples: Tensor,
        algorithm: CoopNets,
        **shared: Any,
    ) -> None:
        super().__init__(members, samples, both(model, samples), model.latent_dim, **shared)
        self.algorithm, self.d = algorithm, self.players["discriminator"]
        self.num_chains = algorithm.num_chains or self.batch_size
        self.mean = grey(samples).mean(0)
        self.areas = areas(self.d.network, [p[:1] for p in self.d.params()], samples[None, :1])
        self.last: Revision | None = None  # of the step before, which nothing in training looks at
        self._plan()

    def play(self) -> Report:
        """Take one step of every member."""
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
        self.watch.see(Cause.NON_FINITE_SAMPLES, ~finite(fake), self.step)
        self.watch.see(Cause.NON_FINITE_LOSS, ~d_loss.isfinite(), self.step)
        self.watch.see(Cause.NON_FINITE_LOGITS, ~g_loss.isfinite(), self.step)
        self.look(fake, g_gradient)
        self.last = Revision(z, target)
        moved = (y - start).flatten(1).abs().mean(1)
        return Report(list(self.done), d_loss, on_real, on_chains, d_gradient, g_loss, g_gradient, moved)

    def curves(self, report: Report, k: int) -> dict[str, Tensor]:
        """Name member k's losses, outputs, gradients as the rules were given them, and rates."""
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
    def kept(self, k: int) -> dict[str, float]:
        """Measure the reconstruction error mean |G(z) - y|, by the generator as it is after its step.

        That is what Hill and Nijkamp 2017 call the loss: per colour value of the last batch's chains, in
        units of [-1, 1].
        """
        if self.last is None:
            return {}
        row = slice(self.place[k], self.place[k] + 1)
        buffers = {name: buffer[row] for name, buffer in self.g.buffers.items()}
        with autocast(self.device, self.precision):
            again = self.g.network([p[row] for p in self.g.params()], self.last.z[row], Pass((), buffers))
        return {"reconstruction_error": float((again - self.last.y[row]).abs().mean())}

    def pictures(self, k: int) -> dict[str, Tensor]:
        """Show the descriptor's samples: where the chains of the last step ended."""
        return {} if self.last is None else {"descriptor": self.last.y[self.place[k]]}

    def _revised(self, y: Tensor) -> Tensor:
        """D1: let the descriptor move chains by Langevin's dynamics, in grey levels around the mean."""
        params, buffers = self.d.params(), self.d.buffers
        for _ in range(self.algorithm.langevin_steps):
            with autocast(self.device, self.precision):
                slope = self.d.network.input_gradient(params, y, Pass((), buffers)).detach()
            y = self.algorithm.langevin(slope, y, self.draws.next("langevin"))
        return y

    def _inferred(self, z: Tensor, y: Tensor) -> Tensor:
        """G1: let the latents follow what became of their samples."""
        a, params = self.algorithm, self.g.params()
        for _ in range(a.latent_steps):
            with torch.enable_grad():
                z = z.detach().requires_grad_()
                with autocast(self.device, self.precision):
                    proposed = self.g.network(params, z, Pass((), self.g.buffers))
                error = (y - proposed).square().sum() / 2
                (slope,) = torch.autograd.grad(error, z)
            z = z.detach()
            z = z - (a.delta_z**2 / 2) * (slope / a.s_z**2 + z) + a.delta_z * self.draws.next("latent_langevin")
        return z

    def _descriptor_step(self, real: Tensor, y: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """D2: raise f on data and lower it on chains; returns both means (K,) and the gradient's norm (K,)."""

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            state = Pass((), self.d.buffers)
            with autocast(self.device, self.precision):
                f = self.d.network(params, torch.cat([real, y], 1), state)[..., 0]
            on_real, on_chains = f[:, : real.shape[1]].mean(1), f[:, real.shape[1] :].mean(1)
            return (on_chains - on_real).sum(), ((on_real.detach(), on_chains.detach()), state.updates)

        def shaped(gradients: Sequence[Tensor]) -> Sequence[Tensor]:
            cap = self.algorithm.cap_discriminator
            return [capped(g / area, cap) for g, area in zip(gradients, self.areas, strict=True)]

        (means, buffers), gradient = self.d.descend(losses, lambda kept: kept[0][1] - kept[0][0], shaped)
        self.d.keep_buffers(buffers)
        return means, gradient

    def _generator_step(self, z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """G2: regress y on z; returns the losses (K,) and the gradient's norm (K,)."""
        a = self.algorithm
        count = y.shape[1] if a.generator_gradient == "mean" else 1

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            state = Pass((), self.g.buffers)
            with autocast(self.device, self.precision):
                error = y - self.g.network(params, z, state)
            loss = error.flatten(2).square().sum(2).sum(1) / (2 * a.sigma**2 * count)
            return loss.sum(), (loss.detach(), state.updates)

        (loss, buffers), gradient = self.g.descend(
            losses, shape=lambda gradients: [capped(g, a.cap_generator) for g in gradients]
        )
        self.g.keep_buffers(buffers)
        return loss, gradient

    def _plan(self) -> None:
        """Say what a step takes of every stream."""
        a, chains, device, draws = self.algorithm, self.num_chains, self.device, self.draws
        draws.plan_batches(len(self.samples), self.batch_size, 1)
        draws.plan("latents", [normal(chains, self.latent_dim, device=device)])
        draws.plan("langevin", [normal(chains, *self.samples.shape[1:], device=device)] * a.langevin_steps)
        draws.plan("latent_langevin", [normal(chains, self.latent_dim, device=device)] * a.latent_steps)
