"""K members side by side: what every algorithm that trains them together is built on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

import torch
from torch import Tensor

from gansweep.batched.divergence import Watch
from gansweep.batched.member import Member, side_by_side
from gansweep.batched.player import Player
from gansweep.batched.random_streams import Draws
from gansweep.batched.scheduled import Scheduled
from gansweep.device import autocast
from gansweep.layers import Network, Pass
from gansweep.seeding import Streams

if TYPE_CHECKING:
    from gansweep.interfaces import Model
    from gansweep.training.run import Run


class Report(Protocol):
    """What is told of a step; `steps` counts each row's steps so far."""

    steps: list[int]


R = TypeVar("R", bound=Report)
P = TypeVar("P", bound="Pack[Any]")


class Pack(ABC, Generic[R]):
    """K members that share networks, data and batch size, trained together by one algorithm.

    Members are kept in an order in which those who agree stand together; `place[k]` is the
    row of the k-th member given. A member's numbers do not depend on who else is in the pack,
    nor on how far the others are.

    A subclass is made of members, a `model`, `samples` and settings of its own, and hands the settings below on.
    An algorithm says what a step is (`play`), what it takes of the streams (`draws`) and which
    curves it has; it exports and restores what it remembers besides.

    Args:
        members: what each of them chooses for itself.
        samples: the data (N, ...), on the device to train on.
        networks: by the player's name, the generator among them.
        latent_dim: length of z.
        batch_size: B.
        precision: fp32, tf32 or bf16, for the networks' passes.
        check_every: steps of a member between two looks at its parameters and samples.
        patience: looks in a row that must find a generator stuck, for the run to end.
        draw_ahead: random numbers of many steps at once; by itself, wherever it is no CPU.
    """

    def __init__(
        self,
        members: Sequence[Member],
        samples: Tensor,
        networks: Mapping[str, Network],
        latent_dim: int,
        *,
        batch_size: int,
        precision: str = "fp32",
        check_every: int = 25,
        patience: int = 4,
        draw_ahead: bool | None = None,
    ) -> None:
        rows = side_by_side(members)
        self.place = [rows.index(k) for k in range(len(members))]
        self.members = [members[k] for k in rows]
        self.samples, self.batch_size, self.device = samples, batch_size, samples.device
        self.latent_dim, self.precision, self.check_every = latent_dim, precision, check_every
        self.total_steps = [member.steps for member in self.members]
        self.done = [0] * len(self.members)  # and the same on the device, which is not waited for
        self.step, self.last = (torch.tensor(n, device=self.device) for n in (self.done, self.total_steps))
        self.streams = [Streams(member.seed, self.device) for member in self.members]
        self.draws = Draws(self.streams, self.device, ahead=draw_ahead)
        self.players = {name: self._player(network, name) for name, network in networks.items()}
        self.g = self.players["generator"]
        self.watch = Watch(len(members), self.device, patience, self.g.network.ignores_input)
        self.ema = None
        if any(member.ema is not None for member in members):
            self.ema = [theta.clone() for theta in self.g.evaluated()]
        self.averaging = Scheduled([member.averaging for member in self.members], self.device)
        self.courses: list[Any] = [self.averaging, *(one for player in self.players.values() for one in player.courses)]

    def _player(self, network: Network, name: str) -> Player:
        settings = [member.player(name) for member in self.members]
        return Player(network, settings, [stream[f"init/{name}"] for stream in self.streams])

    @classmethod
    def of(cls: type[P], runs: Sequence[Run], samples: Tensor, **own: Any) -> P:
        """Put runs that share everything but their members side by side.

        Args:
            runs: one per member.
            samples: the data, on the device to train on.
            own: what this algorithm's packs are told besides.
        """
        run, make = runs[0], cast("Callable[..., P]", cls)
        return make(
            [one.member for one in runs],
            model=run.model,
            samples=samples,
            batch_size=run.batch_size,
            precision=run.precision,
            check_every=run.trainer.check_every,
            patience=run.trainer.patience,
            **own,
        )

    @abstractmethod
    def play(self) -> R:
        """Take one step of every member, and tell of it."""

    @abstractmethod
    def curves(self, report: R, k: int) -> dict[str, Tensor]:
        """Name member k's numbers of a step; reading them waits for the device."""

    def kept(self, k: int) -> dict[str, float]:
        """Name numbers about member k's training that belong into its record, after a step.

        They are asked for where the curves have points.
        """
        return {}

    def pictures(self, k: int) -> dict[str, Tensor]:
        """Name samples (N, ...) of member k beside those of its generator, to be shown after a step."""
        return {}

    @torch.no_grad()
    def steps(self) -> Iterator[R]:
        """Train until the first member has reached its end, and tell of every step."""
        while all(done < total for done, total in zip(self.done, self.total_steps, strict=True)):
            for course in self.courses:
                course.set(self.done, self.total_steps)
            self.done = [done + 1 for done in self.done]
            self.step += 1
            yield self.play()

    def look(self, fake: Tensor, generator_gradient: Tensor) -> None:
        """Look for divergence that is not in the losses, where a look is due.

        Args:
            fake: samples (K, B, ...) of this step.
            generator_gradient: norm (K,) of the generator's gradient.
        """
        at_end = any(done == total for done, total in zip(self.done, self.total_steps, strict=True))
        if at_end or any(done % self.check_every == 0 for done in self.done):
            due = (self.step % self.check_every == 0) | (self.step == self.last)
            self.watch.check(
                due,
                self.step,
                self.g.finite(),
                torch.stack([player.finite() for player in self.players.values()]).all(0),
                fake,
                generator_gradient,
            )

    def average(self) -> None:
        """Let the generators' averages take over their share of this step."""
        if self.ema is not None:
            for average, theta in zip(self.ema, self.g.evaluated(), strict=True):
                average.lerp_(theta, self.averaging.now)

    def judged(self, k: int) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return member k's generator, (1, ...) of every slot and buffer, as it is judged.

        That is its average if it keeps one, else the parameters by which its update rule is judged.
        """
        row = self.place[k]
        stretches = self.g.evaluated() if self.ema is None or self.members[row].ema is None else self.ema
        params = self.g.params([theta[row : row + 1] for theta in stretches])
        return params, {name: buffer[row : row + 1] for name, buffer in self.g.buffers.items()}

    def latents(self, k: int, num_samples: int, stream: str) -> Tensor:
        """Draw z (N, latent_dim) from a stream that starts anew at every call.

        A member is thus always judged on the same ones, and training never notices.
        """
        generator = Streams(self.members[self.place[k]].seed, self.device)[stream]
        return torch.randn(num_samples, self.latent_dim, generator=generator, device=self.device)

    @torch.no_grad()
    def mapped(self, k: int, inputs: Tensor, batch_size: int = 500) -> Tensor:
        """Let member k's generator, as it is judged, map inputs (N, ...) in evaluation mode."""
        params, buffers = self.judged(k)
        state = Pass((), buffers, training=False)
        with autocast(self.device, self.precision):
            parts = [self.g.network(params, part[None], state)[0] for part in inputs.split(batch_size)]
        return torch.cat(parts)

    def generate(self, k: int, num_samples: int, stream: str, batch_size: int = 500) -> Tensor:
        """Make samples (N, ...) of member k in evaluation mode, from the latents of a stream."""
        return self.mapped(k, self.latents(k, num_samples, stream), batch_size)

    def pictured(self, k: int, num_samples: int) -> Tensor:
        """Make what a picture of member k shows, eight in a row."""
        return self.generate(k, num_samples, "pictures")

    def tell(self, k: int, value: float, lower_is_better: bool) -> None:
        """Let the feedback of member k hear a value of its metric, before the next step's rates."""
        for player in self.players.values():
            if player.gains is not None:
                player.gains.hear_metric(self.place[k], value, lower_is_better)

    def measured(self, k: int) -> dict[str, float]:
        """Return what the algorithm itself measures of member k, for every evaluation; by itself nothing."""
        return {}

    def export(self, k: int) -> dict[str, Any]:
        """Return all that member k is, as tensors and plain values: it can go on elsewhere."""
        row = self.place[k]
        saved: dict[str, Any] = {"step": self.done[row]}
        saved |= {name: player.export(row) for name, player in self.players.items()}
        saved |= {"streams": self.draws.export(row), "watch": self.watch.export(row)}
        if self.ema is not None and self.members[row].ema is not None:
            saved["ema"] = torch.cat([average[row] for average in self.ema])
        return saved

    def restore(self, k: int, saved: dict[str, Any]) -> None:
        """Put an exported member in the place of member k, at the step where it was."""
        row = self.place[k]
        self.done[row] = saved["step"]
        self.step[row] = saved["step"]
        for name, player in self.players.items():
            player.restore(row, saved[name])
        self.draws.restore(row, saved["streams"], saved["step"])
        # Checkpoints of before hold strikes alone.
        self.watch.restore(row, saved["watch"] if "watch" in saved else {"strikes": saved["strikes"]})
        if self.ema is not None and "ema" in saved:
            for average, value in zip(self.ema, self.g.in_stretches(saved["ema"]), strict=True):
                average[row].copy_(value)


def finite(samples: Tensor) -> Tensor:
    """Tell of every member (K,) whether all its samples (K, B, ...) are finite."""
    return samples.flatten(1).isfinite().all(1)


def both(model: Model, samples: Tensor) -> dict[str, Network]:
    """Build both players' networks for samples (N, ...), by their names."""
    shape = tuple(samples.shape[1:])
    return {"generator": model.generator(shape), "discriminator": model.discriminator(shape)}
