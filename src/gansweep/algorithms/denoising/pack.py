"""One training step of a denoising autoencoder for K members as one batch.

x ~ data,  x_tilde = c(x) with corruption c,  L = mean (G(x_tilde) - x)^2,  update G
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gansweep.algorithms.one_player import OnePlayerPack, Report
from gansweep.batched.divergence import Cause
from gansweep.batched.member import Member
from gansweep.batched.pack import finite
from gansweep.batched.random_streams import normal, uniform
from gansweep.device import autocast
from gansweep.interfaces import Model
from gansweep.layers import Pass
from gansweep.metrics.psnr import held_out, psnr_of_each, summary
from gansweep.seeding import Streams

if TYPE_CHECKING:
    from gansweep.algorithms.denoising.settings import Denoising

SHOWN = 8  # test images per row of a picture
LAWS = {"uniform": (uniform, torch.rand), "normal": (normal, torch.randn)}


class DenoisingPack(OnePlayerPack):
    """K denoising autoencoders with independent batches and noise, trained as one batch.

    Args:
        members: settings of every member.
        model: its generator is the autoencoder.
        samples: the data (N, C, H, W), including the test images.
        algorithm: corruptions and number of test images.
        shared: batch_size, precision, check_every, patience and draw_ahead, see `Pack`.
    """

    def __init__(
        self,
        members: Sequence[Member],
        model: Model,
        samples: Tensor,
        algorithm: Denoising,
        **shared: Any,
    ) -> None:
        division = held_out(len(samples), algorithm.num_test)
        networks = {"generator": model.generator(tuple(samples.shape[1:]))}
        super().__init__(members, samples[division.train.to(samples.device)], networks, 0, **shared)
        self.test = samples[division.test.to(samples.device)]
        self.corruptions = sorted(algorithm.corruptions.items())
        self._plan()

    def play(self) -> Report:
        """Train one step: restore a corrupted batch and update on the squared error."""
        target = self.samples[self.draws.next("order")]
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
        self.watch.see(Cause.NON_FINITE_SAMPLES, ~finite(restored), self.step)
        self.look(restored, gradient)
        return Report(list(self.done), loss, gradient)

    def _plan(self) -> None:
        """Register the random draws of a step."""
        self.draws.plan_batches(len(self.samples), self.batch_size, 1)
        for n, (name, corruption) in enumerate(self.corruptions):
            if corruption.law is not None:
                size = len(range(n, self.batch_size, len(self.corruptions)))
                shape = corruption.noise_shape(tuple(self.samples.shape[1:]))
                self.draws.plan(f"corruption/{name}", [LAWS[corruption.law][0](size, *shape, device=self.device)])

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
                noise = LAWS[corruption.law][1](shape, generator=generator, device=self.device)
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
        return self.mapped(k, corrupted, batch_size)

    def measured(self, k: int) -> dict[str, float]:
        """Return mean and standard deviation of the PSNR in dB, per corruption and over all.

        `psnr/` is of the restored images, `given/` of the corrupted ones. Images that equal their target are left
        out of the mean and counted in `/equal`; without other images, as for `given/clean`, there is no entry.
        """
        corrupted = self.tests(k, "evaluation")
        restored = self.mapped(k, corrupted.flatten(0, 1)).view_as(corrupted)
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

    def pictured(self, k: int, num_samples: int) -> Tensor:
        """Return rows of SHOWN images: test images, then for every corruption the corrupted and the restored ones."""
        corrupted = self.tests(k, "pictures", SHOWN)
        restored = self.mapped(k, corrupted.flatten(0, 1)).view_as(corrupted)
        return torch.cat([self.test[:SHOWN], torch.stack([corrupted, restored], 1).flatten(0, 2)])
