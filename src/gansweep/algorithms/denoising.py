"""Denoising autoencoder, for K members as one batch.

x ~ data,  x_tilde = c(x) with corruption c
L      <- mean (G(x_tilde; theta) - x)^2
theta  <- rule(grad_theta L, theta, lr)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.algorithms.one_player import OnePlayerPack, Report
from gansweep.algorithms.refuse import of_two_players, refuse
from gansweep.batched.divergence import Cause
from gansweep.batched.member import Member
from gansweep.batched.pack import PackSettings, finite
from gansweep.batched.random_streams import normal, uniform
from gansweep.corruptions import Corruption
from gansweep.corruptions.blur import Blur
from gansweep.corruptions.clean import Clean
from gansweep.corruptions.gaussian import Gaussian
from gansweep.corruptions.knockout import Knockout
from gansweep.corruptions.salt_and_pepper import SaltAndPepper
from gansweep.device import autocast
from gansweep.interfaces import Model
from gansweep.layers import Pass
from gansweep.metrics.psnr import PSNR, held_out, psnr_of_each, summary
from gansweep.seeding import Streams

SHOWN = 8  # test images per row of a picture
DISTRIBUTIONS = {"uniform": (uniform, torch.rand), "normal": (normal, torch.randn)}
EXAMPLE = "algorithm=denoising: goes with model=unet ~loss metric=psnr, as in experiment=forsyth_autoencoder"


def five() -> dict[str, Corruption]:
    """Return the corruptions of Forsyth's table. Their strengths are ours: the source does not state them."""
    return {
        "clean": Clean(),
        "salt_and_pepper": SaltAndPepper(),
        "gaussian": Gaussian(),
        "blur": Blur(),
        "knockout": Knockout(),
    }


@dataclass(frozen=True)
class Denoising:
    """Denoising autoencoder.

        L = E[ (G(c(x)) - x)^2 ],   mean over pixels, images and corruptions c

    Forsyth, "Building a working autoencoder - III, Optimization tricks". Image b of a batch gets corruption
    b mod n, sorted by name, so that the counts of the corruptions in a batch differ by at most one.
    `num_test` test images, the same for all members, are not used for training. The metric `psnr` is the mean over
    all test images and corruptions. Every evaluation also records mean and standard deviation per corruption.

    Args:
        corruptions: corruptions by their name in the record.
        num_test: number of test images.
    """

    corruptions: Mapping[str, Corruption] = field(default_factory=five)
    num_test: int = 200
    alone: ClassVar[bool] = True
    indexes_samples: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.corruptions:
            raise ValueError("corruptions={}: expected one or more")
        if self.num_test < SHOWN:
            raise ValueError(f"num_test={self.num_test}: expected {SHOWN} or more")

    def check(self, run: Any) -> None:
        """Raise ValueError if a run has unsupported settings, with one line for each."""
        count, second = len(self.corruptions), run.metric_2
        num_restored = count * self.num_test
        problems = [
            *of_two_players(run),
            (
                bool(run.model.latent_dim),
                f"model={run.model!r}: maps latents to images, expected a model from images to images: model=unet",
            ),
            (
                len(run.data.sample_shape) != 3,
                f"data={run.data.name}: samples are {run.data.sample_shape}, expected images",
            ),
            (
                self.num_test >= len(run.data.samples),
                f"algorithm.num_test={self.num_test}: {run.data.name} has {len(run.data.samples)} images, "
                "expected fewer",
            ),
            (
                run.batch_size < count,
                f"batch_size={run.batch_size}: expected {count} or more, one image for each corruption",
            ),
            (
                run.metric is not None and run.metric != PSNR(self.num_test, count),
                f"metric={run.metric!r}: expected metric=psnr with num_images={self.num_test} and versions={count}, "
                "or ~metric",
            ),
            (
                second is not None and second.num_samples != num_restored,
                f"metric_2.num_samples={second and second.num_samples}: expected {num_restored}, "
                "the number of restored images",
            ),
        ]
        refuse(problems, EXAMPLE)

    def pack(self, runs: Sequence[Any], samples: Tensor) -> DenoisingPack:
        """Return the pack of runs that differ in their members only."""
        members = [run.member for run in runs]
        return DenoisingPack(members, runs[0].model, samples, PackSettings.of(runs[0]), algorithm=self)


class DenoisingPack(OnePlayerPack):
    """K denoising autoencoders with independent batches and noise, trained as one batch.

    Args:
        members: settings of every member.
        model: its generator is the autoencoder.
        samples: the data (N, C, H, W), including the test images.
        settings: settings of every pack.
        algorithm: corruptions and number of test images.
    """

    def __init__(
        self,
        members: Sequence[Member],
        model: Model,
        samples: Tensor,
        settings: PackSettings,
        *,
        algorithm: Denoising,
    ) -> None:
        division = held_out(len(samples), algorithm.num_test)
        networks = {"generator": model.generator(tuple(samples.shape[1:]))}
        super().__init__(members, samples, networks, 0, settings)
        self.train = division.train.to(samples.device)
        self.test = samples[division.test.to(samples.device)]
        self.corruptions = sorted(algorithm.corruptions.items())
        self._plan()

    def play(self) -> Report:
        """Train one step: restore a corrupted batch and update on the squared error."""
        target = self.samples[self.train[self.draws.next("order")]]
        corrupted = self._corrupted(target)

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            state = Pass((), self.g.buffers)
            with autocast(self.device, self.precision):
                restored = self.g.network(params, corrupted, state)
            # Mean over pixels first, then over the batch: the rounding of a joint mean would depend on K.
            loss = (restored - target).square().flatten(2).mean(2).mean(1)
            return loss.sum(), (loss.detach(), restored.detach(), state.updates)

        (loss, restored, buffers), gradient = self.g.descend(losses)
        self.g.keep_buffers(buffers)
        self.average()
        self.monitor.record(Cause.NON_FINITE_SAMPLES, ~finite(restored), self.step)
        self.check_divergence(restored, gradient)
        return Report(list(self.done), loss, gradient)

    def _plan(self) -> None:
        """Register the random draws of a step."""
        self.draws.plan_batches(len(self.train), self.batch_size, 1)
        for n, (name, corruption) in enumerate(self.corruptions):
            if corruption.law is not None:
                size = len(range(n, self.batch_size, len(self.corruptions)))
                shape = corruption.noise_shape(tuple(self.samples.shape[1:]))
                self.draws.plan(f"corruption/{name}", [DISTRIBUTIONS[corruption.law][0](size, *shape)])

    def _corrupted(self, images: Tensor) -> Tensor:
        """Return corrupted images (K, B, C, H, W); image b gets corruption b mod n."""
        corrupted = torch.empty_like(images)
        for n, (name, corruption) in enumerate(self.corruptions):
            noise = None if corruption.law is None else self.draws.next(f"corruption/{name}")
            rows = slice(n, None, len(self.corruptions))
            corrupted[:, rows] = corruption(images[:, rows], noise)
        return corrupted

    def tests(self, k: int, stream: str, count: int | None = None) -> Tensor:
        """Return the first test images with every corruption, (n, count, C, H, W), from a stream reset at every call.

        All evaluations of a member use the same corrupted images.
        """
        images = self.test[:count]
        generator = Streams(self.members[self.place[k]].seed, self.device)[stream]
        corrupted = []
        for _, corruption in self.corruptions:
            noise = None
            if corruption.law is not None:
                shape = len(images), *corruption.noise_shape(tuple(images.shape[1:]))
                noise = DISTRIBUTIONS[corruption.law][1](shape, generator=generator, device=self.device)
            corrupted.append(corruption(images, noise))
        return torch.stack(corrupted)

    def generate(self, k: int, num_samples: int, stream: str, batch_size: int = 500) -> Tensor:
        """Return the restored test images (N, C, H, W), ordered by corruption.

        Raises:
            ValueError: `num_samples` is not the number of corrupted test images.
        """
        corrupted = self.tests(k, stream).flatten(0, 1)
        if num_samples != len(corrupted):
            raise ValueError(f"num_samples={num_samples}: expected {len(corrupted)}, the number of corrupted images")
        return self.outputs(k, corrupted, batch_size)

    def measurements(self, k: int) -> dict[str, float]:
        """Return mean and standard deviation of the PSNR in dB, per corruption and over all.

        `psnr/` is of the restored images, `given/` of the corrupted ones. Images that equal their target are left
        out of the mean and counted in `/equal`; without other images, as for `given/clean`, there is no entry.
        """
        corrupted = self.tests(k, "evaluation")
        restored = self.outputs(k, corrupted.flatten(0, 1)).view_as(corrupted)
        names, measurements = [name for name, _ in self.corruptions], {}
        for what, images in (("psnr", restored), ("given", corrupted)):
            decibels = [psnr_of_each(each, self.test) for each in images]
            for name, values in [*zip(names, decibels, strict=True), ("all", torch.cat(decibels))]:
                statistics = summary(values)
                if statistics is not None:
                    measurements |= {f"{what}/{name}": statistics.mean, f"{what}/{name}/std": statistics.std}
                    if statistics.num_equal:
                        measurements[f"{what}/{name}/equal"] = float(statistics.num_equal)
        return measurements

    def sample_grid(self, k: int, num_samples: int) -> Tensor:
        """Return rows of SHOWN images: test images, then for every corruption the corrupted and the restored ones."""
        corrupted = self.tests(k, "pictures", SHOWN)
        restored = self.outputs(k, corrupted.flatten(0, 1)).view_as(corrupted)
        return torch.cat([self.test[:SHOWN], torch.stack([corrupted, restored], 1).flatten(0, 2)])
