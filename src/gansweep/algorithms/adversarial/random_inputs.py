"""Random inputs of a training step: batches, latents, masks, penalty points, label flips, augmentation, noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from torch import Tensor

from gansweep.batched import transforms
from gansweep.batched.objectives import Objectives
from gansweep.batched.penalty_pass import PenaltyInputs
from gansweep.batched.random_streams import Draws, Piece, finished, masks_of, normal, uniform
from gansweep.dynamics.alternating import Alternating
from gansweep.layers import Network
from gansweep.layers.dropout import from_bits


@dataclass
class DiscriminatorInputs:
    """Random inputs of one discriminator update.

    `labels` (K, B) are the classes of the real samples. The generated sample at the same place of the batch has the
    same class, so that a pair of the batch, and every point between, has one class. `fake` are the generated samples
    (K, B, ...) if they exist already.
    """

    real: Tensor
    z: Tensor
    generator_masks: list[Tensor]
    masks: list[Tensor]
    penalties: list[PenaltyInputs]
    flips: Tensor | None
    real_noise: Tensor | None
    fake_noise: Tensor | None
    real_augment: list[Tensor] | None = None
    fake_augment: list[Tensor] | None = None
    labels: Tensor | None = None
    fake: Tensor | None = None


@dataclass
class GeneratorInputs:
    """Random inputs of one generator update; `labels` are those of the last real batch."""

    z: Tensor
    generator_masks: list[Tensor]
    masks: list[Tensor]
    real: Tensor | None
    noise: Tensor | None
    augment: list[Tensor] | None = None
    labels: Tensor | None = None


@dataclass
class RandomInputs:
    """Random inputs of the updates of a step, drawn from the members' streams.

    Args:
        draws: of the members' streams, with nothing registered yet.
        samples: the data (N, ...).
        g: generator network.
        d: discriminator network.
        latent_dim: length of z.
        batch_size: B.
        objectives: determine which inputs are needed.
        alternating: which batches and latents are new.
        updates_d: number of discriminator updates of every step, or one number for all steps.
        updates_g: generator updates of a step; 0 if both players share the discriminator's inputs (joint dynamics).
        labels: classes of the data (N,), for conditional networks.
        as_bits: masks, latents and points of penalties are random integers, which `finished` converts, so that a
            compiled graph can do it.
    """

    draws: Draws
    samples: Tensor
    g: Network
    d: Network
    latent_dim: int
    batch_size: int
    objectives: Objectives
    alternating: Alternating
    updates_d: Sequence[int]
    updates_g: int
    labels: Tensor | None = None
    as_bits: bool = False

    def __post_init__(self) -> None:
        """Register the draws of a step."""
        draws, size, sample = self.draws, self.batch_size, tuple(self.samples.shape[1:])
        updates, fresh = max(self.updates_d), self.alternating.fresh_batches
        before = [0, *accumulate(self.updates_d)] if fresh and len(self.updates_d) > 1 else None
        latents = updates + (self.updates_g if self.alternating.fresh_latents else 0)
        draws.plan_batches(len(self.samples), size, updates if fresh else 1, before=before)
        draws.plan("latents", [normal(size, self.latent_dim, as_bits=self.as_bits)] * latents)
        draws.plan("dropout/generator", self._masks_of(self.g, size) * latents)
        draws.plan("dropout/discriminator", self._masks_of(self.d, 2 * size) * updates)
        draws.plan("dropout/discriminator, generator step", self._masks_of(self.d, size) * self.updates_g)
        self.objectives.plan_penalties(draws, self.d, sample, size, updates, as_bits=self.as_bits)
        if self.objectives.flip is not None:
            draws.plan("flips", [uniform(size)] * updates)
        count = 2 * updates + self.updates_g
        self.objectives.plan_augmentation(draws, size, count)
        if self.objectives.noise is not None:
            draws.plan("instance_noise", [normal(size, *sample)] * count)

    def for_discriminator(self, before: DiscriminatorInputs | None = None) -> DiscriminatorInputs:
        """Draw the inputs of a discriminator update; `before` are those of the previous update in this step."""
        draws = self.draws
        if before is None or self.alternating.fresh_batches:
            index = draws.next("order")
            prefetch = getattr(self.samples, "prefetch", None)
            real, labels = self.samples[index], None if self.labels is None else self.labels[index]
            if prefetch is not None:
                prefetch(draws.peek_batch())
        else:
            real, labels = before.real, before.labels
        return DiscriminatorInputs(
            real=real,
            labels=labels,
            z=draws.next("latents"),
            generator_masks=draws.masks("dropout/generator", self.g),
            masks=draws.masks("dropout/discriminator", self.d),
            penalties=self.objectives.draw_penalties(draws, self.d),
            flips=self._if_planned("flips"),
            real_noise=self._if_planned("instance_noise"),
            fake_noise=self._if_planned("instance_noise"),
            real_augment=self._augment(),
            fake_augment=self._augment(),
        )

    def for_generator(self, before: DiscriminatorInputs) -> GeneratorInputs:
        """Draw the inputs of a generator update; a relativistic game reuses the last real batch, as D received it."""
        draws, fresh, real = self.draws, self.alternating.fresh_latents, None
        if self.objectives.relativistic:
            real = self.objectives.discriminator_input(before.real, before.real_noise, before.real_augment)
        return GeneratorInputs(
            z=draws.next("latents") if fresh else before.z,
            generator_masks=draws.masks("dropout/generator", self.g) if fresh else before.generator_masks,
            masks=draws.masks("dropout/discriminator, generator step", self.d),
            real=real,
            noise=self._if_planned("instance_noise"),
            augment=self._augment(),
            labels=before.labels,
        )

    def finished(self, given: DiscriminatorInputs) -> DiscriminatorInputs:
        """Return the inputs with random integers converted to masks, latents and points of penalties."""
        shape, d = tuple(self.samples.shape[1:]), self.d
        penalties = [
            PenaltyInputs(one.finished(each.u, self.batch_size, shape), from_bits(each.masks, d.draws))
            for one, each in zip(self.objectives.passes, given.penalties, strict=True)
        ]
        of_g, of_d = from_bits(given.generator_masks, self.g.draws), from_bits(given.masks, d.draws)
        return replace(given, z=self._latents(given.z), generator_masks=of_g, masks=of_d, penalties=penalties)

    def finished_of_generator(self, given: GeneratorInputs) -> GeneratorInputs:
        """Return the inputs of a generator update, as `finished` does."""
        of_g, of_d = from_bits(given.generator_masks, self.g.draws), from_bits(given.masks, self.d.draws)
        return replace(given, z=self._latents(given.z), generator_masks=of_g, masks=of_d)

    def _latents(self, z: Tensor) -> Tensor:
        return finished(transforms.normal_of, z, self.batch_size, self.latent_dim)

    def _masks_of(self, network: Network, size: int) -> list[Piece]:
        return masks_of(network, size, as_bits=self.as_bits)

    def _augment(self) -> list[Tensor] | None:
        return self.draws.next_by_rows("augment") if self.objectives.augments else None

    def _if_planned(self, name: str) -> Tensor | None:
        return self.draws.next(name) if name in self.draws else None
