"""One stage of composite functional gradient learning (xICFG) of K members as one batch.

    for t = 1 ... T:
        repeat U times:  update D_t on real samples and G_{t-1}(z)
        G_t(z) = G_{t-1}(z) + eta dD_t/dx (G_{t-1}(z)),   G_0 = G~
    fit G~ to N pairs (z, G_T(z))

Johnson and Zhang 2018, arXiv:1801.06309, algorithms 1 to 3; differences from the paper: see `CFG`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gansweep.algorithms.breakdown import Guard
from gansweep.algorithms.cfg.approximators import Approximators, Fit
from gansweep.algorithms.cfg.functional_gradient import FunctionalGradientSteps, Snapshot
from gansweep.batched.divergence import Cause
from gansweep.batched.member import Member
from gansweep.batched.objectives import DiscriminatorTerms, Objectives
from gansweep.batched.pack import Pack, PackSettings, finite
from gansweep.batched.random_streams import normal, permutation
from gansweep.batched.scheduled import Gains, Scheduled
from gansweep.device import autocast
from gansweep.interfaces import Model
from gansweep.models.networks import networks_of


@dataclass
class Report:
    """Values of one stage, with one entry per row of the pack.

    `steps` counts each member's stages so far. `discriminator` belongs to the last update of D, `loss` is the mean
    over all updates of the stage. `generator_loss` is the game's loss of G_T for D_T; it is not minimised.
    """

    steps: list[int]
    discriminator: DiscriminatorTerms
    discriminator_gradient: Tensor
    loss: Tensor
    generator_loss: Tensor
    fit: Fit
    moved: Tensor
    rates: dict[str, Tensor]
    returns: Tensor | None


class CFGPack(Pack[Report]):
    """K approximators, their discriminators, and the functional gradient steps of the last stage.

    Args:
        members: settings of every member.
        model: the pair of networks.
        samples: the data (N, ...), on the device to train on.
        settings: settings of every pack; a step is a stage.
        algorithms: `CFG` of each member; they may differ in eta only.
        critic_steps: U, updates of the discriminator before each functional gradient step.
    """

    def __init__(
        self,
        members: Sequence[Member],
        model: Model,
        samples: Tensor,
        settings: PackSettings,
        *,
        algorithms: Sequence[Any],
        critic_steps: int,
    ) -> None:
        super().__init__(members, samples, networks_of(model, samples), model.latent_dim, settings)
        in_rows = [algorithms[self.place.index(row)] for row in range(len(algorithms))]
        self.algorithm, self.critic_steps = algorithms[0], critic_steps
        self.d, guard = self.players["discriminator"], self.algorithm.guard
        self.objectives = Objectives(self.members, self.device)
        self.eta = Scheduled([algorithm.eta_at for algorithm in in_rows], self.device)
        self.scheduled += [self.objectives, self.eta]
        self.eta_gains = Gains([algorithm.feedback_eta for algorithm in in_rows], self.device)
        self.guard = Guard(guard, len(members), self.device) if guard.enabled else None
        self.gradient_steps = FunctionalGradientSteps(self.d, self.algorithm.num_pushes)
        self._plan()
        self.approximators = Approximators(self.g, self.algorithm, self.batch_size, self.precision)
        self.start = self.approximators.fit_to_noise(self.members, self.latent_dim, tuple(samples.shape[1:]))
        self.origin = Snapshot(self.g)  # G_0 of the last stage

    def play(self) -> Report:
        """Train one stage: T functional gradient steps of all members, then the fit of their approximators."""
        a = self.algorithm
        self._set_rates()
        z, x = self._draw_pairs()
        first, losses, d_result = x[:, : self.batch_size], [], None
        for t in range(a.num_pushes):
            for update in range(self.critic_steps):
                real = self.samples[self.draws.next("order")]
                fake = self._current_samples(t, update, x)
                d_result = self._discriminator_step(real, fake)
                terms, _ = d_result
                losses.append(terms.game)
                self.monitor.record(Cause.NON_FINITE_SAMPLES, ~finite(fake), self.step)
                self.monitor.record(Cause.NON_FINITE_LOSS, ~terms.loss.isfinite(), self.step)
            self.gradient_steps.store(t)
            if a.pool:
                x = self._apply_steps(x, t, t + 1)

        assert d_result is not None  # num_pushes >= 1 and critic_steps >= 1
        terms, d_gradient = d_result
        target = x if a.pool else self._apply_steps(x, 0, a.num_pushes)
        batch = target[:, : self.batch_size]
        g_loss = self._generator_loss(batch)
        moved = (batch - first).abs().flatten(2).mean(2).mean(1)
        self.origin.take()
        fit = self.approximators.fit(z, target, [self.draws.next("shuffle") for _ in range(a.fit_epochs)])

        self.monitor.record(Cause.NON_FINITE_SAMPLES, ~fit.last.isfinite(), self.step)
        self.monitor.record(Cause.NON_FINITE_LOGITS, ~(g_loss + terms.real + terms.fake).isfinite(), self.step)
        self._check_logit_gap(terms)
        self.check_divergence(batch, fit.gradient)
        loss = torch.stack(losses).mean(0)
        self._restore_broken_members(loss, fit.last)
        self.reported = Report(
            list(self.done),
            terms,
            d_gradient,
            loss,
            g_loss,
            fit,
            moved,
            self.rates,
            None if self.guard is None else self.guard.returns.clone(),
        )
        return self.reported

    def curves(self, report: Report, k: int) -> dict[str, Tensor]:
        """Return member k's losses, penalties, logits, gradient norms, rates and fit statistics by tag."""
        row, d = self.place[k], report.discriminator
        names = sorted(self.members[row].objective.penalties)
        curves = {
            "loss/discriminator": report.loss,
            "loss/generator": report.generator_loss,
            "loss/approximator": report.fit.last,
            "loss/approximator in its first epoch": report.fit.first,
            "logits/real": d.real,
            "logits/fake": d.fake,
            "gradient norm/discriminator": report.discriminator_gradient,
            "gradient norm/generator": report.fit.gradient,
            "pushes/mean move": report.moved,
            "approximator/rate reductions": report.fit.decays,
            **{f"rate/{name}": rate[:, 0] for name, rate in report.rates.items()},
        } | {f"penalty/{name}": value for name, value in zip(names, d.penalties, strict=False)}
        if report.returns is not None:
            curves["guard/returns"] = report.returns
        return {tag: value[row] for tag, value in curves.items()}

    def custom_scalars(self, k: int) -> dict[str, Tensor]:
        """Return the losses of the breakdown criterion for the record."""
        row, report = self.place[k], self.reported
        losses = {"discriminator_loss": report.loss, "approximator_loss": report.fit.last}
        return {name: value[row] for name, value in losses.items()}

    def _set_rates(self) -> None:
        """Set eta and the learning rates of this stage from schedules, gains and the guard's factor."""
        factor = 1.0 if self.guard is None else self.guard.factor
        self.gradient_steps.eta.copy_(self.eta.now * self.eta_gains.now * factor)
        if self.guard is not None:
            self.d.rates.scale(self.guard.factor)
        for player in (self.g, self.d):
            player.set_rate()
        self.rates = {
            "generator": self.g.lr.clone(),
            "discriminator": self.d.lr.clone(),
            "eta": self.gradient_steps.eta.clone(),
        }

    def _draw_pairs(self) -> tuple[Tensor, Tensor]:
        """Draw N latents (K, N, latent_dim); return them and their samples G~(z) (K, N, ...)."""
        z = self.draws.next("pairs")
        return z, torch.cat([self.approximators(part) for part in z.split(self.batch_size, 1)], 1)

    def _apply_steps(self, x: Tensor, first: int, last: int) -> Tensor:
        """Apply functional gradient steps first + 1 ... last to samples (K, N, ...), in parts of the batch size."""
        with autocast(self.device, self.precision):
            return torch.cat([self.gradient_steps(part, first, last) for part in x.split(self.batch_size, 1)], 1)

    def _current_samples(self, t: int, update: int, pool: Tensor) -> Tensor:
        """Return a batch of samples G_t(z): of new latents, or from the pool, which already holds G_t(z)."""
        if not self.algorithm.pool:
            return self._apply_steps(self.approximators(self.draws.next("latents")), 0, t)
        first = (t * self.critic_steps + update) * self.batch_size
        return pool[:, torch.arange(first, first + self.batch_size, device=self.device) % pool.shape[1]]

    def _discriminator_step(self, real: Tensor, fake: Tensor) -> tuple[DiscriminatorTerms, Tensor]:
        """Update the discriminators on game + penalties; return the terms and the gradient norms (K,)."""
        penalties = self.objectives.draw_penalties(self.draws, self.d.network)

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            with autocast(self.device, self.precision):
                return self.objectives.discriminator(self.d.network, params, self.d.buffers, real, fake, (), penalties)

        (terms, buffers), gradient = self.d.descend(losses, lambda aux: aux[0].game)
        self.d.keep_buffers(buffers)
        return terms, gradient

    def _generator_loss(self, fake: Tensor) -> Tensor:
        """Return the generators' losses (K,) for generated samples and the current discriminators."""
        with autocast(self.device, self.precision):
            return self.objectives.generator(self.d.network, self.d.params(), self.d.buffers, fake, ())

    def _check_logit_gap(self, terms: DiscriminatorTerms) -> None:
        """Record members as diverged whose logit gap between real and generated samples exceeds `max_gap`."""
        if self.algorithm.max_gap is not None:
            wide = (terms.real - terms.fake).abs() > self.algorithm.max_gap
            self.monitor.record(Cause.LOGIT_GAP, wide & (self.step > self.algorithm.gap_after), self.step)

    def _restore_broken_members(self, d_loss: Tensor, fit_loss: Tensor) -> None:
        """Restore members that broke down to their saved state and reduce their rates; save the state of the others."""
        if self.guard is None:
            return
        for row, broken in enumerate(self.guard.broken(d_loss, fit_loss)):
            saved = self.guard.saved_states[row]
            if broken and saved is not None:
                for name, player in self.players.items():  # the feedback state is not reset
                    feedback = {} if player.gains is None else {"feedback": player.gains.export(row)}
                    player.restore(row, saved[name] | feedback)
                self._restore_stage(row, saved)
                self.guard.reduce_rates(row)
            elif not broken and self.guard.save_is_due(row, self.done[row]):
                players = {name: player.export(row) for name, player in self.players.items()}
                self.guard.saved_states[row] = players | self._export_stage(row)

    def evaluated(self, k: int) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return parameters and buffers of member k's approximator at the start of its last stage, (1, ...) each."""
        return self.origin.of(slice(self.place[k], self.place[k] + 1))

    @torch.no_grad()
    def generate(self, k: int, num_samples: int, stream: str, batch_size: int = 500) -> Tensor:
        """Return samples G_T(z) (N, ...) of member k; before its first stage G_0(z).

        Images are clipped to [-1, 1] here and only here, as in the authors' C++ code.
        """
        row = self.place[k]
        fake = super().generate(k, num_samples, stream, batch_size)
        if self.done[row]:
            size = self.batch_size if self.d.network.couples_samples else batch_size
            with autocast(self.device, self.precision):
                fake = torch.cat([self.gradient_steps.of(row, part[None])[0] for part in fake.split(size)])
        # Non-finite values are not clipped, so that they are detected.
        return torch.where(fake.isfinite(), fake.clamp(-1, 1), fake) if fake.ndim == 4 else fake

    def update_feedback(self, k: int, value: float, lower_is_better: bool) -> None:
        """Update the feedback of member k's rates and eta with a metric value. It applies from the next stage on."""
        super().update_feedback(k, value, lower_is_better)
        self.eta_gains.update_with_metric(self.place[k], value, lower_is_better)

    def export(self, k: int) -> dict[str, Any]:
        """Return the complete state of member k, including the discriminators of its last stage."""
        row = self.place[k]
        saved = super().export(k) | self._export_stage(row)
        gains = self.eta_gains.export(row)
        saved |= {} if gains is None else {"eta_feedback": gains}
        return saved | ({} if self.guard is None else {"guard": self.guard.export(row)})

    def restore(self, k: int, saved: dict[str, Any]) -> None:
        """Restore member k from an exported state."""
        super().restore(k, saved)
        row = self.place[k]
        self._restore_stage(row, saved)
        if "eta_feedback" in saved:
            self.eta_gains.restore(row, saved["eta_feedback"])
        if self.guard is not None:
            self.guard.restore(row, saved["guard"])

    def _export_stage(self, row: int) -> dict[str, Any]:
        """Return copies of the state that a member's samples depend on: origin and functional gradient steps."""
        return {"origin": self.origin.export(row), "pushes": self.gradient_steps.export(row)}

    def _restore_stage(self, row: int, saved: dict[str, Any]) -> None:
        """Restore the state exported by `_export_stage`."""
        self.origin.restore(row, saved["origin"])
        self.gradient_steps.restore(row, saved["pushes"])

    def _plan(self) -> None:
        """Register the random draws of a stage."""
        a, size, draws = self.algorithm, self.batch_size, self.draws
        updates = a.num_pushes * self.critic_steps
        draws.plan_batches(len(self.samples), size, updates)
        draws.plan("pairs", [normal(a.num_pairs, self.latent_dim)])
        draws.plan("shuffle", [permutation(a.num_pairs)] * a.fit_epochs)
        if not a.pool:
            draws.plan("latents", [normal(size, self.latent_dim)] * updates)
        self.objectives.plan_penalties(draws, self.d.network, tuple(self.samples.shape[1:]), size, updates)
