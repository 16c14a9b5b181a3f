"""Trained generator and discriminator of a cell as modules of `torch.nn`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gansweep.batched.member import PlayerSettings
from gansweep.batched.player import Player
from gansweep.config.build import normalise
from gansweep.config.errors import BadConfig
from gansweep.labels import in_proportion, labels_of, num_classes_of
from gansweep.layers import Network
from gansweep.models.networks import network_of
from gansweep.schedules.constant import Constant
from gansweep.seeding import Streams
from gansweep.sweep.cell import Result
from gansweep.trained.cells import checkpoint_of, find, saved_member
from gansweep.training import kept
from gansweep.user_path import user_path

BATCH_SIZE = 500  # images per forward pass; that of evaluations


@dataclass(frozen=True)
class TrainedPair:
    """Trained networks of one cell, on the CPU and in evaluation mode.

    Both networks are modules of `torch.nn` on batches without a member axis; their `state_dict` has the names of
    `torch.nn`. See `gansweep.load`.

    Args:
        generator: maps z (N, latent_dim) to samples (N, *sample_shape); images are in [-1, 1].
        discriminator: maps samples to logits (N, 1); None if the algorithm trains only a generator.
        latent_dim: length of z; 0 if the generator maps images to images.
        sample_shape: shape of one sample.
        step: number of steps that the weights were trained for.
        result: the cell, with its directory and record.
        sampler: maps z to the samples that were evaluated: `generator`, or with `algorithm=cfg` the generator at the
            start of the last stage followed by its functional gradient steps.
        labels: class of every sample of the data (N,), if the networks are conditional. They are then called with the
            labels (N,) of their inputs as second argument.
    """

    generator: nn.Module
    discriminator: nn.Module | None
    latent_dim: int
    sample_shape: tuple[int, ...]
    step: int
    result: Result = field(repr=False)
    sampler: nn.Module = field(repr=False)
    labels: Tensor | None = field(default=None, repr=False)

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration of the cell."""
        return self.result.cell.config

    @property
    def record(self) -> Mapping[str, Any]:
        """The content of record.json."""
        return self.result.record or {}

    def state_dict(self) -> dict[str, Tensor]:
        """Return the weights of both networks; the names begin with `generator.` and `discriminator.`."""
        both = nn.Module()
        both.add_module("generator", self.generator)
        both.add_module("discriminator", self.discriminator)
        return both.state_dict()

    def latents(self, num: int, seed: int | None = None) -> Tensor:
        """Return standard normal z (num, latent_dim), on the CPU.

        Args:
            num: number of latents.
            seed: of the random generator. None: the random stream from which evaluations of the cell draw on a CPU, so
                that `metric.num_samples` samples give the metric's value in the record.

        Raises:
            ValueError: `num` is below 1, or the generator's input is not z.
        """
        if num < 1:
            raise ValueError(f"num={num}: expected 1 or more")
        if not self.latent_dim:
            raise ValueError(f"{self.result.cell.name}: its generator maps images to images, and has no latents")
        if seed is None:
            generator = Streams(int(self.config["seed"]))["evaluation"]
        else:
            generator = torch.Generator().manual_seed(seed)
        return torch.randn(num, self.latent_dim, generator=generator)

    def sample(
        self, num: int, seed: int | None = None, batch_size: int = BATCH_SIZE, labels: Tensor | None = None
    ) -> Tensor:
        """Return samples (num, *sample_shape) as they were evaluated, on the CPU.

        Args:
            num: number of samples.
            seed: as in `latents`.
            batch_size: samples per forward pass.
            labels: class of every sample, int64 (num,), of a conditional generator. None: sorted, with the frequencies
                of the data, as in evaluations.

        Raises:
            ValueError: `num` or `batch_size` is below 1.
        """
        return self.outputs(self.latents(num, seed), batch_size, labels)

    def outputs(self, z: Tensor, batch_size: int = BATCH_SIZE, labels: Tensor | None = None) -> Tensor:
        """Return the samples (N, *sample_shape) for z (N, latent_dim), on the CPU and without a graph.

        The forward passes run where `sampler` is, e.g. after `sampler.cuda()`.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size}: expected 1 or more")
        labels = self.labels_for(len(z), labels)
        inputs = [z] if labels is None else [z, labels]
        device = next(self.sampler.parameters()).device
        batches = zip(*(part.split(batch_size) for part in inputs), strict=True)
        with torch.no_grad():
            return torch.cat([self.sampler(*(part.to(device) for part in batch)).cpu() for batch in batches])

    def labels_for(self, num: int, labels: Tensor | Sequence[int] | None = None) -> Tensor | None:
        """Return labels as int64 (num,), by default with the frequencies of the data; None for unconditional networks.

        Raises:
            ValueError: there are not `num` labels, one is not a class of the data, or the networks are not conditional.
        """
        if self.labels is None:
            if labels is not None:
                name = self.result.cell.name
                raise ValueError(f"labels: the networks of {name} are not conditional; expected no labels")
            return None
        if labels is None:
            return in_proportion(self.labels, num)
        given, largest = torch.as_tensor(labels, dtype=torch.int64), int(self.labels.max())
        if given.shape != (num,) or not bool(((given >= 0) & (given <= largest)).all()):
            raise ValueError(f"labels={given.tolist()}: expected {num} classes from 0 to {largest}")
        return given

    def interpolate(self, start: Tensor, end: Tensor, num: int = 8, label: int | None = None) -> Tensor:
        """Return samples (num, *sample_shape) on the great circle between two latents (latent_dim,), both included.

            z(t) = (sin((1 - t) w) start + sin(t w) end) / sin w,   w = angle between start and end

        White 2016, arXiv:1609.04468, section 2.1. Parallel latents are interpolated linearly. A conditional generator
        makes samples of the class `label`.
        """
        if num < 2:
            raise ValueError(f"num={num}: expected 2 or more")
        t = torch.linspace(0, 1, num, dtype=torch.float64)[:, None]
        a, b = start.double(), end.double()
        angle = torch.acos((a @ b / (a.norm() * b.norm())).clamp(-1, 1))
        if angle.sin() < 1e-6:
            z = torch.lerp(a, b, t)
        else:
            z = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
        return self.outputs(z.to(start.dtype), labels=None if label is None else torch.full((num,), label))


def load(
    path: str | Path, *selection: str, raw: bool = False, which: str = "final", allow: Sequence[str] = ()
) -> TrainedPair:
    """Return the trained networks of a finished cell.

    Nothing in the folder is executed: tensors are read with `weights_only=True`, and classes are those of gansweep and
    of the modules in `allow`. The data set is not read.

    >>> import gansweep
    >>> pair = gansweep.load("outputs/mine", "lr=1e-3", "seed=0")  # doctest: +SKIP
    >>> images = pair.sample(64, seed=0)  # doctest: +SKIP

    Args:
        path: folder of a cell, or of a sweep.
        selection: settings `key=value` that exactly one cell of the sweep has.
        raw: the trained parameters, instead of those that are evaluated. They differ if the generator's parameters are
            averaged (`trainer.ema`) or the optimizer has parameters for evaluation (schedule-free optimizers).
        which: `final`: weights after the last step. `best`: those at the best evaluation of the metric, of cells that
            were trained with `trainer.keep=best` or `all`, diverged ones included.
        allow: modules of user-defined classes that the configuration may name, such as ["my_gans"].

    Raises:
        ValueError: no or several cells match, the cell has not finished or diverged, or a class is not allowed.
    """
    result = find(user_path(path), selection)
    return of(result, _weights(result, which), raw, allow)


def of(result: Result, weights: Path, raw: bool, allow: Sequence[str]) -> TrainedPair:
    """Return the networks of a cell with the weights in a file; the other arguments are those of `load`."""
    parts = _parts(result, allow)
    model, shape = parts["model"], tuple(parts["data"].sample_shape)
    num_classes = num_classes_of(parts["data"], model)
    member = saved_member(result, weights)
    rule = parts["optimizer"]
    network = network_of(model, "generator", shape, num_classes)
    theta, buffers = _state(network, member["generator"], rule, raw)
    if "ema" in member and not raw:
        theta = member["ema"][None]
    latent_dim = model.latent_dim
    generator_network = network
    generator = network.module(network.state_dict(theta, buffers), (latent_dim,) if latent_dim else shape, "Generator")
    discriminator = None
    if "discriminator" in member:
        network = network_of(model, "discriminator", shape, num_classes)
        theta, buffers = _state(network, member["discriminator"], parts.get("optimizer_d") or rule, raw)
        discriminator = network.module(network.state_dict(theta, buffers), shape, "Discriminator")
    labels = labels_of(parts["data"]) if num_classes else None
    sampler, of_algorithm = generator, getattr(parts["algorithm"], "sampler", None)
    if of_algorithm is not None:
        batch_size = int(result.cell.config["batch_size"])
        sampler = of_algorithm(generator_network, network, latent_dim, member, batch_size).eval()
    return TrainedPair(generator, discriminator, latent_dim, shape, int(member["step"]), result, sampler, labels)


def _weights(result: Result, which: str) -> Path:
    if which == "final":
        return checkpoint_of(result)
    if which != "best":
        raise ValueError(f"which={which}: expected final or best")
    best = kept.best(result.cell.directory)
    damaged = kept.unreadable(result.cell.directory)
    if best is None and damaged:
        raise ValueError(
            f"{result.cell.name}: the weights of its best evaluation are not readable; damaged: {damaged[0]}"
        )
    if best is None:
        raise ValueError(
            f"{result.cell.name}: the weights of its best evaluation were not kept; "
            "expected a cell that was trained with trainer.keep=best or trainer.keep=all"
        )
    return best.path


def _state(network: Network, saved: dict[str, Any], rule: Any, raw: bool) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the parameters (1, P) and the buffers of a saved player."""
    player = Player(network, [PlayerSettings(rule, 1.0, Constant())], [torch.Generator()])
    player.restore(0, {key: part for key, part in saved.items() if key != "feedback"})
    return player.theta if raw else torch.cat(player.evaluated(), 1), player.buffers


def _parts(result: Result, allow: Sequence[str]) -> dict[str, Any]:
    """Return the objects of a cell's configuration that determine its networks.

    Raises:
        BadConfig: one of them can't be built.
    """
    normal = normalise({**result.cell.config, "allow": list(allow)})
    needed = ("model", "data", "optimizer", "optimizer_d", "algorithm")
    if any(group not in normal.parts for group in needed):
        raise BadConfig(problem for problem in normal.problems if problem.name.partition(".")[0] in needed)
    return normal.parts
