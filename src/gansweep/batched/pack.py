"""Pack: base class of the algorithms that train K members as one batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from gansweep.batched.divergence import IN_GRADIENTS, IN_PARAMETERS, DivergenceMonitor
from gansweep.batched.member import Member, side_by_side
from gansweep.batched.player import Player
from gansweep.batched.random_streams import Draws
from gansweep.batched.scheduled import Scheduled
from gansweep.device import autocast, to_numbers
from gansweep.labels import balanced, count_classes, in_proportion
from gansweep.layers import Network, Pass
from gansweep.seeding import Streams


class Report(Protocol):
    """Values of one step; `steps` counts each row's steps so far."""

    steps: list[int]


R = TypeVar("R", bound=Report)
IN_A_ROW, MOST_CLASSES = 8, 32  # of a sample grid with labels


@dataclass(frozen=True)
class PackSettings:
    """Settings that all members of a pack share, for every algorithm.

    Args:
        batch_size: B.
        precision: fp32, tf32 or bf16, for forward passes.
        check_every: steps of a member between two checks of its parameters and samples for divergence.
        patience: consecutive checks with a constant output or a zero gradient that end a run.
    """

    batch_size: int
    precision: str = "fp32"
    check_every: int = 25
    patience: int = 4

    @classmethod
    def of(cls, run: Any) -> PackSettings:
        """Return the settings of a run."""
        trainer = run.trainer
        return cls(run.batch_size, run.precision, check_every=trainer.check_every, patience=trainer.patience)


class Pack(ABC, Generic[R]):
    """K members that share networks, data and batch size, trained as one batch by one algorithm.

    The rows are sorted so that members with equal settings are adjacent; `place[k]` is the row of the k-th
    member. A member's numbers depend neither on the other members of the pack nor on their progress.

    A subclass defines the training step (`play`), registers its random draws (`draws`) and names its curves. It
    exports and restores any further state.

    Args:
        members: settings of every member.
        samples: the data (N, ...), on the device to train on.
        networks: networks by player name; `generator` is required.
        latent_dim: length of z.
        settings: shared settings.
        labels: class of every sample (N,) for conditional networks, on the device of the samples.
    """

    def __init__(
        self,
        members: Sequence[Member],
        samples: Tensor,
        networks: Mapping[str, Network],
        latent_dim: int,
        settings: PackSettings,
        labels: Tensor | None = None,
    ) -> None:
        self.labels = labels
        rows = side_by_side(members)
        self.place = [rows.index(k) for k in range(len(members))]
        self.members = [members[k] for k in rows]
        self.samples, self.latent_dim, self.device = samples, latent_dim, samples.device
        self.settings, self.batch_size, self.precision = settings, settings.batch_size, settings.precision
        self.total_steps = [member.steps for member in self.members]
        self.done = [0] * len(self.members)  # `step` holds the same on the device, to avoid a synchronisation
        self.step, self.last = (torch.tensor(n, device=self.device) for n in (self.done, self.total_steps))
        self.streams = [member.streams(self.device) for member in self.members]
        self.draws = Draws(self.streams, self.device)
        self.players = {name: self._player(network, name) for name, network in networks.items()}
        self.g = self.players["generator"]
        self.monitor = DivergenceMonitor(len(members), self.device, settings.patience, self.g.network.ignores_input)
        self._on_host: dict[str, tuple[R, list[dict[str, float]]]] = {}  # newest values of `_read`
        self.ema = None
        if any(member.ema is not None for member in members):
            self.ema = [theta.clone() for theta in self.g.evaluated()]
        self.averaging = Scheduled([member.averaging for member in self.members], self.device)
        self.scheduled: list[Any] = [  # set before every step
            self.averaging,
            *(values for player in self.players.values() for values in player.scheduled),
        ]

    def _player(self, network: Network, name: str) -> Player:
        settings = [member.player(name) for member in self.members]
        return Player(network, settings, [stream[f"init/{name}"] for stream in self.streams])

    @abstractmethod
    def play(self) -> R:
        """Train one step of every member and return its values."""

    @abstractmethod
    def curves(self, report: R, k: int) -> dict[str, Tensor]:
        """Return member k's values of a step by tag. Reading them synchronises with the device."""

    def custom_scalars(self, k: int) -> Mapping[str, Tensor | float]:
        """Return further values of member k's training for its record, by name.

        Called at the steps at which the curves have points.
        """
        return {}

    def read_curves(self, report: R, k: int) -> dict[str, float]:
        """Return member k's `curves` as numbers."""
        return self._read("curves", report, k, lambda k: self.curves(report, k))

    def read_custom_scalars(self, report: R, k: int) -> dict[str, float]:
        """Return member k's `custom_scalars` as numbers, after the step of `report`, which is the newest one."""
        return self._read("custom_scalars", report, k, self.custom_scalars)

    def _read(
        self, name: str, report: R, k: int, values: Callable[[int], Mapping[str, Tensor | float]]
    ) -> dict[str, float]:
        """Return member k's values as numbers.

        Except on a CPU, the first call for a report copies the values of all members in one transfer, so that the
        number of synchronisations does not depend on the number of members.
        """
        if self.device.type == "cpu":
            return {tag: float(value) for tag, value in values(k).items()}
        if name not in self._on_host or self._on_host[name][0] is not report:
            self._on_host[name] = report, to_numbers([values(other) for other in range(len(self.members))])
        return self._on_host[name][1][k]

    def pictures(self, k: int) -> dict[str, Tensor]:
        """Return further samples (N, ...) of member k to show after a step, by name, besides those of its generator."""
        return {}

    @torch.no_grad()
    def steps(self) -> Iterator[R]:
        """Train until the first member has finished; yield the values of every step."""
        while all(done < total for done, total in zip(self.done, self.total_steps, strict=True)):
            for values in self.scheduled:
                values.set(self.done, self.total_steps)
            self.draws.begin(self.done, self.step)
            self.done = [done + 1 for done in self.done]
            self.step += 1
            yield self.play()

    def check_divergence(self, fake: Tensor, generator_gradient: Tensor) -> None:
        """Check for divergence that does not show in the losses, every `check_every` steps and at the last step.

        Args:
            fake: samples (K, B, ...) of this step.
            generator_gradient: norm (K,) of the generator's gradient.
        """
        every, monitor = self.settings.check_every, self.monitor
        at_end = any(done == total for done, total in zip(self.done, self.total_steps, strict=True))
        if at_end or any(done % every == 0 for done in self.done):
            regular = self.step % every == 0
            due = regular | (self.step == self.last)
            for name, player in self.players.items():
                monitor.record(IN_PARAMETERS[name], due & ~player.finite(), self.step)
            for name, player in self.players.items():
                monitor.record(IN_GRADIENTS[name], due & ~player.finite_gradients, self.step)
            monitor.check_stuck(due, self.step, fake, generator_gradient, counted=regular)

    def average(self) -> None:
        """Update the running averages of the generators' parameters."""
        if self.ema is not None:
            for average, theta in zip(self.ema, self.g.evaluated(), strict=True):
                average.lerp_(theta, self.averaging.now)

    def evaluated(self, k: int) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return the parameters and buffers of member k's generator for evaluation, (1, ...) each.

        These are the running averages if the member has them, else the evaluation parameters of its update rule.
        """
        row = self.place[k]
        chunks = self.g.evaluated() if self.ema is None or self.members[row].ema is None else self.ema
        params = self.g.params([theta[row : row + 1] for theta in chunks])
        return params, {name: buffer[row : row + 1] for name, buffer in self.g.buffers.items()}

    def latents(self, k: int, num_samples: int, stream: str) -> Tensor:
        """Return z (N, latent_dim) from a stream that is reset at every call.

        All evaluations of a member use the same latents, and the training's streams do not change.
        """
        generator = Streams(self.members[self.place[k]].seed, self.device)[stream]
        return torch.randn(num_samples, self.latent_dim, generator=generator, device=self.device)

    @torch.no_grad()
    def outputs(self, k: int, inputs: Tensor, batch_size: int = 500, labels: Tensor | None = None) -> Tensor:
        """Return the outputs (N, ...) of member k's evaluation generator for inputs (N, ...), in evaluation mode.

        `labels` (N,) are for conditional networks; by default they have the frequencies of the data's labels.
        """
        params, buffers = self.evaluated(k)
        if labels is None and self.labels is not None:
            labels = in_proportion(self.labels, len(inputs))
        parts = []
        with autocast(self.device, self.precision):
            for n, part in enumerate(inputs.split(batch_size)):
                of_part = None if labels is None else labels.split(batch_size)[n][None]
                state = Pass((), buffers, training=False, labels=of_part)
                parts.append(self.g.network(params, part[None], state)[0])
        return torch.cat(parts)

    def generate(self, k: int, num_samples: int, stream: str, batch_size: int = 500) -> Tensor:
        """Return samples (N, ...) of member k in evaluation mode, from the latents of a stream."""
        return self.outputs(k, self.latents(k, num_samples, stream), batch_size)

    def generate_classes(self, k: int, labels: Tensor, stream: str) -> Tensor:
        """Return samples (N, ...) of member k with labels (N,), in evaluation mode, from the latents of a stream."""
        return self.outputs(k, self.latents(k, len(labels), stream), labels=labels.to(self.device))

    def sample_grid(self, k: int, num_samples: int) -> Tensor:
        """Return the samples for the sample grid of member k, eight per row; with labels, one class per row."""
        if self.labels is None:
            return self.generate(k, num_samples, "pictures")
        rows = min(count_classes(self.labels), MOST_CLASSES)
        return self.generate_classes(k, balanced(rows, IN_A_ROW * rows), "pictures")

    def update_feedback(self, k: int, value: float, lower_is_better: bool) -> None:
        """Update the feedback of member k with a metric value. It applies from the next step on."""
        for player in self.players.values():
            if player.gains is not None:
                player.gains.update_with_metric(self.place[k], value, lower_is_better)

    def measurements(self, k: int) -> dict[str, float]:
        """Return the algorithm's own measurements of member k for an evaluation, by name. Default: none."""
        return {}

    def export(self, k: int) -> dict[str, Any]:
        """Return the complete state of member k as tensors and plain values, to continue in any pack."""
        row = self.place[k]
        saved: dict[str, Any] = {"step": self.done[row]}
        saved |= {name: player.export(row) for name, player in self.players.items()}
        saved["watch"] = self.monitor.export(row)
        if self.ema is not None and self.members[row].ema is not None:
            saved["ema"] = self.g.row(row, self.ema)
        return saved

    def restore(self, k: int, saved: dict[str, Any]) -> None:
        """Restore member k from an exported state, at its step."""
        row = self.place[k]
        self.done[row] = saved["step"]
        self.step[row] = saved["step"]
        for name, player in self.players.items():
            player.restore(row, saved[name])
        # Checkpoints of earlier versions hold `strikes` only.
        self.monitor.restore(row, saved["watch"] if "watch" in saved else {"strikes": saved["strikes"]})
        if self.ema is not None and "ema" in saved:
            for average, value in zip(self.ema, self.g.in_chunks(saved["ema"]), strict=True):
                average[row].copy_(value)

    def release(self) -> None:
        """Free all tensors of the pack, which can't be used afterwards.

        A pack refers to itself through its parts. Without this it would stay in memory, beside the next pack, until
        Python's garbage collector runs.
        """
        vars(self).clear()


def finite(samples: Tensor) -> Tensor:
    """Return a (K,) boolean mask: True where all samples (K, B, ...) of a member are finite."""
    flat = samples.flatten(1)
    if torch.compiler.is_compiling():  # fused with the kernel that computes the samples
        return flat.isfinite().all(1)
    return flat.abs().amax(1) < torch.inf  # a tenth of the time of isfinite; the maximum is NaN if an entry is
