"""One network that restores spoiled images. This is the algorithm box."""

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
from gansweep.held_out import held_out
from gansweep.interfaces import Model
from gansweep.layers import Pass
from gansweep.metrics.psnr import psnr_of_each, summary
from gansweep.seeding import Streams

if TYPE_CHECKING:
    from gansweep.algorithms.denoising.settings import Denoising

SHOWN = 8  # test images in a picture, side by side
LAWS = {"uniform": (uniform, torch.rand), "normal": (normal, torch.randn)}


class DenoisingPack(OnePlayerPack):
    """K autoencoders on batches and noise of their own.

    Args:
        members: what each of them chooses for itself.
        model: whose generator restores.
        samples: the data (N, C, H, W), those that are held out among them.
        algorithm: corruptions, and how many images are held out.
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
        """Let every member restore a batch, and learn from the error."""
        target = self.samples[self.draws.next("order")]
        spoiled = self._spoiled(target)

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            state = Pass((), self.g.buffers)
            with autocast(self.device, self.precision):
                restored = self.g.network(params, spoiled, state)
            # pixels first, then the batch: the bits of a sum over both would depend on K
            loss = (restored - target).square().flatten(2).mean(2).mean(1)
            return loss.sum(), (loss.detach(), restored.detach(), state.updates)

        (loss, restored, buffers), gradient = self.g.descend(losses)
        self.g.keep_buffers(buffers)
        self.average()
        self.watch.see(Cause.NON_FINITE_SAMPLES, ~finite(restored), self.step)
        self.look(restored, gradient)
        return Report(list(self.done), loss, gradient)

    def _plan(self) -> None:
        """Say what a step takes of every stream."""
        self.draws.plan_batches(len(self.samples), self.batch_size, 1)
        for n, (name, corruption) in enumerate(self.corruptions):
            if corruption.law is not None:
                size = len(range(n, self.batch_size, len(self.corruptions)))
                shape = corruption.noise_shape(tuple(self.samples.shape[1:]))
                self.draws.plan(f"corruption/{name}", [LAWS[corruption.law][0](size, *shape, device=self.device)])

    def _spoiled(self, images: Tensor) -> Tensor:
        """Spoil images (K, B, C, H, W), every n-th of them in the same way."""
        spoiled = torch.empty_like(images)
        for n, (name, corruption) in enumerate(self.corruptions):
            noise = None if corruption.law is None else self.draws.next(f"corruption/{name}")
            rows = slice(n, None, len(self.corruptions))
            spoiled[:, rows] = corruption(images[:, rows], noise)
        return spoiled

    def tests(self, k: int, stream: str, count: int | None = None) -> Tensor:
        """Spoil the first held out images in every way (n, count, C, H, W), by a stream that starts anew at every call.

        A member is thus always judged on the same ones.
        """
        images = self.test[:count]
        generator = Streams(self.members[self.place[k]].seed, self.device)[stream]
        spoiled = []
        for _, corruption in self.corruptions:
            noise = None
            if corruption.law is not None:
                shape = len(images), *corruption.noise_shape(tuple(images.shape[1:]))
                noise = LAWS[corruption.law][1](shape, generator=generator, device=self.device)
            spoiled.append(corruption(images, noise))
        return torch.stack(spoiled)

    def generate(self, k: int, num_samples: int, stream: str, batch_size: int = 500) -> Tensor:
        """Restore the held out images, spoiled in one way after the other.

        Raises:
            ValueError: `num_samples` is not their number.
        """
        spoiled = self.tests(k, stream).flatten(0, 1)
        if num_samples != len(spoiled):
            raise ValueError(f"num_samples={num_samples}: there are {len(spoiled)} spoiled images")
        return self.mapped(k, spoiled, batch_size)

    def measured(self, k: int) -> dict[str, float]:
        """Tell mean and standard deviation of the decibels by corruption and of all, and of what was given.

        `psnr/` is of restored images, `given/` of spoiled ones. Images that equal their target are left
        out, and counted; where there are no others, as with clean ones that are given, nothing is told.
        """
        spoiled = self.tests(k, "evaluation")
        restored = self.mapped(k, spoiled.flatten(0, 1)).view_as(spoiled)
        names, told = [name for name, _ in self.corruptions], {}
        for what, images in (("psnr", restored), ("given", spoiled)):
            decibels = [psnr_of_each(each, self.test) for each in images]
            for name, values in [*zip(names, decibels, strict=True), ("all", torch.cat(decibels))]:
                found = summary(values)
                if found is not None:
                    told |= {f"{what}/{name}": found.mean, f"{what}/{name}/std": found.std}
                    if found.num_equal:
                        told[f"{what}/{name}/equal"] = float(found.num_equal)
        return told

    def pictured(self, k: int, num_samples: int) -> Tensor:
        """Put the first held out images in a row, and below them, for every corruption, given and restored ones."""
        spoiled = self.tests(k, "pictures", SHOWN)
        restored = self.mapped(k, spoiled.flatten(0, 1)).view_as(spoiled)
        return torch.cat([self.test[:SHOWN], torch.stack([spoiled, restored], 1).flatten(0, 2)])
