"""What conf/algorithm/denoising.yaml makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from gansweep.algorithms.denoising.pack import SHOWN, DenoisingPack
from gansweep.algorithms.own_order import check_own_order
from gansweep.corruptions.blur import Blur
from gansweep.corruptions.clean import Clean
from gansweep.corruptions.gaussian import Gaussian
from gansweep.corruptions.knockout import Knockout
from gansweep.corruptions.salt_and_pepper import SaltAndPepper
from gansweep.interfaces import Corruption
from gansweep.metrics.psnr import PSNR

if TYPE_CHECKING:
    from gansweep.training.run import Run


def five() -> dict[str, Corruption]:
    """Return the corruptions of Forsyth's table; how strong they were is not told."""
    return {
        "clean": Clean(),
        "salt_and_pepper": SaltAndPepper(),
        "gaussian": Gaussian(),
        "blur": Blur(),
        "knockout": Knockout(),
    }


@dataclass(frozen=True)
class Denoising:
    """A denoising autoencoder.

        L = E[ (G(c(x)) - x)^2 ],   the mean over pixels, images and corruptions c

    Forsyth, "Building a working autoencoder - III, Optimization tricks". Image b of a batch is spoiled by
    corruption b mod n, in the order of their names, so that every batch has as many of each, up to one.
    `num_test` images are held out, the same ones for all members, and judge: the metric `psnr` is the mean
    over all of them and all corruptions, and every evaluation tells mean and standard deviation of each.

    Args:
        corruptions: by the names that they have in the record.
        num_test: images that are held out.
    """

    corruptions: Mapping[str, Corruption] = field(default_factory=five)
    num_test: int = 200
    alone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.corruptions:
            raise ValueError("corruptions={}: expected one or more")
        if self.num_test < SHOWN:
            raise ValueError(f"num_test={self.num_test}: expected {SHOWN} or more")

    def check(self, run: Run) -> None:
        """Raise ValueError, naming the setting, if a run's parts are not those of an autoencoder."""
        check_own_order(run)
        count, member = len(self.corruptions), run.member
        if run.model.latent_dim:
            raise ValueError(f"model={run.model!r}: makes images of latents; restored are images, expected model=unet")
        if len(run.data.sample_shape) != 3:
            raise ValueError(f"data={run.data.name}: samples are {run.data.sample_shape}, expected images")
        if self.num_test >= len(run.data.samples):
            raise ValueError(f"algorithm.num_test={self.num_test}: {run.data.name} has {len(run.data.samples)} images")
        if run.batch_size < count:
            raise ValueError(f"batch_size={run.batch_size}: expected one image or more of {count} corruptions")
        if run.metric is not None and run.metric != PSNR(self.num_test, count):
            raise ValueError(
                f"metric={run.metric!r}: expected metric=psnr with num_images={self.num_test} and versions={count}, "
                "or ~metric"
            )
        if run.metric_2 is not None and run.metric_2.num_samples != count * self.num_test:
            made = f"{count * self.num_test} restored images"
            raise ValueError(f"metric_2.num_samples={run.metric_2.num_samples}: there are {made}, expected as many")
        if member.discriminator != member.generator:
            raise ValueError(
                "lr_d, optimizer_d, schedule_d or feedback_d: there is no discriminator, expected none of them"
            )
        if member.penalty_schedule is not None or member.noise_schedule is not None:
            raise ValueError("schedule_penalty or schedule_noise: there are no penalties and no instance noise")
        if run.critic_steps != 1:
            raise ValueError(f"critic_steps={run.critic_steps}: there is no discriminator, expected 1")

    def pack(self, runs: Sequence[Run], samples: Tensor) -> DenoisingPack:
        """Put runs that share everything but their members side by side."""
        return DenoisingPack.of(runs, samples, algorithm=self)
