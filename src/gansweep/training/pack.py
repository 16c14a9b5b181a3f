"""The training of K members at once. This is the algorithm box."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gansweep.data.order import Order
from gansweep.device import autocast
from gansweep.dynamics.alternating import Alternating
from gansweep.interfaces import Dynamics, Model
from gansweep.layers import Network, Pass
from gansweep.layers.mask import lots, mask
from gansweep.seeding import Streams
from gansweep.training.ahead import Ahead, Piece
from gansweep.training.divergence import Watch
from gansweep.training.joint import Joint
from gansweep.training.member import Member, side_by_side
from gansweep.training.objectives import DiscriminatorTerms, Objectives, PenaltyInputs
from gansweep.training.player import Player
from gansweep.training.scheduled import Scheduled

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


class Pack:
    """K members that share networks, data, batch size and critic steps, trained together.

    Members are kept in an order in which those who agree stand together; `place[k]` is the
    row of the k-th member given. A member's numbers do not depend on who else is in the pack,
    nor on how far the others are.

    >>> from gansweep.data.ring import Ring                            # doctest: +SKIP
    >>> pack = Pack([member], MLP(), Ring().samples, batch_size=64, critic_steps=1)
    >>> for report in pack.steps(): ...                                # doctest: +SKIP

    Args:
        members: what each of them chooses for itself.
        model: the pair of networks.
        samples: the data (N, ...), on the device to train on.
        batch_size: B.
        critic_steps: discriminator updates before each generator update.
        precision: fp32, tf32 or bf16, for the networks' passes.
        compiled: one graph of losses, gradient and update for each player.
        check_every: steps of a member between two looks at its parameters and samples.
        patience: looks in a row that must find a generator stuck, for the run to end.
        draw_ahead: random numbers of many steps at once; by itself, wherever it is no CPU.
        dynamics: how the players' gradients become steps; by themselves they take turns.
    """

    def __init__(
        self,
        members: Sequence[Member],
        model: Model,
        samples: Tensor,
        *,
        batch_size: int,
        critic_steps: int,
        precision: str = "fp32",
        compiled: bool = False,
        check_every: int = 25,
        patience: int = 4,
        draw_ahead: bool | None = None,
        dynamics: Dynamics | None = None,
    ) -> None:
        rows = side_by_side(members)
        self.place = [rows.index(k) for k in range(len(members))]
        self.members = [members[k] for k in rows]
        self.samples, self.batch_size, self.device = samples, batch_size, samples.device
        self.critic_steps, self.check_every, self.dynamics = critic_steps, check_every, dynamics or Alternating()
        turns = self.dynamics if isinstance(self.dynamics, Alternating) else Alternating()
        self.fresh_batches, self.fresh_latents = turns.fresh_batches, turns.fresh_latents
        self.generator_steps = turns.generator_steps
        self.latent_dim, self.precision = model.latent_dim, precision
        self.total_steps = [member.steps for member in self.members]
        self.done = [0] * len(self.members)  # and the same on the device, which is not waited for
        self.step, self.last = (torch.tensor(n, device=self.device) for n in (self.done, self.total_steps))
        self.streams = [Streams(member.seed, self.device) for member in self.members]
        shape = tuple(samples.shape[1:])
        self.g = self._player(model.generator(shape), "generator")
        self.d = self._player(model.discriminator(shape), "discriminator")
        self.objectives = Objectives(self.members, self.device)
        self.ahead = self._ahead(draw_ahead)
        self.watch = Watch(len(members), self.device, patience, self.g.network.ignores_input)
        self.ema = None
        if any(member.ema is not None for member in members):
            self.ema = [theta.clone() for theta in self.g.evaluated()]
        self.averaging = Scheduled([member.averaging for member in self.members], self.device)
        self._descend_d, self._descend_g = self._discriminator_step, self._generator_step
        if compiled:
            import torch._dynamo.config as dynamo  # takes two seconds

            # Every size of a pack and every mixture of objectives and rules has a graph of its own.
            dynamo.recompile_limit = max(dynamo.recompile_limit, GRAPHS)
            self._descend_d = torch.compile(self._discriminator_step, fullgraph=True, dynamic=False)
            self._descend_g = torch.compile(self._generator_step, fullgraph=True, dynamic=False)

    def _player(self, network: Any, name: str) -> Player:
        settings = [member.player(name) for member in self.members]
        return Player(network, settings, [stream[f"init/{name}"] for stream in self.streams])

    @torch.no_grad()
    def steps(self) -> Iterator[Report]:
        """Train until the first member has reached its end, and tell of every generator step."""
        while all(done < total for done, total in zip(self.done, self.total_steps, strict=True)):
            for one in (self.g.rates, self.d.rates, self.objectives, self.averaging):
                one.set(self.done, self.total_steps)
            self.done = [done + 1 for done in self.done]
            self.step += 1

            if self.dynamics.joint:
                d_terms, d_gradient, g_loss, g_gradient, fake = self._joint_step(self._draw_for_discriminator())
                self.watch.see(1, ~_finite(fake), self.step)
                self.watch.see(2, ~d_terms.loss.isfinite(), self.step)
            else:
                inputs = None
                for _ in range(self.critic_steps):
                    inputs = self._draw_for_discriminator(inputs)
                    d_terms, d_gradient, finite = self._descend_d(inputs)
                    self.watch.see(1, ~finite, self.step)
                    self.watch.see(2, ~d_terms.loss.isfinite(), self.step)
                assert inputs is not None  # critic_steps >= 1
                for _ in range(self.generator_steps):
                    g_loss, g_gradient, fake = self._descend_g(self._draw_for_generator(inputs))
            self.watch.see(3, ~g_loss.isfinite(), self.step)

            at_end = any(done == total for done, total in zip(self.done, self.total_steps, strict=True))
            if at_end or any(done % self.check_every == 0 for done in self.done):
                due = (self.step % self.check_every == 0) | (self.step == self.last)
                self.watch.check(due, self.step, self.g.finite(), self.d.finite(), fake, g_gradient)
            yield Report(list(self.done), d_terms, d_gradient, g_loss, g_gradient)

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
        return terms, gradient, _finite(fake)

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
        self._average()
        return loss, gradient, fake

    def _joint_step(self, given: DiscriminatorInputs) -> tuple[DiscriminatorTerms, Tensor, Tensor, Tensor, Tensor]:
        """Move both players at once, as the dynamics say."""
        game = Joint(self, given)
        self.dynamics(game)
        self._average()
        return game.report()

    def _average(self) -> None:
        if self.ema is not None:
            for average, theta in zip(self.ema, self.g.evaluated(), strict=True):
                average.lerp_(theta, self.averaging.now)

    def _ahead(self, draw_ahead: bool | None) -> dict[str, list[tuple[slice, Ahead]]]:
        """Say what every stream gives in a generator step, and to which rows."""
        size, device, steps = self.batch_size, self.device, self.critic_steps
        last = 0 if self.dynamics.joint else self.generator_steps  # draws of the generator's own moves
        batches, latents = (steps if self.fresh_batches else 1), (last if self.fresh_latents else 0)
        sample, everybody = tuple(self.samples.shape[1:]), slice(0, len(self.members))
        at_once = device.type == "cpu" if draw_ahead is None else not draw_ahead

        def drawn(draw: Callable[..., Tensor], *shape: int) -> Piece:
            def these(generator: torch.Generator, count: int) -> Tensor:
                return draw(count, size, *shape, generator=generator, device=device)

            return Piece(these, 4 * size * math.prod(shape))

        def masks(network: Network, rows: int) -> list[Piece]:
            return [
                Piece(partial(lots, draw, rows), 2 * rows * math.prod(draw.shape), partial(mask, draw))
                for draw in network.draws
            ]

        found: dict[str, list[tuple[slice, Ahead]]] = {}

        def stream(name: str, pieces: list[Piece], rows: slice = everybody) -> None:
            sources: list[Any] = [one[name] for one in self.streams[rows]]
            if name == "order":
                sources = [Order(len(self.samples), size, generator) for generator in sources]
            if pieces:
                found.setdefault(name, []).append((rows, Ahead(sources, pieces, device, at_once=at_once)))

        stream("order", [Piece(Order.next, 8 * size)] * batches)
        stream("latents", [drawn(torch.randn, self.latent_dim)] * (steps + latents))
        stream("dropout/generator", masks(self.g.network, size) * (steps + latents))
        stream("dropout/discriminator", masks(self.d.network, 2 * size) * steps + masks(self.d.network, size) * last)
        for n, one in enumerate(self.objectives.passes):
            for penalty, rows in one.kinds:
                shape = sample if penalty.noise == "entry" else (1,) * len(sample)
                stream(f"interpolation/{n}", [drawn(torch.rand, *shape)] * steps, rows)
            stream(f"dropout/penalty/{n}", masks(self.d.network, size) * steps, slice(0, one.count))
        if self.objectives.flip is not None:
            stream("flips", [drawn(torch.rand)] * steps)
        if self.objectives.noise is not None:
            stream("instance_noise", [drawn(torch.randn, *sample)] * (2 * steps + last))
        return found

    def _next(self, name: str) -> Tensor | None:
        """Return the next numbers of a stream that all members have, or nobody."""
        return self.ahead[name][0][1].next() if name in self.ahead else None

    def _masks(self, name: str, network: Network) -> list[Tensor]:
        return [self.ahead[name][0][1].next() for _ in network.draws]

    def _draw_for_discriminator(self, before: DiscriminatorInputs | None = None) -> DiscriminatorInputs:
        """Draw each member's batch, latents, masks and interpolation weights from its streams.

        `before` is what the discriminator's last move of this step was given.
        """
        penalties = [
            PenaltyInputs(
                [ahead.next() for _, ahead in self.ahead[f"interpolation/{n}"]],
                self._masks(f"dropout/penalty/{n}", self.d.network),
            )
            for n in range(len(self.objectives.passes))
        ]
        return DiscriminatorInputs(
            real=self.samples[self.ahead["order"][0][1].next()]
            if self.fresh_batches or before is None
            else before.real,
            z=self.ahead["latents"][0][1].next(),
            generator_masks=self._masks("dropout/generator", self.g.network),
            masks=self._masks("dropout/discriminator", self.d.network),
            penalties=penalties,
            flips=self._next("flips"),
            real_noise=self._next("instance_noise"),
            fake_noise=self._next("instance_noise"),
        )

    def draw_apart(self, under: str) -> DiscriminatorInputs:
        """Draw the numbers of a step from streams of their own, the same at every call.

        The training's streams stay where they are.
        """
        apart = copy(self)
        apart.streams = [Streams(member.seed, self.device, under) for member in self.members]
        apart.ahead = apart._ahead(draw_ahead=False)
        return apart._draw_for_discriminator()

    def _draw_for_generator(self, before: DiscriminatorInputs) -> GeneratorInputs:
        """Draw what the generators' step needs; relativistic ones see the last real batch again, as it was seen."""
        fresh = self.fresh_latents
        return GeneratorInputs(
            z=self.ahead["latents"][0][1].next() if fresh else before.z,
            generator_masks=self._masks("dropout/generator", self.g.network) if fresh else before.generator_masks,
            masks=self._masks("dropout/discriminator", self.d.network),
            real=self.objectives.seen(before.real, before.real_noise) if self.objectives.relativistic else None,
            noise=self._next("instance_noise"),
        )

    @torch.no_grad()
    def generate(self, k: int, num_samples: int, stream: str, batch_size: int = 500) -> Tensor:
        """Draw samples (N, ...) of member k in evaluation mode, from its average if it keeps one.

        Otherwise from the parameters by which its update rule is judged.

        The latents come from a stream that starts anew at every call, so that a member is
        always judged on the same ones and training never notices.
        """
        row = self.place[k]
        member = self.members[row]
        stretches = self.g.evaluated() if self.ema is None or member.ema is None else self.ema
        params = self.g.params([theta[row : row + 1] for theta in stretches])
        buffers = {name: buffer[row : row + 1] for name, buffer in self.g.buffers.items()}
        generator = Streams(member.seed, self.device)[stream]
        z = torch.randn(num_samples, self.latent_dim, generator=generator, device=self.device)
        state = Pass((), buffers, training=False)
        with autocast(self.device, self.precision):
            parts = [self.g.network(params, part[None], state)[0] for part in z.split(batch_size)]
        return torch.cat(parts).float()

    def tell(self, k: int, value: float, lower_is_better: bool) -> None:
        """Let the feedback of member k hear a value of its metric, before the next step's rates."""
        for player in (self.g, self.d):
            if player.gains is not None:
                player.gains.hear_metric(self.place[k], value, lower_is_better)

    def export(self, k: int) -> dict[str, Any]:
        """Return all that member k is, as tensors and plain values: it can go on elsewhere."""
        row = self.place[k]
        saved = {
            "step": self.done[row],
            "generator": self.g.export(row),
            "discriminator": self.d.export(row),
            "streams": {
                name: ahead.export(row - rows.start)
                for name, parts in self.ahead.items()
                for rows, ahead in parts
                if rows.start <= row < rows.stop
            },
            "strikes": self.watch.strikes[row].clone(),
        }
        if self.ema is not None and self.members[row].ema is not None:
            saved["ema"] = torch.cat([average[row] for average in self.ema])
        return saved

    def restore(self, k: int, saved: dict[str, Any]) -> None:
        """Put an exported member in the place of member k, at the step where it was."""
        row = self.place[k]
        self.done[row] = saved["step"]
        self.step[row] = saved["step"]
        self.g.restore(row, saved["generator"])
        self.d.restore(row, saved["discriminator"])
        for name, state in saved["streams"].items():
            for rows, ahead in self.ahead.get(name, ()):
                if rows.start <= row < rows.stop:
                    ahead.restore(row - rows.start, state, saved["step"])
        self.watch.strikes[row].copy_(saved["strikes"])
        if self.ema is not None and "ema" in saved:
            for average, value in zip(self.ema, self.g.in_stretches(saved["ema"]), strict=True):
                average[row].copy_(value)


def _finite(samples: Tensor) -> Tensor:
    return samples.flatten(1).isfinite().all(1)
