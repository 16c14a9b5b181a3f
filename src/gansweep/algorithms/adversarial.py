"""Two players against each other. This is the algorithm box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gansweep.algorithms.joint import Joint
from gansweep.device import autocast
from gansweep.dynamics.alternating import Alternating
from gansweep.dynamics.extragradient import ExtraGradient
from gansweep.interfaces import Averaging, Dynamics, Model, Schedule
from gansweep.layers import Pass
from gansweep.members.draws import Draws, masks_of, normal, uniform
from gansweep.members.member import Member
from gansweep.members.objectives import DiscriminatorTerms, Objectives, PenaltyInputs
from gansweep.members.pack import Pack, both, finite
from gansweep.seeding import Streams

if TYPE_CHECKING:
    from gansweep.training.run import Run

GRAPHS = 256  # that one process may compile of each player's step


@dataclass(frozen=True)
class Adversarial:
    """A discriminator tells real samples from generated ones, the generator answers.

    Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1. What the players want is the `loss`, how
    their gradients become steps are the `dynamics`.
    """

    def check(self, run: Run) -> None:
        """Raise ValueError if dynamics and rules can't play together."""
        if run.dynamics.joint and run.critic_steps != 1:
            raise ValueError(
                f"critic_steps={run.critic_steps}: {run.dynamics!r} moves both players at once, expected 1"
            )
        if run.dynamics.joint and run.critic_schedule is not None:
            raise ValueError(
                f"schedule_critic={run.critic_schedule!r}: {run.dynamics!r} moves both players at once, expected null"
            )
        if run.dynamics.joint and run.trainer.compile:
            raise ValueError(f"trainer.compile=true: {run.dynamics!r} can't be compiled, the alternating ones can")
        for player in (run.member.generator, run.member.discriminator):
            if run.trainer.compile and not player.rule.elementwise:
                raise ValueError(
                    f"trainer.compile=true: {player.rule!r} can't be compiled; rules that move every entry "
                    "on its own can, such as sgd, rmsprop and adam; or train with trainer.compile=false"
                )
            if isinstance(run.dynamics, ExtraGradient) and isinstance(player.rule, Averaging):
                raise ValueError(
                    f"dynamics={run.dynamics!r}: comes back from its look ahead, but {player.rule!r} keeps averages "
                    "that do not; expected another optimizer, or dynamics=alternating"
                )

    def pack(self, runs: Sequence[Run], samples: Tensor) -> AdversarialPack:
        """Put runs that share everything but their members side by side."""
        run = runs[0]
        return AdversarialPack.of(
            runs,
            samples,
            critic_steps=run.critic_steps,
            compiled=run.trainer.compile,
            dynamics=run.dynamics,
            critic_schedule=run.critic_schedule,
        )


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


@dataclass
class DiscriminatorInputs:
    """All that is random in one discriminator step, as data."""

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
    """All that is random in one generator step, as data."""

    z: Tensor
    generator_masks: list[Tensor]
    masks: list[Tensor]
    real: Tensor | None
    noise: Tensor | None


def critic_steps_at(critic_steps: int, schedule: Schedule | None, step: int, total_steps: int) -> int:
    """Multiply critic steps by a schedule: the nearest whole number, and 1 at least.

    >>> from gansweep.schedules.linspace import Linspace
    >>> [critic_steps_at(5, Linspace(1.0, 0.0), step, 6) for step in range(6)]
    [5, 4, 3, 2, 1, 1]
    """
    if schedule is None:
        return critic_steps
    return max(1, math.floor(critic_steps * schedule(step, total_steps) + 0.5))


class AdversarialPack(Pack[Report]):
    """K pairs of a generator and a discriminator, each pair a game of its own.

    >>> from gansweep.data.ring import Ring                            # doctest: +SKIP
    >>> pack = AdversarialPack([member], MLP(), Ring().samples, batch_size=64, critic_steps=1)
    >>> for report in pack.steps(): ...                                # doctest: +SKIP

    Args:
        members: what each of them chooses for itself.
        model: the pair of networks.
        samples: the data (N, ...), on the device to train on.
        critic_steps: discriminator updates before each generator update.
        compiled: one graph of losses, gradient and update for each player.
        draw_ahead: random numbers of many steps at once; by itself, wherever it is no CPU.
        dynamics: how the players' gradients become steps; by themselves they take turns.
        critic_schedule: multiplier of `critic_steps`; its members have to be at one and the same step.
        shared: batch_size, precision, check_every and patience, see `Pack`.
    """

    def __init__(
        self,
        members: Sequence[Member],
        model: Model,
        samples: Tensor,
        *,
        critic_steps: int,
        compiled: bool = False,
        draw_ahead: bool | None = None,
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
        self.draws = self._plan(draw_ahead)
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
            d_terms, d_gradient, g_loss, g_gradient, fake = self._joint_step(self._draw_for_discriminator())
            self.watch.see(1, ~finite(fake), self.step)
            self.watch.see(2, ~d_terms.loss.isfinite(), self.step)
        else:
            inputs, critic_steps = None, self.critic_steps_now()
            for _ in range(critic_steps):
                inputs = self._draw_for_discriminator(inputs)
                d_terms, d_gradient, all_finite = self._descend_d(inputs)
                self.watch.see(1, ~all_finite, self.step)
                self.watch.see(2, ~d_terms.loss.isfinite(), self.step)
            assert inputs is not None  # critic_steps >= 1
            self.draws.leave_out(self.most_critic_steps - critic_steps)
            for _ in range(self.turns.generator_steps):
                g_loss, g_gradient, fake = self._descend_g(self._draw_for_generator(inputs))
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
            fake = self.g.network(params, given.z, state)
            seen = self.objectives.seen(fake, given.noise)
            loss = self.objectives.generator(self.d.network, critic, self.d.buffers, seen, given.masks, given.real)
            return loss.sum(), (loss.detach(), fake.detach(), state.updates)

        with autocast(self.device, self.precision):
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

    def _plan(self, ahead: bool | None = None) -> Draws:
        """Say what a step takes of every stream, if it has as many critic steps as any."""
        size, device, steps, turns = self.batch_size, self.device, self.most_critic_steps, self.turns
        last = 0 if self.dynamics.joint else turns.generator_steps  # draws of the generator's own moves
        batches, latents = (steps if turns.fresh_batches else 1), (last if turns.fresh_latents else 0)
        sample, d = tuple(self.samples.shape[1:]), self.d.network
        draws = Draws(self.streams, device, ahead=ahead)
        of_g, of_d = len(self.g.network.draws), len(d.draws)
        draws.plan_batches(len(self.samples), size, batches, of_move=int(turns.fresh_batches))
        draws.plan("latents", [normal(size, self.latent_dim, device=device)] * (steps + latents), of_move=1)
        draws.plan("dropout/generator", masks_of(self.g.network, size) * (steps + latents), of_move=of_g)
        draws.plan("dropout/discriminator", masks_of(d, 2 * size) * steps + masks_of(d, size) * last, of_move=of_d)
        for n, one in enumerate(self.objectives.passes):
            for penalty, rows in one.kinds:
                shape = sample if penalty.noise == "entry" else (1,) * len(sample)
                draws.plan(f"interpolation/{n}", [uniform(size, *shape, device=device)] * steps, rows, of_move=1)
            draws.plan(f"dropout/penalty/{n}", masks_of(d, size) * steps, slice(0, one.count), of_move=of_d)
        if self.objectives.flip is not None:
            draws.plan("flips", [uniform(size, device=device)] * steps, of_move=1)
        if self.objectives.noise is not None:
            draws.plan("instance_noise", [normal(size, *sample, device=device)] * (2 * steps + last), of_move=2)
        return draws

    def _if_planned(self, name: str) -> Tensor | None:
        return self.draws.next(name) if name in self.draws else None

    def _draw_for_discriminator(self, before: DiscriminatorInputs | None = None) -> DiscriminatorInputs:
        """Draw each member's batch, latents, masks and interpolation weights from its streams.

        `before` is what the discriminator's last move of this step was given.
        """
        draws, d = self.draws, self.d.network
        penalties = [
            PenaltyInputs(draws.next_by_rows(f"interpolation/{n}"), draws.masks(f"dropout/penalty/{n}", d))
            for n in range(len(self.objectives.passes))
        ]
        return DiscriminatorInputs(
            real=self.samples[draws.next("order")] if self.turns.fresh_batches or before is None else before.real,
            z=draws.next("latents"),
            generator_masks=draws.masks("dropout/generator", self.g.network),
            masks=draws.masks("dropout/discriminator", d),
            penalties=penalties,
            flips=self._if_planned("flips"),
            real_noise=self._if_planned("instance_noise"),
            fake_noise=self._if_planned("instance_noise"),
        )

    def draw_apart(self, under: str) -> DiscriminatorInputs:
        """Draw the numbers of a step from streams of their own, the same at every call.

        The training's streams stay where they are.
        """
        apart = copy(self)
        apart.streams = [Streams(member.seed, self.device, under) for member in self.members]
        apart.draws = apart._plan(ahead=False)
        return apart._draw_for_discriminator()

    def _draw_for_generator(self, before: DiscriminatorInputs) -> GeneratorInputs:
        """Draw what the generators' step needs; relativistic ones see the last real batch again, as it was seen."""
        draws, fresh = self.draws, self.turns.fresh_latents
        return GeneratorInputs(
            z=draws.next("latents") if fresh else before.z,
            generator_masks=draws.masks("dropout/generator", self.g.network) if fresh else before.generator_masks,
            masks=draws.masks("dropout/discriminator", self.d.network),
            real=self.objectives.seen(before.real, before.real_noise) if self.objectives.relativistic else None,
            noise=self._if_planned("instance_noise"),
        )
