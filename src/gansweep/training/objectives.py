"""The members' objectives over one pass: shared where they agree, sliced where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.interfaces import Game, Penalty
from gansweep.layers import Network, Pass
from gansweep.layers.network import Params
from gansweep.training.member import Member, kind, runs


@dataclass
class PenaltyInputs:
    """What one pass over the penalties needs: u (n, B, 1, ...) and masks for B samples."""

    u: Tensor
    masks: list[Tensor] = field(default_factory=list)


class PenaltyPass:
    """One penalty of each of the first n members, priced in one pass of the discriminator."""

    def __init__(self, penalties: Sequence[Penalty], device: torch.device) -> None:
        self.count = len(penalties)
        self.kinds: list[tuple[Penalty, slice]] = runs(kind(penalty) for penalty in penalties)
        self.weights = torch.tensor([penalty.weight for penalty in penalties], device=device)

    def __call__(
        self,
        network: Network,
        params: Params,
        buffers: dict[str, Tensor],
        real: Tensor,
        fake: Tensor,
        given: PenaltyInputs,
    ) -> Tensor:
        """Return weight * E[score(|| dD/dx (x_hat) ||_2)] as (n,)."""
        n = self.count
        x_hat = [penalty.points(real[rows], fake[rows], given.u[rows]) for penalty, rows in self.kinds]
        state = Pass(given.masks, {name: buffer[:n] for name, buffer in buffers.items()})
        # A slice of all rows is no slice: its backward pass would fill a matrix with zeros. A view
        # it is, so that whatever a pass adds to a gradient is added up first, as behind a slice.
        own = [p.view_as(p) if n == len(p) else p[:n] for p in params]
        slope = network.input_gradient(own, _join(x_hat), state)
        norm = torch.linalg.vector_norm(slope.flatten(2), dim=2)
        scores = [penalty.score(norm[rows]) for penalty, rows in self.kinds]
        return self.weights * _join(scores).mean(1)


class DiscriminatorTerms(NamedTuple):
    """What a discriminator step was made of, each (K,) without a gradient."""

    loss: Tensor
    penalties: list[Tensor]
    real: Tensor
    fake: Tensor


class Objectives:
    """Games and penalties of the members of a pack, in the order of `side_by_side`."""

    def __init__(self, members: Sequence[Member], device: torch.device) -> None:
        self.games: list[tuple[Game, slice]] = runs(member.objective.game for member in members)
        most = max(len(member.penalties) for member in members)
        self.passes = [
            PenaltyPass([member.penalties[n] for member in members if len(member.penalties) > n], device)
            for n in range(most)
        ]
        clips = [member.objective.clip for member in members]
        self.clip = None
        if any(clip is not None for clip in clips):
            bounds = [[float("inf") if clip is None else clip] for clip in clips]
            self.clip = torch.tensor(bounds, device=device)

    def discriminator(
        self,
        network: Network,
        params: Params,
        buffers: dict[str, Tensor],
        real: Tensor,
        fake: Tensor,
        masks: Sequence[Tensor],
        for_penalties: Sequence[PenaltyInputs],
    ) -> tuple[Tensor, tuple[DiscriminatorTerms, dict[str, Tensor]]]:
        """Return sum_k of (game + penalties) and what it was made of.

        Real and generated samples go through in one pass, unless the network couples the
        samples of a batch: then each batch is normalised by itself, real ones first.
        """
        size, state = real.shape[1], Pass(masks, buffers)
        if network.couples_samples:
            state.masks = [mask[:, :size] for mask in masks]
            on_real = network(params, real, state)[..., 0]
            state = Pass([mask[:, size:] for mask in masks], buffers | state.updates)
            on_fake = network(params, fake, state)[..., 0]
        else:
            on_real, on_fake = network(params, torch.cat([real, fake], 1), state)[..., 0].split(size, 1)
        losses = _join([game.discriminator(on_real[rows], on_fake[rows]) for game, rows in self.games])
        total, penalties = losses, []
        for penalty, given in zip(self.passes, for_penalties, strict=True):
            n = penalty.count
            value = penalty(network, params, buffers, real[:n], fake[:n], given)
            total = total + F.pad(value, (0, len(total) - n))
            penalties.append(value.detach())
        terms = DiscriminatorTerms(total.detach(), penalties, on_real.detach().mean(1), on_fake.detach().mean(1))
        return total.sum(), (terms, state.updates)

    def generator(
        self, network: Network, params: Params, buffers: dict[str, Tensor], fake: Tensor, masks: Sequence[Tensor]
    ) -> Tensor:
        """Return the generators' losses (K,) by the discriminator's parameters `params`."""
        logits = network(params, fake, Pass(masks, buffers))[..., 0]
        return _join([game.generator(logits[rows]) for game, rows in self.games])


def _join(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))
