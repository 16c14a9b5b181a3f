"""Composite functional gradients: samples are pushed, a network learns where they went. This is the algorithm box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gansweep.algorithms.breakdown import Breakdown, Guard
from gansweep.algorithms.pushes import Pushes
from gansweep.algorithms.refuse import refuse
from gansweep.device import autocast
from gansweep.dynamics.alternating import Alternating
from gansweep.interfaces import Averaging, Feedback, Model, Schedule
from gansweep.layers import Pass
from gansweep.members.draws import Draws, normal, permutation, uniform
from gansweep.members.gains import Gains
from gansweep.members.member import Member
from gansweep.members.objectives import DiscriminatorTerms, Objectives, PenaltyInputs
from gansweep.members.pack import Pack, both, finite
from gansweep.members.scheduled import Scheduled
from gansweep.schedules.constant import Constant
from gansweep.seeding import Streams

if TYPE_CHECKING:
    from gansweep.training.run import Run


@dataclass(frozen=True)
class CFG:
    """Push generated samples along the slope of discriminators, and fit a network to where they went.

        D_t:  lowers the loss on real samples against G_{t-1}(z), for critic_steps (U) updates
        G_t(z) = G_{t-1}(z) + eta dD_t/dx (G_{t-1}(z)),   t = 1 ... T,   G_0 = G~
        G~:   lowers 1/2 mean_i || G~(z_i) - G_T(z_i) ||^2 over N pairs, by an optimizer that begins anew

    Johnson and Zhang 2018, arXiv:1801.06309, and the long version, IEEE TPAMI 43(1), 2021; details as in their
    PyTorch code. With logistic loss D estimates ln p*(x) / p_G(x), and a step along its slope lowers
    KL(p* || p_G); nobody plays against anybody. One step of a run is one stage of xICFG, as above. A large U
    trains every D_t to convergence (CFG), few stages of a large T are ICFG. Samples that are shown or measured are
    G_T(z) of the stage just played, from the G~ that it began with, cut off at [-1, 1]. G~ begins by imitating noise,
    clip(W^T z, -1, 1) with W ~ N(0, start_std^2). It generates with running statistics and is fitted
    with those of the batch; where D has batch norm, pushes are of batches as large as those it learns from.

    eta, its schedule and its feedback may differ between the members of a pack.

    Args:
        eta: base length of a push, multiplied by `schedule_eta` and what `feedback_eta` says.
        num_pushes: T.
        num_pairs: N.
        pool: one draw of N latents for a stage, which D learns from in batches and G~ is fitted to; else all new ones.
        fit_epochs: passes over the pairs.
        fit_decay: factor of the approximator's rate after an epoch whose mean loss has risen.
        max_fit_decays: times that it is applied in a stage, at most; the rate is back at the next one.
        start_std: of the entries of W.
        max_gap: between D's mean logits on real and on generated samples at the end of a stage; null for any.
        gap_after: stages in which it may be larger.
        guard: going back after a breakdown.
        schedule_eta: multiplier of eta.
        feedback_eta: a gain on eta that answers to the metric; null for 1.
    """

    eta: float = 0.5
    num_pushes: int = 15
    num_pairs: int = 640
    pool: bool = False
    fit_epochs: int = 10
    fit_decay: float = 0.1
    max_fit_decays: int = 3
    start_std: float = 0.01
    max_gap: float | None = 40.0
    gap_after: int = 2000
    guard: Breakdown = field(default_factory=Breakdown)
    schedule_eta: Schedule = field(default_factory=Constant)
    feedback_eta: Feedback | None = None

    def __post_init__(self) -> None:
        if not 0 < self.eta < math.inf:
            raise ValueError(f"eta={self.eta}: expected a number above 0, e.g. 0.5")
        for name in ("num_pushes", "num_pairs", "fit_epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number, at least 1")
        for name in ("max_fit_decays", "gap_after"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number, 0 or above")
        if not 0 < self.fit_decay <= 1:
            raise ValueError(f"fit_decay={self.fit_decay}: expected 0 < fit_decay <= 1")
        if not 0 <= self.start_std < math.inf:
            raise ValueError(f"start_std={self.start_std}: expected a number, 0 or above")
        if self.max_gap is not None and not self.max_gap > 0:
            raise ValueError(f"max_gap={self.max_gap}: expected a number above 0, or null for none")
        if self.feedback_eta is not None and self.feedback_eta.hears == "game":
            wrong = f"feedback_eta={self.feedback_eta!r}: hears the discriminator's loss and moves its rate alone"
            raise ValueError(f"{wrong}; expected plateau, or null")

    @property
    def hears_metric(self) -> bool:
        """Whether eta answers to the metric."""
        return self.feedback_eta is not None and self.feedback_eta.hears == "metric"

    def eta_at(self, step: int, total_steps: int) -> float:
        """Length of a push in a stage, before feedback."""
        return self.eta * self.schedule_eta(step, total_steps)

    def check(self, run: Run) -> None:
        """Raise ValueError if the run asks for something that this training does not have, naming all of it."""
        objective, rule = run.member.objective, run.member.generator.rule
        refused = [
            (
                run.dynamics != Alternating(),
                f"dynamics={run.dynamics!r}: there is no game that both players move in, expected dynamics=alternating",
            ),
            (
                run.critic_schedule is not None,
                f"schedule_critic={run.critic_schedule!r}: every push has as many updates, expected null",
            ),
            (run.trainer.compile, "trainer.compile=true: only algorithm=adversarial can be compiled"),
            (
                run.trainer.diagnose_every is not None,
                f"trainer.diagnose_every={run.trainer.diagnose_every}: there is no game's field here, expected null",
            ),
            (
                run.member.ema is not None,
                f"trainer.ema={run.member.ema}: pushes begin at the generator that they were made for, expected null",
            ),
            (
                isinstance(rule, Averaging),
                f"optimizer={rule!r}: keeps averages that every stage would forget, expected e.g. rmsprop or adam",
            ),
            (objective.game.relativistic, f"loss.game={objective.game!r}: pairs real samples with generated ones; {D}"),
            (objective.clip is not None, f"loss.clip={objective.clip}: pushes need slopes of any size; {D}"),
            (objective.flip > 0, f"loss.flip={objective.flip}: labels are as they are here, expected 0"),
            (
                objective.instance_noise > 0,
                f"loss.instance_noise={objective.instance_noise}: pushes are of samples without noise, expected 0",
            ),
        ]
        shape = tuple(run.data.sample_shape)
        draws = any(network.draws for network in (run.model.generator(shape), run.model.discriminator(shape)))
        refused.append((draws, f"model={run.model!r}: has dropout, expected networks without, e.g. model.dropout=0"))
        refuse(refused, "algorithm=cfg: goes with loss=standard model.dropout=0, as in experiment=cfg/mnist")
        try:
            self.schedule_eta.check(run.steps)
        except ValueError as error:
            raise ValueError(f"algorithm.schedule_eta: {error}") from None

    def pack(self, runs: Sequence[Run], samples: Tensor) -> CFGPack:
        """Put runs that share everything but their members, and eta, side by side."""
        boxes = [one.algorithm for one in runs if isinstance(one.algorithm, CFG)]
        return CFGPack.of(runs, samples, boxes=boxes, critic_steps=runs[0].critic_steps)


D = "expected loss=standard, or it with penalties, e.g. loss=r1"


@dataclass
class Report:
    """What happened in one stage; everything has one value per row of the pack.

    `steps` counts each member's stages so far. `discriminator` tells of the last update of D, `loss` of all
    of the stage in the mean. `generator_loss` is what the game says of G_T by D_T, and is lowered by nobody.
    """

    steps: list[int]
    discriminator: DiscriminatorTerms
    discriminator_gradient: Tensor
    loss: Tensor
    generator_loss: Tensor
    first_fit: Tensor
    last_fit: Tensor
    fit_decays: Tensor
    generator_gradient: Tensor
    moved: Tensor
    rates: dict[str, Tensor]
    returns: Tensor | None


@dataclass
class Fit:
    """How the approximator was fitted: mean losses of the first and the last epoch, and the last gradient."""

    first: Tensor
    last: Tensor
    decays: Tensor
    gradient: Tensor


class CFGPack(Pack[Report]):
    """K approximators, their discriminators, and the pushes of the stage just played.

    Args:
        members: what each of them chooses for itself.
        boxes: each one's settings, which differ in eta alone.
        model: the pair of networks.
        samples: the data (N, ...), on the device to train on.
        critic_steps: U, updates of the discriminator before each push.
        draw_ahead: random numbers of many stages at once; by itself, wherever it is no CPU.
        shared: batch_size, precision, check_every and patience, see `Pack`; a step is a stage.
    """

    def __init__(
        self,
        members: Sequence[Member],
        boxes: Sequence[CFG],
        model: Model,
        samples: Tensor,
        *,
        critic_steps: int,
        draw_ahead: bool | None = None,
        **shared: Any,
    ) -> None:
        super().__init__(members, samples, both(model, samples), model.latent_dim, **shared)
        in_rows = [boxes[self.place.index(row)] for row in range(len(boxes))]
        self.box, self.critic_steps = boxes[0], critic_steps
        self.d = self.players["discriminator"]
        self.objectives = Objectives(self.members, self.device)
        self.eta = Scheduled([box.eta_at for box in in_rows], self.device)
        self.courses += [self.objectives, self.eta]
        self.eta_gains = Gains([box.feedback_eta for box in in_rows], self.device)
        self.guard = Guard(self.box.guard, len(members), self.device) if self.box.guard.enabled else None
        self.pushes = Pushes(self.d, self.box.num_pushes)
        self.draws = self._plan(draw_ahead)
        self._start()
        self.origin = self._approximators()

    def play(self) -> Report:
        """Play one stage: T functional steps of all members, then fit their approximators."""
        self._settle_rates()
        z, x = self._latents_of_stage()
        first, losses = x[:, : self.batch_size], []
        for t in range(self.box.num_pushes):
            for update in range(self.critic_steps):
                real = self.samples[self.draws.next("order")]
                fake = self._pushed_so_far(t, update, x)
                terms, d_gradient = self._discriminator_step(real, fake)
                losses.append(terms.game)
                self.watch.see(1, ~finite(fake), self.step)
                self.watch.see(2, ~terms.loss.isfinite(), self.step)
            self.pushes.store(t)
            if self.box.pool:
                x = self._pushed(x, t, t + 1)

        target = x if self.box.pool else self._pushed(x, 0, self.box.num_pushes)
        batch = target[:, : self.batch_size]
        g_loss = self._generator_loss(batch)
        moved = (batch - first).abs().flatten(2).mean(2).mean(1)
        self.origin = self._approximators()
        fit = self._fit(z, target, [self.draws.next("shuffle") for _ in range(self.box.fit_epochs)])

        self.watch.see(1, ~fit.last.isfinite(), self.step)
        self.watch.see(3, ~(g_loss + terms.real + terms.fake).isfinite(), self.step)
        self._look_at_gap(terms)
        self.look(batch, fit.gradient)
        loss = torch.stack(losses).mean(0)
        self._go_back_where_broken(loss, fit.last)
        self.reported = Report(
            list(self.done),
            terms,
            d_gradient,
            loss,
            g_loss,
            fit.first,
            fit.last,
            fit.decays,
            fit.gradient,
            moved,
            self.rates,
            None if self.guard is None else self.guard.returns.clone(),
        )
        return self.reported

    def curves(self, report: Report, k: int) -> dict[str, Tensor]:
        """Name member k's losses, penalties, logits, gradients, rates and what the fit was like."""
        row, d = self.place[k], report.discriminator
        names = sorted(self.members[row].objective.penalties)
        curves = {
            "loss/discriminator": report.loss,
            "loss/generator": report.generator_loss,
            "loss/approximator": report.last_fit,
            "loss/approximator in its first epoch": report.first_fit,
            "logits/real": d.real,
            "logits/fake": d.fake,
            "gradient norm/discriminator": report.discriminator_gradient,
            "gradient norm/generator": report.generator_gradient,
            "pushes/mean move": report.moved,
            "approximator/rate reductions": report.fit_decays,
            **{f"rate/{name}": rate[:, 0] for name, rate in report.rates.items()},
        } | {f"penalty/{name}": value for name, value in zip(names, d.penalties, strict=False)}
        if report.returns is not None:
            curves["guard/returns"] = report.returns
        return {tag: value[row] for tag, value in curves.items()}

    def kept(self, k: int) -> dict[str, float]:
        """Name the losses that warn of a breakdown, for the record."""
        row, report = self.place[k], self.reported
        losses = {"discriminator_loss": report.loss, "approximator_loss": report.last_fit}
        return {name: float(value[row]) for name, value in losses.items()}

    def _settle_rates(self) -> None:
        """Put schedule, gain and guard together for this stage."""
        factor = 1.0 if self.guard is None else self.guard.factor
        self.pushes.eta.copy_(self.eta.now * self.eta_gains.now * factor)
        self.d.rates.now.mul_(factor)
        for player in (self.g, self.d):
            player.react(None)
        self.rates = {
            "generator": self.g.lr.clone(),
            "discriminator": self.d.lr.clone(),
            "eta": self.pushes.eta.clone(),
        }

    def _latents_of_stage(self) -> tuple[Tensor, Tensor]:
        """Draw N latents (K, N, latent_dim) and make G~'s samples of them."""
        z = self.draws.next("pairs")
        return z, torch.cat([self._generated(part) for part in z.split(self.batch_size, 1)], 1)

    def _generated(self, z: Tensor) -> Tensor:
        """Return G~(z) with running statistics, for z (K, B, latent_dim)."""
        with autocast(self.device, self.precision):
            fake = self.g.network(self.g.params(), z, Pass((), self.g.buffers, training=False))
        return fake.float()

    def _pushed(self, x: Tensor, first: int, last: int) -> Tensor:
        """Push samples (K, N, ...), as many at a time as are in a batch."""
        with autocast(self.device, self.precision):
            return torch.cat([self.pushes(part, first, last) for part in x.split(self.batch_size, 1)], 1)

    def _pushed_so_far(self, t: int, update: int, pool: Tensor) -> Tensor:
        """Return a batch of G_t's samples: of new latents, or of the pool, whose samples are pushed so far already."""
        if not self.box.pool:
            return self._pushed(self._generated(self.draws.next("latents")), 0, t)
        first = (t * self.critic_steps + update) * self.batch_size
        return pool[:, torch.arange(first, first + self.batch_size, device=self.device) % pool.shape[1]]

    def _discriminator_step(self, real: Tensor, fake: Tensor) -> tuple[DiscriminatorTerms, Tensor]:
        """Lower game + penalties by the discriminators' parameters, on samples held fixed."""
        given = [
            PenaltyInputs(self.draws.next_by_rows(f"interpolation/{n}")) for n in range(len(self.objectives.passes))
        ]

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            return self.objectives.discriminator(self.d.network, params, self.d.buffers, real, fake, (), given)

        with autocast(self.device, self.precision):
            (terms, buffers), gradient = self.d.descend(losses, lambda kept: kept[0].game)
        self.d.keep_buffers(buffers)
        return terms, gradient

    def _generator_loss(self, fake: Tensor) -> Tensor:
        """Return what the game says to generated samples, by the discriminators as they are."""
        with autocast(self.device, self.precision):
            return self.objectives.generator(self.d.network, self.d.params(), self.d.buffers, fake, ())

    def _fit(self, z: Tensor, target: Tensor, orders: Sequence[Tensor]) -> Fit:
        """Fit G~ to pairs, in the order (K, N) of every epoch, by rules that begin anew.

        The rates fall where the mean loss of an epoch has risen; the next stage takes its own from the schedule.
        """
        self.g.forget()
        rows = torch.arange(len(z), device=self.device)[:, None]
        decays, means = torch.zeros(len(z), 1, device=self.device), []
        for order in orders:
            parts = order.split(self.batch_size, 1)
            total = torch.zeros(len(z), device=self.device)
            for at in parts:
                loss, gradient = self._approximator_step(z[rows, at], target[rows, at])
                total += loss
            means.append(total / len(parts))
            if len(means) > 1:
                risen = (means[-1] > means[-2])[:, None] & (decays < self.box.max_fit_decays)
                self.g.rates.now.mul_(torch.where(risen, self.box.fit_decay, 1.0))
                decays += risen
        return Fit(means[0], means[-1], decays[:, 0], gradient)

    def _approximator_step(self, z: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Lower the approximators' loss (K,) on a batch of pairs."""

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            state = Pass((), self.g.buffers)
            loss = half_square(self.g.network(params, z, state), target)
            return loss.sum(), (loss.detach(), state.updates)

        with autocast(self.device, self.precision):
            (loss, buffers), gradient = self.g.descend(losses)
        self.g.keep_buffers(buffers)
        return loss, gradient

    def _start(self) -> None:
        """Fit G~ to clip(W^T z, -1, 1), from streams that are never drawn from again."""
        box, shape = self.box, tuple(self.samples.shape[1:])
        apart = [Streams(member.seed, self.device, "start/") for member in self.members]
        draws = Draws(apart, self.device, ahead=False)
        draws.plan("projection", [normal(self.latent_dim, math.prod(shape), device=self.device)])
        draws.plan("latents", [normal(box.num_pairs, self.latent_dim, device=self.device)])
        draws.plan("shuffle", [permutation(box.num_pairs, device=self.device)] * box.fit_epochs)
        w, z = draws.next("projection") * box.start_std, draws.next("latents")
        noise = torch.stack([one @ own for one, own in zip(z, w, strict=True)]).clamp(-1, 1)
        self.g.rates.set([0] * len(z), self.total_steps)
        self.g.react(None)
        self.start = self._fit(
            z, noise.view(*z.shape[:2], *shape), [draws.next("shuffle") for _ in range(box.fit_epochs)]
        )

    def _look_at_gap(self, terms: DiscriminatorTerms) -> None:
        """End members whose discriminator tells real from generated samples beyond all measure."""
        if self.box.max_gap is not None:
            wide = (terms.real - terms.fake).abs() > self.box.max_gap
            self.watch.see(8, wide & (self.step > self.box.gap_after), self.step)

    def _go_back_where_broken(self, d_loss: Tensor, fit_loss: Tensor) -> None:
        """Return members that broke down to a sound state, and slow them down."""
        if self.guard is None:
            return
        for row, broken in enumerate(self.guard.broken(d_loss, fit_loss)):
            sound = self.guard.sound[row]
            if broken and sound is not None:
                for name, player in self.players.items():  # what feedback has heard since stays
                    heard = {} if player.gains is None else {"feedback": player.gains.export(row)}
                    player.restore(row, sound[name] | heard)
                self._restore_stage(row, sound)
                self.guard.slow_down(row)
            elif not broken and self.guard.wants(row, self.done[row]):
                players = {name: player.export(row) for name, player in self.players.items()}
                self.guard.sound[row] = players | self._export_stage(row)

    def _approximators(self) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return copies of G~'s stretches and buffers, which the pushes of a stage begin at."""
        return [theta.clone() for theta in self.g.stretches], {n: b.clone() for n, b in self.g.buffers.items()}

    def judged(self, k: int) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return the approximator that member k's last stage began with, (1, ...) of every slot and buffer."""
        own, (stretches, buffers) = slice(self.place[k], self.place[k] + 1), self.origin
        return self.g.params([theta[own] for theta in stretches]), {name: b[own] for name, b in buffers.items()}

    @torch.no_grad()
    def generate(self, k: int, num_samples: int, stream: str, batch_size: int = 500) -> Tensor:
        """Make samples G_T(z) (N, ...) of member k; before its first stage G_0(z).

        Images are cut off at [-1, 1] here and only here, as in the authors' C++ code.
        """
        row = self.place[k]
        fake = super().generate(k, num_samples, stream, batch_size)
        if self.done[row]:
            size = self.batch_size if self.d.network.couples_samples else batch_size
            with autocast(self.device, self.precision):
                fake = torch.cat([self.pushes.of(row, part[None])[0] for part in fake.split(size)])
        # What is infinite stays so: it has to be seen.
        return torch.where(fake.isfinite(), fake.clamp(-1, 1), fake) if fake.ndim == 4 else fake

    def tell(self, k: int, value: float, lower_is_better: bool) -> None:
        """Let the rates and eta of member k hear a value of its metric, before the next stage."""
        super().tell(k, value, lower_is_better)
        self.eta_gains.hear_metric(self.place[k], value, lower_is_better)

    def export(self, k: int) -> dict[str, Any]:
        """Return all that member k is, the discriminators of its last stage among it."""
        row = self.place[k]
        saved = super().export(k) | self._export_stage(row)
        gains = self.eta_gains.export(row)
        saved |= {} if gains is None else {"eta_feedback": gains}
        return saved | ({} if self.guard is None else {"guard": self.guard.export(row)})

    def restore(self, k: int, saved: dict[str, Any]) -> None:
        """Put an exported member in the place of member k."""
        super().restore(k, saved)
        row = self.place[k]
        self._restore_stage(row, saved)
        if "eta_feedback" in saved:
            self.eta_gains.restore(row, saved["eta_feedback"])
        if self.guard is not None:
            self.guard.restore(row, saved["guard"])

    def _export_stage(self, row: int) -> dict[str, Any]:
        """Return copies of what a member's samples are made with: its origin and its pushes."""
        stretches, buffers = self.origin
        origin: dict[str, Any] = {"theta": torch.cat([theta[row] for theta in stretches])}
        origin |= {"buffers": {name: buffer[row].clone() for name, buffer in buffers.items()}}
        return {"origin": origin, "pushes": self.pushes.export(row)}

    def _restore_stage(self, row: int, saved: dict[str, Any]) -> None:
        """Put them in place."""
        stretches, buffers = self.origin
        for theta, value in zip(stretches, self.g.in_stretches(saved["origin"]["theta"]), strict=True):
            theta[row].copy_(value)
        for name, value in saved["origin"]["buffers"].items():
            buffers[name][row].copy_(value)
        self.pushes.restore(row, saved["pushes"])

    def _plan(self, ahead: bool | None) -> Draws:
        """Say what a stage takes of every stream."""
        box, size, device, sample = self.box, self.batch_size, self.device, tuple(self.samples.shape[1:])
        updates = box.num_pushes * self.critic_steps
        draws = Draws(self.streams, device, ahead=ahead)
        draws.plan_batches(len(self.samples), size, updates)
        draws.plan("pairs", [normal(box.num_pairs, self.latent_dim, device=device)])
        draws.plan("shuffle", [permutation(box.num_pairs, device=device)] * box.fit_epochs)
        if not box.pool:
            draws.plan("latents", [normal(size, self.latent_dim, device=device)] * updates)
        for n, one in enumerate(self.objectives.passes):
            for penalty, rows in one.kinds:
                shape = sample if penalty.noise == "entry" else (1,) * len(sample)
                draws.plan(f"interpolation/{n}", [uniform(size, *shape, device=device)] * updates, rows)
        return draws


def half_square(fake: Tensor, target: Tensor) -> Tensor:
    """Return 1/2 mean_i || fake_i - target_i ||^2 (K,) of samples (K, B, ...).

    >>> half_square(torch.zeros(1, 4, 1, 32, 32), torch.ones(1, 4, 1, 32, 32))
    tensor([512.])
    """
    return (fake - target).square().flatten(2).sum(2).mean(1) / 2
