"""A pack at a point of its game, as dynamics that move both players at once see it."""

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
    """The members' games on the numbers drawn for one step: losses, their field, and a step along it.

    Both losses are of the same samples, real and generated, under the same masks. What is reported of
    the step is the losses where it began and the first gradients that the optimizers were given;
    running statistics move once, too, unless the game is only looked at.
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
        """Return a copy of where the players are."""
        return self._at().map(Tensor.clone)

    def _at(self) -> Both:
        return Both(tuple(self.pack.g.stretches), tuple(self.pack.d.stretches))

    def go_to(self, at: Both) -> None:
        """Put the players there; their optimizers' states stay as they are."""
        for theta, value in zip(self._at().parts, at.parts, strict=True):
            theta.copy_(value)

    def losses(self, at: Both) -> tuple[Tensor, Tensor]:
        """Return L_G and L_D at any point, each summed over the members, differentiable by both players."""
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
        """Return v where the players are."""
        at = self.at = self._at().map(lambda theta: theta.detach().requires_grad_())
        loss_g, loss_d = self.losses(at)
        v = Both(
            torch.autograd.grad(loss_g, at.generator, create_graph=create_graph, retain_graph=True),
            torch.autograd.grad(loss_d, at.discriminator, create_graph=create_graph),
        )
        return v

    def penalties(self) -> Both:
        """Return what the discriminators' penalties are of the field that was asked for last."""
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
        """Return J^T u of a field with a graph; `mixed`: of the blocks between the players alone."""
        return self._pulled(v, u.detach(), mixed, create_graph=False)

    def jvp(self, v: Both, u: Both, *, mixed: bool = False) -> Both:
        """Return J u, likewise: J^T w is linear in w, and its own pull-back of u is J u."""
        with torch.enable_grad():
            w = u.map(lambda part: torch.zeros_like(part).requires_grad_())
            back = self._pulled(v, w, mixed, create_graph=True)
            total = torch.stack([(a * b).sum() for a, b in zip(back.parts, u.detach().parts, strict=True)]).sum()
            if not total.requires_grad:  # J is zero
                return u.map(torch.zeros_like)
            return w.like(_gradients(total, w.parts, create_graph=False))

    def _pulled(self, v: Both, w: Both, mixed: bool, create_graph: bool) -> Both:
        """Return J^T w; without the players' own blocks, each one's part pulls at the other's parameters."""
        with torch.enable_grad():
            theirs = [[(a * b).sum() for a, b in zip(*parts, strict=True)] for parts in _by_player(v, w)]
            of_g, of_d = (torch.stack(sums).sum() for sums in theirs)
            if not mixed:
                return v.like(_gradients(of_g + of_d, self.at.parts, create_graph))
            return Both(
                _gradients(of_d, self.at.generator, create_graph), _gradients(of_g, self.at.discriminator, create_graph)
            )

    def report(self) -> tuple[DiscriminatorTerms, Tensor, Tensor, Tensor, Tensor]:
        """Return the discriminators' terms and gradients, the generators' losses and gradients, and samples."""
        assert self._seen is not None and self._first is not None
        terms, loss, fake = self._seen
        return terms, norms(self._first.discriminator), loss, norms(self._first.generator), fake

    def descend(self, gradient: Both) -> None:
        """Let each player's optimizer step, taking this for its gradient."""
        pack, gradient = self.pack, gradient.detach()
        self._first = self._first or gradient
        pack.d.move(gradient.discriminator)
        pack.g.move(gradient.generator)
        pack.clip()


def _by_player(v: Both, w: Both) -> tuple[tuple, tuple]:
    return (v.generator, w.generator), (v.discriminator, w.discriminator)


def _gradients(total: Tensor, by: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    """Differentiate, where what it does not depend on has a gradient of zero."""
    if not total.requires_grad:
        return tuple(torch.zeros_like(part) for part in by)
    found = torch.autograd.grad(total, by, create_graph=create_graph, retain_graph=True, allow_unused=True)
    return tuple(torch.zeros_like(part) if g is None else g for g, part in zip(found, by, strict=True))
