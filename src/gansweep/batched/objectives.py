"""Objectives of K members in one forward pass, with rows grouped by game and by penalty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.batched.member import Member, runs
from gansweep.batched.penalty_pass import PenaltyInputs, PenaltyPass, entries, join
from gansweep.batched.random_streams import Draws, masks_of, uniform
from gansweep.batched.scheduled import Scheduled
from gansweep.interfaces import Game
from gansweep.layers import Network, Pass
from gansweep.layers.layer import per_member
from gansweep.layers.network import Params
from gansweep.layers.penalised import has_closed_form, penalised_gradients


class DiscriminatorTerms(NamedTuple):
    """Terms of a discriminator step, (K,) each, detached; loss = game + sum of penalties."""

    loss: Tensor
    game: Tensor
    penalties: list[Tensor]
    real: Tensor
    fake: Tensor


class Objectives:
    """Games, penalties, augmentation, noise, label flips and weight clipping of a pack, ordered by `side_by_side`."""

    def __init__(self, members: Sequence[Member], device: torch.device) -> None:
        self.device, self.num_members = device, len(members)
        self.games: list[tuple[Game, slice]] = runs(member.objective.game for member in members)
        most = max(len(member.penalties) for member in members)
        self.passes = [
            PenaltyPass(
                [member.penalties[n] for member in members if len(member.penalties) > n],
                [member.penalty_factor for member in members if len(member.penalties) > n],
                device,
            )
            for n in range(most)
        ]
        self.flip = self.noise = None
        if any(member.objective.flip for member in members):
            self.flip = torch.tensor([[member.objective.flip] for member in members], device=device)
        if any(member.objective.instance_noise for member in members):
            self.noise = Scheduled([member.noise for member in members], device)
        self.augmentations = runs(member.augment for member in members)
        self.augments = any(augment is not None for augment, _ in self.augmentations)
        clips = [member.objective.clip for member in members]
        self.clip = None
        if any(clip is not None for clip in clips):
            bounds = [[float("inf") if clip is None else clip] for clip in clips]
            self.clip = torch.tensor(bounds, device=device)

    @property
    def relativistic(self) -> bool:
        """Whether the generator's loss of some member depends on real samples."""
        return any(game.relativistic for game, _ in self.games)

    def set(self, done: Sequence[int], total: Sequence[int]) -> None:
        """Set penalty weights and noise to those of the step after `done` of `total` steps of each member."""
        for penalty in self.passes:
            penalty.factors.set(done[: penalty.count], total[: penalty.count])
        if self.noise is not None:
            self.noise.set(done, total)

    def set_updates(self, updates: Sequence[int] | None) -> None:
        """Set which penalties are due, given the earlier discriminator updates of every member; None: all."""
        for penalty in self.passes:
            penalty.set_updates(None if updates is None else updates[: penalty.count])

    def plan_penalties(
        self, draws: Draws, network: Network, shape: tuple[int, ...], batch_size: int, count: int, as_bits: bool = False
    ) -> None:
        """Register the draws of a step that evaluates the penalties `count` times; `as_bits` as in `masks_of`."""
        for n, penalty_pass in enumerate(self.passes):
            for penalty, rows in penalty_pass.kinds:
                u = uniform(batch_size, *entries(penalty, shape), as_bits=as_bits)
                draws.plan(f"interpolation/{n}", [u] * count, rows)
            masks = masks_of(network, batch_size, as_bits=as_bits) * count
            draws.plan(f"dropout/penalty/{n}", masks, slice(0, penalty_pass.count))

    def draw_penalties(self, draws: Draws, network: Network) -> list[PenaltyInputs]:
        """Return the random inputs of one evaluation of all penalties."""
        return [
            PenaltyInputs(draws.next_by_rows(f"interpolation/{n}"), draws.masks(f"dropout/penalty/{n}", network))
            for n in range(len(self.passes))
        ]

    def plan_augmentation(self, draws: Draws, batch_size: int, count: int) -> None:
        """Register the draws of a step that augments `count` batches."""
        for augment, rows in self.augmentations:
            if augment is not None:
                draws.plan("augment", [uniform(batch_size, augment.num_draws)] * count, rows)

    def augmented(self, samples: Tensor, drawn: Sequence[Tensor] | None) -> Tensor:
        """Return samples (K, B, ...) augmented with the draws (n, B, ...) of all members that have an augmentation."""
        if not drawn:
            return samples
        if len(self.augmentations) == 1:
            augment, _ = self.augmentations[0]
            assert augment is not None
            return augment(samples, drawn[0])
        remaining = iter(drawn)
        return join(
            [
                samples[rows] if augment is None else augment(samples[rows], next(remaining))
                for augment, rows in self.augmentations
            ]
        )

    def discriminator_input(self, samples: Tensor, noise: Tensor | None, drawn: Sequence[Tensor] | None) -> Tensor:
        """Return samples (K, B, ...) as input of the discriminators: augmented, then with instance noise."""
        return self.with_noise(self.augmented(samples, drawn), noise)

    def with_noise(self, samples: Tensor, noise: Tensor | None) -> Tensor:
        """Return samples (K, B, ...) with instance noise added."""
        if self.noise is None or noise is None:
            return samples
        return samples + per_member(self.noise.now, samples) * noise

    def clip_weights(self, chunks: Sequence[Tensor]) -> None:
        """Clamp the discriminators' parameters (K, P_i) in place to the bounds of weight clipping."""
        if self.clip is not None:
            for theta in chunks:
                theta.copy_(theta.clamp(-self.clip, self.clip))

    def discriminator(
        self,
        network: Network,
        params: Params,
        buffers: dict[str, Tensor],
        real: Tensor,
        fake: Tensor,
        masks: Sequence[Tensor],
        for_penalties: Sequence[PenaltyInputs],
        flips: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> tuple[Tensor, tuple[DiscriminatorTerms, dict[str, Tensor]]]:
        """Return the sum over members of game + penalties (), its terms, and the updated running statistics.

        Real and generated samples are evaluated in one pass, unless the network couples the samples of a
        batch (batch norm): then each batch is normalised separately, real samples first.

        `labels` (K, B) are those of both samples at each place of the batch, for conditional networks.
        """
        size, state = real.shape[1], Pass(masks, buffers, labels=labels)
        if network.couples_samples:
            state.masks = [mask[:, :size] for mask in masks]
            on_real = network(params, real, state)[..., 0]
            state = Pass([mask[:, size:] for mask in masks], buffers | state.updates, labels=labels)
            on_fake = network(params, fake, state)[..., 0]
        else:
            state.labels = None if labels is None else torch.cat([labels, labels], 1)
            on_real, on_fake = network(params, torch.cat([real, fake], 1), state)[..., 0].chunk(2, 1)
        losses = self._losses(on_real, on_fake, flips)
        total, penalties = losses, []
        for penalty, given in zip(self.passes, for_penalties, strict=True):
            n = penalty.count
            of_penalty = None if labels is None else labels[:n]
            value = penalty(network, params, buffers, real[:n], fake[:n], given, of_penalty)
            total = total + F.pad(value, (0, len(total) - n))
            penalties.append(value.detach())
        on_real, on_fake = on_real.detach().mean(1), on_fake.detach().mean(1)
        terms = DiscriminatorTerms(total.detach(), losses.detach(), penalties, on_real, on_fake)
        return total.sum(), (terms, state.updates)

    def _losses(self, on_real: Tensor, on_fake: Tensor, flips: Tensor | None) -> Tensor:
        """Return the losses (K,) of the games for logits (K, B) on real and generated samples."""
        left, right = on_real, on_fake
        if self.flip is not None and flips is not None:
            swapped = flips < self.flip
            left, right = torch.where(swapped, on_fake, on_real), torch.where(swapped, on_real, on_fake)
        return join([game.discriminator(left[rows], right[rows]) for game, rows in self.games])

    def has_closed_form(self, network: Network, labels: Tensor | None) -> bool:
        """Return whether `discriminator_gradients` applies: one penalty of the input gradient for every member."""
        if self.device.type == "cpu" or labels is not None or not has_closed_form(network.layers):
            return False  # on a CPU, one product of all rows would round differently
        return len(self.passes) == 1 and self.passes[0].count == self.num_members and self.passes[0].has_closed_form

    def discriminator_gradients(
        self,
        network: Network,
        params: Params,
        real: Tensor,
        fake: Tensor,
        masks: Sequence[Tensor],
        given: PenaltyInputs,
        flips: Tensor | None = None,
    ) -> tuple[list[Tensor], DiscriminatorTerms]:
        """Return the gradients of the slots, (K, *shape) each, and the terms, with `penalised_gradients`."""
        penalty, size = self.passes[0], real.shape[1]
        x = torch.cat([real, fake, penalty.points(real, fake, given)], 1)
        state = Pass([torch.cat(pair, 1) for pair in zip(masks, given.masks, strict=True)])

        def game(logits: Tensor) -> Tensor:
            return self._losses(logits[:, :size], logits[:, size:], flips)

        found = penalised_gradients(network.layers, params, x, state, 2 * size, game, penalty.of_gradient)
        on_real, on_fake = found.logits.unflatten(1, (2, size)).mean(2).unbind(1)
        terms = DiscriminatorTerms(found.game + found.penalty, found.game, [found.penalty], on_real, on_fake)
        return found.gradients, terms

    def generator(
        self,
        network: Network,
        params: Params,
        buffers: dict[str, Tensor],
        fake: Tensor,
        masks: Sequence[Tensor],
        real: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> Tensor:
        """Return the generators' losses (K,) for the discriminators with parameters `params`.

        `real` is needed if a game is relativistic. Real and generated samples get the same dropout masks and labels.
        """
        on_fake = network(params, fake, Pass(masks, buffers, labels=labels))[..., 0]
        on_real = None if real is None else network(params, real, Pass(masks, buffers, labels=labels))[..., 0]
        losses = []
        for game, rows in self.games:
            compared = on_real[rows] if on_real is not None and game.relativistic else None
            losses.append(game.generator(on_fake[rows], compared))
        return join(losses)
