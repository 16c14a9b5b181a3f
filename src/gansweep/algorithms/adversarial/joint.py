"""The game of a pack as a function of both players' parameters, for joint dynamics and diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gansweep.batched.player import norms
from gansweep.device import autocast
from gansweep.dynamics.position import Both
from gansweep.layers import Pass

if TYPE_CHECKING:
    from gansweep.algorithms.adversarial.pack import AdversarialPack
    from gansweep.algorithms.adversarial.random_inputs import DiscriminatorInputs
    from gansweep.batched.objectives import DiscriminatorTerms


class Joint:
    """Losses, vector field and optimizer step of the members' games, for fixed random inputs.

        v(theta, psi) = (grad_theta L_G, grad_psi L_D),   J = dv / d(theta, psi)

    Both losses use the same real and generated samples and the same dropout masks. The report of a step holds
    the losses at its first point and the first gradients that the optimizers received. Running statistics are
    updated once, by the first evaluation, and not at all if `looking` is True.

    Args:
        pack: the players and objectives.
        given: random inputs of the step.
        looking: evaluate only, without a change of running statistics and learning rates.
    """

    def __init__(self, pack: AdversarialPack, given: DiscriminatorInputs, *, looking: bool = False) -> None:
        self.pack, self.given, self.looking = pack, given, looking
        self._seen: tuple[DiscriminatorTerms, Tensor, Tensor] | None = None
        self._first: Both | None = None

    @property
    def rates(self) -> Both:
        """Both players' learning rates, (K, 1) each."""
        return Both((self.pack.g.lr,), (self.pack.d.lr,))

    def here(self) -> Both:
        """Return a copy of both players' parameters."""
        return self._at().map(Tensor.clone)

    def _at(self) -> Both:
        return Both(tuple(self.pack.g.stretches), tuple(self.pack.d.stretches))

    def go_to(self, at: Both) -> None:
        """Set both players' parameters. The optimizer states do not change."""
        for theta, value in zip(self._at().parts, at.parts, strict=True):
            theta.copy_(value)

    def losses(self, at: Both) -> tuple[Tensor, Tensor]:
        """Return L_G and L_D () at any parameters, summed over members, differentiable by both players' parameters."""
        pack, given, objectives = self.pack, self.given, self.pack.objectives
        size = pack.batch_size
        with torch.enable_grad(), autocast(pack.device, pack.precision):
            state = Pass(given.generator_masks, pack.g.buffers)
            fake = pack.g.network(pack.g.params(at.generator), given.z, state)
            real, seen = objectives.seen(given.real, given.real_noise), objectives.seen(fake, given.fake_noise)
            params, network, buffers = pack.d.params(at.discriminator), pack.d.network, pack.d.buffers
            loss_d, (terms, updates) = objectives.discriminator(
                network, params, buffers, real, seen, given.masks, given.penalties, given.flips
            )
            masks = [mask[:, size:] for mask in given.masks]
            compared = real if objectives.relativistic else None
            losses_g = objectives.generator(network, params, buffers, seen, masks, compared)
            loss_g = losses_g.sum()
        if self._seen is None:
            self._seen = terms, losses_g.detach(), fake.detach()
            if not self.looking:
                pack.g.keep_buffers(state.updates)
                pack.d.keep_buffers(updates)
                pack.d.react(terms.game)
                pack.g.react(None)
        return loss_g, loss_d

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
        assert self._seen is not None
        pack, given, objectives = self.pack, self.given, self.pack.objectives
        fake, psi = self._seen[2], self.at.discriminator
        with torch.enable_grad(), autocast(pack.device, pack.precision):
            real, seen = objectives.seen(given.real, given.real_noise), objectives.seen(fake, given.fake_noise)
            params, network, buffers = pack.d.params(psi), pack.d.network, pack.d.buffers
            total = fake.new_zeros(())
            for penalty, inputs in zip(objectives.passes, given.penalties, strict=True):
                n = penalty.count
                total = total + penalty(network, params, buffers, real[:n], seen[:n], inputs).sum()
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

    def report(self) -> tuple[DiscriminatorTerms, Tensor, Tensor, Tensor, Tensor]:
        """Return the fields of `StepResult`: d_terms, d_gradient, g_loss, g_gradient and fake."""
        assert self._seen is not None and self._first is not None
        terms, loss, fake = self._seen
        return terms, norms(self._first.discriminator), loss, norms(self._first.generator), fake

    def descend(self, gradient: Both) -> None:
        """Apply an optimizer step to each player with the given gradient."""
        pack, gradient = self.pack, gradient.detach()
        self._first = self._first or gradient
        pack.d.move(gradient.discriminator)
        pack.g.move(gradient.generator)
        pack.clip()


def _by_player(v: Both, w: Both) -> tuple[tuple, tuple]:
    return (v.generator, w.generator), (v.discriminator, w.discriminator)


def _gradients(total: Tensor, by: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    """Return the gradients of `total`; zero for tensors that it does not depend on."""
    if not total.requires_grad:
        return tuple(torch.zeros_like(part) for part in by)
    gradients = torch.autograd.grad(total, by, create_graph=create_graph, retain_graph=True, allow_unused=True)
    return tuple(torch.zeros_like(part) if g is None else g for g, part in zip(gradients, by, strict=True))
