"""Random inputs of a training step: batches, latents, dropout masks, penalty points, label flips, instance noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from gansweep.batched.objectives import PenaltyInputs
from gansweep.batched.random_streams import Draws, masks_of, normal, uniform

if TYPE_CHECKING:
    from gansweep.algorithms.adversarial.pack import AdversarialPack


@dataclass
class DiscriminatorInputs:
    """Random inputs of one discriminator update."""

    real: Tensor
    z: Tensor
    generator_masks: list[Tensor]
    masks: list[Tensor]
    penalties: list[PenaltyInputs]
    flips: Tensor | None
    real_noise: Tensor | None
    fake_noise: Tensor | None


@dataclass
class GeneratorInputs:
    """Random inputs of one generator update."""

    z: Tensor
    generator_masks: list[Tensor]
    masks: list[Tensor]
    real: Tensor | None
    noise: Tensor | None


class RandomInputs:
    """Random inputs of a pack's updates, drawn from the members' streams.

    A step is registered with the largest number of discriminator updates of any step (`Draws`).

    Args:
        pack: its members, networks and objectives determine which inputs are needed.
        draws: of the members' streams, with nothing registered yet.
    """

    def __init__(self, pack: AdversarialPack, draws: Draws) -> None:
        self.pack, self.draws, self.turns, self.objectives = pack, draws, pack.turns, pack.objectives
        self.g, self.d = pack.g.network, pack.d.network
        self._plan(pack.most_critic_steps, 0 if pack.dynamics.joint else pack.turns.generator_steps)

    def _plan(self, moves_d: int, moves_g: int) -> None:
        """Register the draws of a step. With joint dynamics both players share the discriminator's draws."""
        pack, turns, draws = self.pack, self.turns, self.draws
        size, device, sample = pack.batch_size, pack.device, tuple(pack.samples.shape[1:])
        batches, latents = (moves_d if turns.fresh_batches else 1), moves_d + (moves_g if turns.fresh_latents else 0)
        of_g, of_d = len(self.g.draws), len(self.d.draws)
        masks = masks_of(self.d, 2 * size) * moves_d + masks_of(self.d, size) * moves_g
        draws.plan_batches(len(pack.samples), size, batches, of_move=int(turns.fresh_batches))
        draws.plan("latents", [normal(size, pack.latent_dim, device=device)] * latents, of_move=1)
        draws.plan("dropout/generator", masks_of(self.g, size) * latents, of_move=of_g)
        draws.plan("dropout/discriminator", masks, of_move=of_d)
        self.objectives.plan_penalties(draws, self.d, sample, size, moves_d)
        if self.objectives.flip is not None:
            draws.plan("flips", [uniform(size, device=device)] * moves_d, of_move=1)
        if self.objectives.noise is not None:
            draws.plan("instance_noise", [normal(size, *sample, device=device)] * (2 * moves_d + moves_g), of_move=2)

    def for_discriminator(self, before: DiscriminatorInputs | None = None) -> DiscriminatorInputs:
        """Draw the inputs of a discriminator update; `before` are those of the previous update in this step."""
        draws = self.draws
        return DiscriminatorInputs(
            real=self.pack.samples[draws.next("order")] if self.turns.fresh_batches or before is None else before.real,
            z=draws.next("latents"),
            generator_masks=draws.masks("dropout/generator", self.g),
            masks=draws.masks("dropout/discriminator", self.d),
            penalties=self.objectives.draw_penalties(draws, self.d),
            flips=self._if_planned("flips"),
            real_noise=self._if_planned("instance_noise"),
            fake_noise=self._if_planned("instance_noise"),
        )

    def for_generator(self, before: DiscriminatorInputs) -> GeneratorInputs:
        """Draw the inputs of a generator update; a relativistic game reuses the last real batch with its noise."""
        draws, fresh = self.draws, self.turns.fresh_latents
        return GeneratorInputs(
            z=draws.next("latents") if fresh else before.z,
            generator_masks=draws.masks("dropout/generator", self.g) if fresh else before.generator_masks,
            masks=draws.masks("dropout/discriminator", self.d),
            real=self.objectives.seen(before.real, before.real_noise) if self.objectives.relativistic else None,
            noise=self._if_planned("instance_noise"),
        )

    def leave_out(self, moves: int) -> None:
        """Skip the draws of `moves` further discriminator updates in this step."""
        self.draws.leave_out(moves)

    def _if_planned(self, name: str) -> Tensor | None:
        return self.draws.next(name) if name in self.draws else None
