"""Adversarial training of K members as one batch: the training step of a GAN.

    for each generator step:
        repeat critic_steps times:                    k of Goodfellow et al., n_critic of Gulrajani et al.
            x ~ data,  z ~ p(z),  u ~ U[0, 1]
            x_fake <- G(z; theta),  x_hat <- u x + (1 - u) x_fake
            L_D    <- mean_B [ game(D(x), D(x_fake)) + penalty(dD/dx (x_hat)) ]
            psi    <- rule_D(grad_psi L_D, psi, lr_d)
        z ~ p(z)
        L_G   <- mean_B [ game(D(G(z; theta); psi)) ]
        theta <- rule_G(grad_theta L_G, theta, lr)

Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1, without a penalty; Gulrajani et al. 2017, arXiv:1704.00028,
algorithm 1, with game = D(x_fake) - D(x), penalty = lambda (||dD/dx (x_hat)||_2 - 1)^2 and rule = Adam. `loss` chooses
game and penalties, `optimizer` the rules. Joint dynamics (`gansweep.dynamics`) replace the loop by one update of both
players from the same parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gansweep.algorithms.adversarial.critic_steps import critic_steps_at
from gansweep.algorithms.adversarial.joint import Joint
from gansweep.algorithms.adversarial.random_inputs import DiscriminatorInputs, GeneratorInputs, RandomInputs
from gansweep.batched.divergence import Cause
from gansweep.batched.member import Member
from gansweep.batched.objectives import DiscriminatorTerms, Objectives
from gansweep.batched.pack import Pack, both, finite
from gansweep.batched.random_streams import Draws
from gansweep.device import autocast
from gansweep.dynamics.alternating import Alternating
from gansweep.interfaces import Dynamics, Model, Schedule
from gansweep.layers import Pass
from gansweep.seeding import Streams

GRAPHS = 256  # compiled graphs per process, for the step of each player


@dataclass
class Report:
    """Values of one generator step, with one entry per row of the pack.

    `steps` counts each member's generator steps so far. `discriminator` belongs to the last critic step.
    """

    steps: list[int]
    discriminator: DiscriminatorTerms
    discriminator_gradient: Tensor
    generator_loss: Tensor
    generator_gradient: Tensor


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


class AdversarialPack(Pack[Report]):
    """K independent GANs, each a generator and a discriminator, trained as one batch.

    Args:
        members: settings of every member.
        model: the pair of networks.
        samples: the data (N, ...), on the device to train on.
        critic_steps: discriminator updates before each generator update.
        compiled: compile losses, gradient and update of each player into one graph.
        dynamics: how the players' gradients become steps. Default: alternating.
        critic_schedule: multiplier of `critic_steps`; all members have to be at the same step.
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

            # Each pack size and each combination of objectives and rules is compiled to a separate graph.
            dynamo.recompile_limit = max(dynamo.recompile_limit, GRAPHS)
            self._descend_d = torch.compile(self._discriminator_step, fullgraph=True, dynamic=False)
            self._descend_g = torch.compile(self._generator_step, fullgraph=True, dynamic=False)

    def play(self) -> Report:
        """Take one generator step: `critic_steps` discriminator updates and the generator update, or a joint update."""
        result = self._joint_step() if self.dynamics.joint else self._alternating_step()
        self.watch.see(Cause.NON_FINITE_LOGITS, ~result.g_loss.isfinite(), self.step)
        self.look(result.fake, result.g_gradient)
        return Report(list(self.done), result.d_terms, result.d_gradient, result.g_loss, result.g_gradient)

    def _alternating_step(self) -> StepResult:
        """Update the discriminators `critic_steps` times, then the generators (algorithm 1)."""
        inputs = d_result = g_result = None
        critic_steps = self.critic_steps_now()
        for _ in range(critic_steps):
            inputs = self.random.for_discriminator(inputs)
            d_result = self._descend_d(inputs)
            d_terms, _, finite_samples = d_result
            self._monitor(d_terms, finite_samples)
        assert inputs is not None and d_result is not None  # critic_steps >= 1
        self.random.leave_out(self.most_critic_steps - critic_steps)
        for _ in range(self.turns.generator_steps):
            g_result = self._descend_g(self.random.for_generator(inputs))
        assert g_result is not None  # generator_steps >= 1
        return StepResult(d_result[0], d_result[1], *g_result)

    def _joint_step(self) -> StepResult:
        """Update both players from the same parameters, as the dynamics define."""
        game = Joint(self, self.random.for_discriminator())
        self.dynamics(game)
        self.average()
        result = StepResult(*game.report())
        self._monitor(result.d_terms, finite(result.fake))
        return result

    def _monitor(self, d_terms: DiscriminatorTerms, finite_samples: Tensor) -> None:
        """Record members with non-finite samples or a non-finite discriminator loss as diverged."""
        self.watch.see(Cause.NON_FINITE_SAMPLES, ~finite_samples, self.step)
        self.watch.see(Cause.NON_FINITE_LOSS, ~d_terms.loss.isfinite(), self.step)

    def critic_steps_now(self) -> int:
        """Return the number of discriminator updates in the current step, equal for all members.

        Raises:
            ValueError: members are at different steps of a schedule.
        """
        at = {(done - 1, total) for done, total in zip(self.done, self.total_steps, strict=True)}
        counts = {critic_steps_at(self.critic_steps, self.critic_schedule, step, total) for step, total in at}
        if len(counts) > 1:
            raise ValueError(f"critic_schedule={self.critic_schedule!r}: expected all members at the same step")
        return counts.pop()

    def curves(self, report: Report, k: int) -> dict[str, Tensor]:
        """Return member k's losses, penalties, logits, gradient norms, learning rates and scheduled settings by tag."""
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
        """Return theta and psi of member k if each network has a single parameter (Dirac-GAN), else nothing."""
        if (self.g.network.num_parameters, self.d.network.num_parameters) != (1, 1):
            return {}
        row = self.place[k]
        return {"theta": self.g.theta[row].item(), "psi": self.d.theta[row].item()}

    def _scheduled(self, row: int) -> dict[str, Tensor]:
        """Return the scheduled settings of a row by tag."""
        member, values = self.members[row], dict[str, Tensor]()
        if member.penalty_schedule is not None:
            for name, penalty in zip(sorted(member.objective.penalties), self.objectives.passes, strict=False):
                values[f"schedule/weight of {name}"] = penalty.weights[row] * penalty.factors.now[row, 0]
        if member.noise_schedule is not None and self.objectives.noise is not None:
            values["schedule/instance noise"] = self.objectives.noise.now[row, 0]
        if member.ema_schedule is not None and member.ema is not None:
            values["schedule/decay of the average"] = 1 - self.averaging.now[row, 0]
        for name, player in self.players.items():
            if player.betas is not None and player.settings[row].beta_schedule is not None:
                values[f"schedule/beta of the {name}"] = player.betas.now[row, 0]
        if self.critic_schedule is not None:
            values["schedule/critic steps"] = torch.tensor(float(self.critic_steps_now()))
        return values

    def _discriminator_step(self, given: DiscriminatorInputs) -> tuple[DiscriminatorTerms, Tensor, Tensor]:
        """Update the discriminators on game + penalties, with the generated samples detached.

        Returns the terms (K,), the gradient norms (K,) and a (K,) mask: True where all generated samples are finite.
        """
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
        """Clamp the discriminators' parameters to the weight-clipping bounds of their objectives."""
        if self.objectives.clip is not None:
            for theta in self.d.stretches:
                theta.copy_(theta.clamp(-self.objectives.clip, self.objectives.clip))

    def _generator_step(self, given: GeneratorInputs) -> tuple[Tensor, Tensor, Tensor]:
        """Update the generators with the discriminators fixed; return losses (K,), gradient norms (K,) and samples."""
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

    def draw_apart(self, under: str) -> DiscriminatorInputs:
        """Return the random inputs of one discriminator step, drawn from separate streams.

        They are the same at every call. The states of the training's streams do not change.
        """
        streams = [Streams(member.seed, self.device, under) for member in self.members]
        return RandomInputs(self, Draws(streams, self.device, ahead=False)).for_discriminator()
