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

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gansweep.algorithms.adversarial.critic_steps import CriticSteps
from gansweep.algorithms.adversarial.graphs import compile_steps
from gansweep.algorithms.adversarial.joint import Joint, StepResult
from gansweep.algorithms.adversarial.random_inputs import DiscriminatorInputs, GeneratorInputs, RandomInputs
from gansweep.algorithms.adversarial.report import Report, scheduled_settings
from gansweep.batched.divergence import Cause
from gansweep.batched.member import Member
from gansweep.batched.objectives import DiscriminatorTerms, Objectives
from gansweep.batched.pack import Pack, PackSettings, finite
from gansweep.batched.random_streams import Draws
from gansweep.device import autocast
from gansweep.dynamics.alternating import Alternating
from gansweep.dynamics.position import Both
from gansweep.interfaces import Dynamics, Model, Schedule
from gansweep.layers import Pass
from gansweep.models.networks import networks_of


class AdversarialPack(Pack[Report]):
    """K independent GANs, each a generator and a discriminator, trained as one batch.

    Args:
        members: settings of every member.
        model: the pair of networks.
        samples: the data (N, ...), on the device to train on.
        settings: settings of every pack.
        critic_steps: discriminator updates before each generator update.
        critic_schedule: multiplier of `critic_steps`; all members have to be at the same step.
        dynamics: how the players' gradients become steps. Default: alternating.
        compiled: compile losses, gradient and update of each player into one graph.
        labels: class of every sample (N,), for a conditional model.
    """

    def __init__(
        self,
        members: Sequence[Member],
        model: Model,
        samples: Tensor,
        settings: PackSettings,
        *,
        critic_steps: int,
        critic_schedule: Schedule | None = None,
        dynamics: Dynamics | None = None,
        compiled: bool = False,
        labels: Tensor | None = None,
    ) -> None:
        networks = networks_of(model, samples, labels)
        super().__init__(members, samples, networks, model.latent_dim, settings, labels)
        self.dynamics = dynamics or Alternating()
        self.alternating = self.dynamics if isinstance(self.dynamics, Alternating) else Alternating()
        self.d, self.updates_d = self.players["discriminator"], [0] * len(self.members)
        self.memory = {name: self._zeros() for name in getattr(self.dynamics, "remembers", ())}
        self.objectives = Objectives(self.members, self.device)
        self.scheduled.append(self.objectives)
        self.critic_steps = critic_steps  # without the schedule
        self.scheduled_critic_steps = CriticSteps(critic_steps, critic_schedule, self.total_steps[0])
        self.random = self._random_inputs(self.draws, as_bits=compiled and self.device.type != "cpu")
        # The methods themselves, or their compiled graphs.
        self.call_generate = self._generated
        self.call_gradients_d, self.call_gradients_g = self._discriminator_gradients, self._generator_gradients
        self.call_update_d, self.call_update_g = self._discriminator_step, self._generator_step
        self.samples_at_once = self.device.type != "cpu" and not (self.g.network.couples_samples or self.g.buffers)
        if compiled:
            compile_steps(self)

    def play(self) -> Report:
        """Take one generator step: `critic_steps` discriminator updates and the generator update, or a joint update."""
        result = self._joint_step() if self.dynamics.joint else self._alternating_step()
        self.monitor.record(Cause.NON_FINITE_LOGITS, ~result.g_loss.isfinite(), self.step)
        self.check_divergence(result.fake, result.g_gradient)
        return Report(list(self.done), result.d_terms, result.d_gradient, result.g_loss, result.g_gradient)

    def _alternating_step(self) -> StepResult:
        """Update the discriminators `critic_steps` times, then the generators (algorithm 1)."""
        inputs = d_result = g_result = None
        for inputs in self._discriminator_inputs(self.scheduled_critic_steps.now(self.done, self.total_steps)):
            self._count_update()
            d_result = self.call_update_d(inputs)
        assert inputs is not None  # critic_steps >= 1
        assert d_result is not None
        for _ in range(self.alternating.generator_steps):
            g_result = self.call_update_g(self.random.for_generator(inputs))
        assert g_result is not None  # generator_steps >= 1
        return StepResult(*d_result, *g_result)

    def _discriminator_step(self, given: DiscriminatorInputs) -> tuple[DiscriminatorTerms, Tensor]:
        """Update the discriminators on game + penalties, with the generated samples detached.

        Returns the terms and the gradient norms, (K,) each.
        """
        gradients, grad_norm, terms = self.call_gradients_d(given)
        grad_norm = self.d.update(gradients, grad_norm, terms.game)
        self.objectives.clip_weights(self.d.chunks)
        return terms, grad_norm

    def _discriminator_gradients(
        self, given: DiscriminatorInputs
    ) -> tuple[Sequence[Tensor], Tensor | None, DiscriminatorTerms]:
        """Return the result of `Player.gradients` and the terms (K,); update running statistics and the monitor."""
        given, fake = self.random.finished(given), given.fake
        if fake is None:
            with autocast(self.device, self.precision):
                state = Pass(given.generator_masks, self.g.buffers, labels=given.labels)
                fake = self.g.network(self.g.params(), given.z, state)
            self.g.keep_buffers(state.updates)
            self.monitor.record(Cause.NON_FINITE_SAMPLES, ~finite(fake), self.step)
        real = self.objectives.discriminator_input(given.real, given.real_noise, given.real_augment)
        fake_input = self.objectives.discriminator_input(fake, given.fake_noise, given.fake_augment)

        if self.objectives.has_closed_form(self.d.network, given.labels):
            with autocast(self.device, self.precision):
                slots, terms = self.objectives.discriminator_gradients(
                    *(self.d.network, self.d.params(), real, fake_input, given.masks, given.penalties[0], given.flips)
                )
            self._monitor_discriminator(terms)
            return *self.d.of_slots(slots), terms

        def losses(psi: Sequence[Tensor]) -> tuple[Tensor, Any]:
            with autocast(self.device, self.precision):
                return self.objectives.discriminator(
                    *(self.d.network, psi, self.d.buffers, real, fake_input),
                    *(given.masks, given.penalties, given.flips, given.labels),
                )

        gradients, grad_norm, (terms, buffers) = self.d.gradients(losses)
        self.d.keep_buffers(buffers)
        self._monitor_discriminator(terms)
        return gradients, grad_norm, terms

    def _monitor_discriminator(self, d_terms: DiscriminatorTerms) -> None:
        """Record members with a non-finite discriminator loss as diverged."""
        self.monitor.record(Cause.NON_FINITE_LOSS, ~d_terms.loss.isfinite(), self.step)

    def _generator_step(self, given: GeneratorInputs) -> tuple[Tensor, Tensor, Tensor]:
        """Update the generators with the discriminators fixed; return losses (K,), gradient norms (K,) and samples."""
        gradients, grad_norm, loss, fake = self.call_gradients_g(given)
        grad_norm = self.g.update(gradients, grad_norm)
        self.average()
        return loss, grad_norm, fake

    def _generator_gradients(self, given: GeneratorInputs) -> tuple[Sequence[Tensor], Tensor | None, Tensor, Tensor]:
        """Return the result of `Player.gradients`, losses (K,) and samples; update running statistics."""
        given, psi = self.random.finished_of_generator(given), self.d.params()

        def losses(theta: Sequence[Tensor]) -> tuple[Tensor, Any]:
            state = Pass(given.generator_masks, self.g.buffers, labels=given.labels)
            with autocast(self.device, self.precision):
                fake = self.g.network(theta, given.z, state)
                fake_input = self.objectives.discriminator_input(fake, given.noise, given.augment)
                loss = self.objectives.generator(
                    self.d.network, psi, self.d.buffers, fake_input, given.masks, given.real, given.labels
                )
            return loss.sum(), (loss.detach(), fake.detach(), state.updates)

        gradients, grad_norm, (loss, fake, buffers) = self.g.gradients(losses)
        self.g.keep_buffers(buffers)
        return gradients, grad_norm, loss, fake

    def _joint_step(self) -> StepResult:
        """Update both players from the same parameters, as the dynamics define."""
        self._count_update()
        game = self.game(self.random.for_discriminator())
        self.dynamics(game)
        self.average()
        result = game.result()
        self.monitor.record(Cause.NON_FINITE_SAMPLES, ~finite(result.fake), self.step)
        self._monitor_discriminator(result.d_terms)
        return result

    def game(self, given: DiscriminatorInputs, *, read_only: bool = False) -> Joint:
        """Return the members' games for fixed random inputs; `read_only`: evaluate only."""
        return Joint(
            *(self.g, self.d, self.objectives, self.precision, given),
            read_only=read_only,
            step=self.step[:, None],
            memory=self.memory,
            third_derivatives=read_only or getattr(self.dynamics, "third_derivatives", False),
        )

    def _count_update(self) -> None:
        """Count a discriminator update (a step of joint dynamics), which decides which lazy penalties are due."""
        self.objectives.set_updates(self.updates_d)
        self.updates_d = [n + 1 for n in self.updates_d]

    def _discriminator_inputs(self, count: int) -> Iterator[DiscriminatorInputs]:
        """Yield the random inputs of the discriminator updates of a step, with their generated samples if possible.

        The generators do not change between them. On a CPU, products for all samples would round differently.
        """
        inputs, every = None, []
        if count == 1 or not self.samples_at_once:
            for _ in range(count):
                inputs = self.random.for_discriminator(inputs)
                yield inputs
            return
        for _ in range(count):
            inputs = self.random.for_discriminator(inputs)
            every += [inputs]
        for inputs, fake in zip(every, self.call_generate(every), strict=True):
            yield replace(inputs, fake=fake)

    def _generated(self, every: Sequence[DiscriminatorInputs]) -> Sequence[Tensor]:
        """Return the generated samples (K, B, ...) of several discriminator updates; update the monitor."""
        of_updates = [self.random.finished(given) for given in every]
        masks = [torch.cat(same, 1) for same in zip(*(given.generator_masks for given in of_updates), strict=True)]
        labels = [given.labels for given in every if given.labels is not None]
        with autocast(self.device, self.precision):
            z = torch.cat([given.z for given in of_updates], 1)
            fake = self.g.network(self.g.params(), z, Pass(masks, labels=torch.cat(labels, 1) if labels else None))
        self.monitor.record(Cause.NON_FINITE_SAMPLES, ~finite(fake), self.step)
        return fake.chunk(len(every), 1)

    def _zeros(self) -> Both:
        return Both(*(tuple(torch.zeros_like(theta) for theta in player.chunks) for player in (self.g, self.d)))

    def export(self, k: int) -> dict[str, Any]:
        """Return the complete state of member k, with the vectors that the dynamics store."""
        saved, row = super().export(k), self.place[k]
        for name, vector in self.memory.items():
            rows = {
                "generator": self.g.row(row, vector.generator),
                "discriminator": self.d.row(row, vector.discriminator),
            }
            saved.setdefault("dynamics", {})[name] = rows
        return saved

    def restore(self, k: int, saved: dict[str, Any]) -> None:
        """Restore member k from an exported state."""
        super().restore(k, saved)
        updates = saved["step"] if self.dynamics.joint else int(saved["discriminator"]["updates"])
        self.updates_d[self.place[k]] = updates
        for name, vector in self.memory.items():
            rows = saved["dynamics"][name]
            values = [*self.g.in_chunks(rows["generator"]), *self.d.in_chunks(rows["discriminator"])]
            for stored, value in zip(vector.parts, values, strict=True):
                stored[self.place[k]].copy_(value)

    def separate_inputs(self, stream: str) -> DiscriminatorInputs:
        """Return the random inputs of one discriminator step, drawn from streams whose names begin with `stream`.

        They are the same at every call. The states of the training's streams do not change.
        """
        streams = [member.streams(self.device, stream) for member in self.members]
        return self._random_inputs(Draws(streams, self.device)).for_discriminator()

    def _random_inputs(self, draws: Draws, *, as_bits: bool = False) -> RandomInputs:
        return RandomInputs(
            draws,
            self.samples,
            self.g.network,
            self.d.network,
            self.latent_dim,
            self.batch_size,
            self.objectives,
            self.alternating,
            updates_d=self.scheduled_critic_steps.counts,
            updates_g=0 if self.dynamics.joint else self.alternating.generator_steps,
            labels=self.labels,
            as_bits=as_bits,
        )

    def curves(self, report: Report, k: int) -> dict[str, Tensor]:
        """Return member k's losses, penalties, logits, gradient norms, learning rates and scheduled settings by tag."""
        row = self.place[k]
        curves = report.curves() | {"rate/discriminator": self.d.lr[:, 0], "rate/generator": self.g.lr[:, 0]}
        curves |= report.penalties(sorted(self.members[row].objective.penalties))
        return {tag: value[row] for tag, value in curves.items()} | scheduled_settings(self, row)

    def custom_scalars(self, k: int) -> dict[str, Tensor]:
        """Return theta and psi of member k if each network has a single parameter (Dirac-GAN), else nothing."""
        if (self.g.network.num_parameters, self.d.network.num_parameters) != (1, 1):
            return {}
        return {"theta": self.g.theta[self.place[k], 0], "psi": self.d.theta[self.place[k], 0]}
