"""Two players against each other. This is the algorithm box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gansweep.algorithms.adversarial.critic_steps import critic_steps_at
from gansweep.algorithms.adversarial.joint import Joint
from gansweep.algorithms.adversarial.random_inputs import DiscriminatorInputs, GeneratorInputs, RandomInputs
from gansweep.batched.member import Member
from gansweep.batched.objectives import DiscriminatorTerms, Objectives
from gansweep.batched.pack import Pack, both, finite
from gansweep.batched.random_streams import Draws
from gansweep.device import autocast
from gansweep.dynamics.alternating import Alternating
from gansweep.interfaces import Dynamics, Model, Schedule
from gansweep.layers import Pass
from gansweep.seeding import Streams

GRAPHS = 256  # that one process may compile of each player's step


@dataclass
class Report:
    """What happened in one generator step; everything has one value per row of the pack.

    `steps` counts each member's generator steps so far. `discriminator` tells of the last of
    the critic steps.
    """

    steps: list[int]
    discriminator: DiscriminatorTerms
    discriminator_gradient: Tensor
    generator_loss: Tensor
    generator_gradient: Tensor


class AdversarialPack(Pack[Report]):
    """K pairs of a generator and a discriminator, each pair a game of its own.

    Args:
        members: what each of them chooses for itself.
        model: the pair of networks.
        samples: the data (N, ...), on the device to train on.
        critic_steps: discriminator updates before each generator update.
        compiled: one graph of losses, gradient and update for each player.
        dynamics: how the players' gradients become steps; by themselves they take turns.
        critic_schedule: multiplier of `critic_steps`; its members have to be at one and the same step.
        shared: batch_size, precision, check_every, patience and draw_ahead, see `Pack`.
    """

    def __init__(
        self,
        members: Sequence[Member],
        model: Model,
        samples: Tensor,
        *,
        critic_steps: int,
        compiled: bool = False,
        dynamics: Dynamics | None = None,
        critic_schedule: Schedule | None = None,
        **shared: Any,
    ) -> None:
        super().__init__(members, samples, both(model, samples), model.latent_dim, **shared)
        self.critic_steps, self.critic_schedule = critic_steps, critic_schedule
        self.dynamics = dynamics or Alternating()
        self.turns = self.dynamics if isinstance(self.dynamics, Alternating) else Alternating()
        self.d = self.players["discriminator"]
        self.objectives = Objectives(self.members, self.device)
        self.courses.append(self.objectives)
        self.most_critic_steps = max(
            critic_steps_at(critic_steps, critic_schedule, step, total)
            for total in set(self.total_steps)
            for step in (range(total) if critic_schedule is not None else (0,))
        )
        self.random = RandomInputs(self, self.draws)
        self._descend_d, self._descend_g = self._discriminator_step, self._generator_step
        if compiled:
            import torch._dynamo.config as dynamo  # takes two seconds

            # Every size of a pack and every mixture of objectives and rules has a graph of its own.
            dynamo.recompile_limit = max(dynamo.recompile_limit, GRAPHS)
            self._descend_d = torch.compile(self._discriminator_step, fullgraph=True, dynamic=False)
            self._descend_g = torch.compile(self._generator_step, fullgraph=True, dynamic=False)

    def play(self) -> Report:
        """Let the discriminators move `critic_steps` times and the generators answer, or both at once."""
        if self.dynamics.joint:
            d_terms, d_gradient, g_loss, g_gradient, fake = self._joint_step(self.random.for_discriminator())
            self.watch.see(1, ~finite(fake), self.step)
            self.watch.see(2, ~d_terms.loss.isfinite(), self.step)
        else:
            inputs, critic_steps = None, self.critic_steps_now()
            for _ in range(critic_steps):
                inputs = self.random.for_discriminator(inputs)
                d_terms, d_gradient, all_finite = self._descend_d(inputs)
                self.watch.see(1, ~all_finite, self.step)
                self.watch.see(2, ~d_terms.loss.isfinite(), self.step)
            assert inputs is not None  # critic_steps >= 1
            self.random.leave_out(self.most_critic_steps - critic_steps)
            for _ in range(self.turns.generator_steps):
                g_loss, g_gradient, fake = self._descend_g(self.random.for_generator(inputs))
        self.watch.see(3, ~g_loss.isfinite(), self.step)
        self.look(fake, g_gradient)
        return Report(list(self.done), d_terms, d_gradient, g_loss, g_gradient)

    def critic_steps_now(self) -> int:
        """Moves of the discriminators in the step that is being played, the same for all members.

        Raises:
            ValueError: members are at different steps of a schedule.
        """
        at = {(done - 1, total) for done, total in zip(self.done, self.total_steps, strict=True)}
        counts = {critic_steps_at(self.critic_steps, self.critic_schedule, step, total) for step, total in at}
        if len(counts) > 1:
            raise ValueError(f"critic_schedule={self.critic_schedule!r}: expected all members at the same step")
        return counts.pop()

    def curves(self, report: Report, k: int) -> dict[str, Tensor]:
        """Name member k's losses, penalties, logits, gradients, rates, and what else schedules change of it."""
        row, d = self.place[k], report.discriminator
        names = sorted(self.members[row].objective.penalties)
        curves = {
            "loss/discriminator": d.loss,
            "loss/generator": report.generator_loss,
            "logits/real": d.real,
            "logits/fake": d.fake,
            "gradient norm/discriminator": report.discriminator_gradient,
            "gradient norm/generator": report.generator_gradient,
            "rate/discriminator": self.d.lr[:, 0],
            "rate/generator": self.g.lr[:, 0],
        } | {f"penalty/{name}": value for name, value in zip(names, d.penalties, strict=False)}
        return {tag: value[row] for tag, value in curves.items()} | self._scheduled(row)

    def kept(self, k: int) -> dict[str, float]:
        """Name member k's whole game where each player is one number: its path in a plane is what there is to see."""
        if (self.g.network.num_parameters, self.d.network.num_parameters) != (1, 1):
            return {}
        row = self.place[k]
        return {"theta": self.g.theta[row].item(), "psi": self.d.theta[row].item()}

    def _scheduled(self, row: int) -> dict[str, Tensor]:
        member, found = self.members[row], dict[str, Tensor]()
        if member.penalty_schedule is not None:
            for name, one in zip(sorted(member.objective.penalties), self.objectives.passes, strict=False):
                found[f"schedule/weight of {name}"] = one.weights[row] * one.factors.now[row, 0]
        if member.noise_schedule is not None and self.objectives.noise is not None:
            found["schedule/instance noise"] = self.objectives.noise.now[row, 0]
        if member.ema_schedule is not None and member.ema is not None:
            found["schedule/decay of the average"] = 1 - self.averaging.now[row, 0]
        for name, player in self.players.items():
            if player.betas is not None and player.settings[row].beta_schedule is not None:
                found[f"schedule/beta of the {name}"] = player.betas.now[row, 0]
        if self.critic_schedule is not None:
            found["schedule/critic steps"] = torch.tensor(float(self.critic_steps_now()))
        return found

    def _discriminator_step(self, given: DiscriminatorInputs) -> tuple[DiscriminatorTerms, Tensor, Tensor]:
        """Lower game + penalties by the discriminator's parameters, on samples held fixed."""
        with autocast(self.device, self.precision):
            state = Pass(given.generator_masks, self.g.buffers)
            fake = self.g.network(self.g.params(), given.z, state)
        self.g.keep_buffers(state.updates)

        real = self.objectives.seen(given.real, given.real_noise)
        seen = self.objectives.seen(fake, given.fake_noise)

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            with autocast(self.device, self.precision):
                return self.objectives.discriminator(
                    self.d.network, params, self.d.buffers, real, seen, given.masks, given.penalties, given.flips
                )

        (terms, buffers), gradient = self.d.descend(losses, lambda kept: kept[0].game)
        self.d.keep_buffers(buffers)
        self.clip()
        return terms, gradient, finite(fake)

    def clip(self) -> None:
        """Keep the discriminators' parameters in the bounds of their objectives."""
        if self.objectives.clip is not None:
            for theta in self.d.stretches:
                theta.copy_(theta.clamp(-self.objectives.clip, self.objectives.clip))

    def _generator_step(self, given: GeneratorInputs) -> tuple[Tensor, Tensor, Tensor]:
        """Lower the generator's loss by its parameters, against the discriminator as it is."""
        critic = self.d.params()

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            state = Pass(given.generator_masks, self.g.buffers)
            with autocast(self.device, self.precision):
                fake = self.g.network(params, given.z, state)
                seen = self.objectives.seen(fake, given.noise)
                loss = self.objectives.generator(self.d.network, critic, self.d.buffers, seen, given.masks, given.real)
            return loss.sum(), (loss.detach(), fake.detach(), state.updates)

        (loss, fake, buffers), gradient = self.g.descend(losses)
        self.g.keep_buffers(buffers)
        self.average()
        return loss, gradient, fake

    def _joint_step(self, given: DiscriminatorInputs) -> tuple[DiscriminatorTerms, Tensor, Tensor, Tensor, Tensor]:
        """Move both players at once, as the dynamics say."""
        game = Joint(self, given)
        self.dynamics(game)
        self.average()
        return game.report()

    def draw_apart(self, under: str) -> DiscriminatorInputs:
        """Draw the numbers of a step from streams of their own, the same at every call.

        The training's streams stay where they are.
        """
        streams = [Streams(member.seed, self.device, under) for member in self.members]
        return RandomInputs(self, Draws(streams, self.device, ahead=False)).for_discriminator()
