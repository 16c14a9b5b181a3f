"""The game of a pack as a function of both players' parameters, for joint dynamics and diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor

from gansweep.algorithms.adversarial.random_inputs import DiscriminatorInputs
from gansweep.batched.objectives import DiscriminatorTerms, Objectives
from gansweep.batched.player import Player
from gansweep.device import autocast
from gansweep.dynamics.position import Both
from gansweep.layers import Pass
from gansweep.layers.convolution import ThirdDerivatives


class StepResult(NamedTuple):
    """Values of one step of both players.

    Args:
        d_terms: terms of the discriminators' losses in the last critic step, (K,) each.
        d_gradient: norm of the discriminators' gradients in the last critic step, (K,).
        g_loss: losses of the generators, (K,).
        g_gradient: norm of the generators' gradients, (K,).
        fake: samples of the last generator update, (K, B, ...).
    """

    d_terms: DiscriminatorTerms
    d_gradient: Tensor
    g_loss: Tensor
    g_gradient: Tensor
    fake: Tensor


class Joint:
    """Losses, vector field and optimizer step of the members' games, for fixed random inputs.

        v(theta, psi) = (grad_theta L_G, grad_psi L_D),   J = dv / d(theta, psi)

    Both losses use the same real and generated samples and the same dropout masks. The result of a step holds
    the losses at its first point and the first gradients that the optimizers received. Running statistics are
    updated once, by the first evaluation, and not at all if `read_only` is True.

    Args:
        g: the generators.
        d: the discriminators.
        objectives: losses and penalties.
        precision: fp32, tf32 or bf16.
        given: random inputs of the step.
        read_only: evaluate only, without a change of running statistics and learning rates.
        step: number of this step, (K, 1). Default: the first.
        memory: vectors that the dynamics store, by name, updated in place. Default: zeros, for this step only.
        third_derivatives: whether `jvp` may be called for all blocks of J.
    """

    def __init__(
        self,
        g: Player,
        d: Player,
        objectives: Objectives,
        precision: str,
        given: DiscriminatorInputs,
        *,
        read_only: bool = False,
        step: Tensor | None = None,
        memory: Mapping[str, Both] | None = None,
        third_derivatives: bool = True,
    ) -> None:
        self.g, self.d, self.objectives, self.precision = g, d, objectives, precision
        self.given, self.read_only, self.third_derivatives = given, read_only, third_derivatives
        if read_only:
            objectives.set_updates(None)
        self.step = torch.ones_like(self.rates.generator[0]) if step is None else step
        self._memory = dict(memory or {})
        self._first_losses: tuple[DiscriminatorTerms, Tensor, Tensor] | None = None  # terms, losses of G, samples
        self._first_norms: tuple[Tensor, Tensor] | None = None

    @property
    def rates(self) -> Both:
        """Both players' learning rates, (K, 1) each."""
        return Both((self.g.lr,), (self.d.lr,))

    def recall(self, name: str) -> Both:
        """Return a copy of a vector that was stored; zeros before."""
        return self._stored(name).map(Tensor.clone)

    def remember(self, name: str, vector: Both) -> None:
        """Store a vector."""
        for stored, part in zip(self._stored(name).parts, vector.parts, strict=True):
            stored.copy_(part)

    def _stored(self, name: str) -> Both:
        return self._memory.setdefault(name, self._at().map(torch.zeros_like))

    def here(self) -> Both:
        """Return a copy of both players' parameters."""
        return self._at().map(Tensor.clone)

    def _at(self) -> Both:
        return Both(tuple(self.g.chunks), tuple(self.d.chunks))

    def go_to(self, at: Both) -> None:
        """Set both players' parameters. The optimizer states do not change."""
        for theta, value in zip(self._at().parts, at.parts, strict=True):
            theta.copy_(value)

    def losses(self, at: Both) -> tuple[Tensor, Tensor]:
        """Return L_G and L_D () at any parameters, summed over members, differentiable by both players' parameters."""
        g, d, given, objectives = self.g, self.d, self.given, self.objectives
        derivatives = ThirdDerivatives() if self.third_derivatives else nullcontext()
        with torch.enable_grad(), autocast(g.device, self.precision), derivatives:
            state = Pass(given.generator_masks, g.buffers, labels=given.labels)
            fake = g.network(g.params(at.generator), given.z, state)
            real, fake_input = self._discriminator_inputs(fake)
            params = d.params(at.discriminator)
            loss_d, (terms, updates) = objectives.discriminator(
                *(d.network, params, d.buffers, real, fake_input),
                *(given.masks, given.penalties, given.flips, given.labels),
            )
            masks = [mask[:, real.shape[1] :] for mask in given.masks]
            compared = real if objectives.relativistic else None
            losses_g = objectives.generator(d.network, params, d.buffers, fake_input, masks, compared, given.labels)
            loss_g = losses_g.sum()
        if self._first_losses is None:
            self._first_losses = terms, losses_g.detach(), fake.detach()
            if not self.read_only:
                g.keep_buffers(state.updates)
                d.keep_buffers(updates)
                d.set_rate(terms.game)
                g.set_rate()
        return loss_g, loss_d

    def _discriminator_inputs(self, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return real and generated samples as input of the discriminators."""
        given, objectives = self.given, self.objectives
        real = objectives.discriminator_input(given.real, given.real_noise, given.real_augment)
        return real, objectives.discriminator_input(fake, given.fake_noise, given.fake_augment)

    def field(self, *, create_graph: bool = False) -> Both:
        """Return v at the current parameters."""
        at = self.at = self._at().map(lambda theta: theta.detach().requires_grad_())
        loss_g, loss_d = self.losses(at)
        return Both(
            torch.autograd.grad(loss_g, at.generator, create_graph=create_graph, retain_graph=True),
            torch.autograd.grad(loss_d, at.discriminator, create_graph=create_graph),
        )

    def penalties(self) -> Both:
        """Return the gradients of the discriminators' penalties at the point of the last call of `field`."""
        assert self._first_losses is not None
        d, given, fake, psi = self.d, self.given, self._first_losses[2], self.at.discriminator
        with torch.enable_grad(), autocast(d.device, self.precision):
            real, fake_input = self._discriminator_inputs(fake)
            params, total = d.params(psi), fake.new_zeros(())
            for penalty, inputs in zip(self.objectives.passes, given.penalties, strict=True):
                n = penalty.count
                labels = None if given.labels is None else given.labels[:n]
                total = total + penalty(d.network, params, d.buffers, real[:n], fake_input[:n], inputs, labels).sum()
        return Both(tuple(torch.zeros_like(part) for part in self.at.generator), _gradients(total, psi, False))

    def vjp(self, v: Both, u: Both, *, mixed: bool = False) -> Both:
        """Return J^T u for a field v with a graph; `mixed`: only the off-diagonal blocks of J."""
        return self._pulled(v, u.detach(), mixed, create_graph=False)

    def jvp(self, v: Both, u: Both, *, mixed: bool = False) -> Both:
        """Return J u by double backward: J^T w is linear in w, and its vector-Jacobian product with u is J u."""
        with torch.enable_grad():
            w = u.map(lambda part: torch.zeros_like(part).requires_grad_())
            back = self._pulled(v, w, mixed, create_graph=True)
            total = torch.stack([(a * b).sum() for a, b in zip(back.parts, u.detach().parts, strict=True)]).sum()
            if not total.requires_grad:  # J is zero
                return u.map(torch.zeros_like)
            return w.like(_gradients(total, w.parts, create_graph=False))

    def _pulled(self, v: Both, w: Both, mixed: bool, create_graph: bool) -> Both:
        """Return J^T w; if `mixed`, of the off-diagonal blocks only."""
        with torch.enable_grad():
            products = [[(a * b).sum() for a, b in zip(*parts, strict=True)] for parts in _by_player(v, w)]
            of_g, of_d = (torch.stack(sums).sum() for sums in products)
            if not mixed:
                return v.like(_gradients(of_g + of_d, self.at.parts, create_graph))
            return Both(
                _gradients(of_d, self.at.generator, create_graph), _gradients(of_g, self.at.discriminator, create_graph)
            )

    def result(self) -> StepResult:
        """Return the values of the step."""
        assert self._first_losses is not None
        assert self._first_norms is not None
        (terms, loss, fake), (d_norm, g_norm) = self._first_losses, self._first_norms
        return StepResult(terms, d_norm, loss, g_norm, fake)

    def descend(self, gradient: Both) -> None:
        """Apply an optimizer step to each player with the given gradient."""
        gradient = gradient.detach()
        grad_norms = self.d.apply(gradient.discriminator), self.g.apply(gradient.generator)
        self._first_norms = self._first_norms or grad_norms
        self.objectives.clip_weights(self.d.chunks)


def _by_player(v: Both, w: Both) -> tuple[tuple, tuple]:
    return (v.generator, w.generator), (v.discriminator, w.discriminator)


def _gradients(total: Tensor, by: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    """Return the gradients of `total`; zero for tensors that it does not depend on."""
    if not total.requires_grad:
        return tuple(torch.zeros_like(part) for part in by)
    gradients = torch.autograd.grad(total, by, create_graph=create_graph, retain_graph=True, allow_unused=True)
    return tuple(torch.zeros_like(part) if g is None else g for g, part in zip(gradients, by, strict=True))
