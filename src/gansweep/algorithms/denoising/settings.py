"""What conf/algorithm/denoising.yaml makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from gansweep.algorithms.denoising.pack import SHOWN, DenoisingPack
from gansweep.algorithms.refuse import of_two_players, refuse
from gansweep.corruptions.blur import Blur
from gansweep.corruptions.clean import Clean
from gansweep.corruptions.gaussian import Gaussian
from gansweep.corruptions.knockout import Knockout
from gansweep.corruptions.salt_and_pepper import SaltAndPepper
from gansweep.interfaces import Corruption
from gansweep.metrics.psnr import PSNR

if TYPE_CHECKING:
    from gansweep.training.run import Run

EXAMPLE = "algorithm=denoising: goes with model=unet ~loss metric=psnr, as in experiment=forsyth_autoencoder"


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
        """Raise ValueError, naming the settings, if a run's parts are not those of an autoencoder."""
        count, second = len(self.corruptions), run.metric_2
        made = count * self.num_test
        found = [
            *of_two_players(run),
            (
                bool(run.model.latent_dim),
                f"model={run.model!r}: makes images of latents; restored are images, expected model=unet",
            ),
            (
                len(run.data.sample_shape) != 3,
                f"data={run.data.name}: samples are {run.data.sample_shape}, expected images",
            ),
            (
                self.num_test >= len(run.data.samples),
                f"algorithm.num_test={self.num_test}: {run.data.name} has {len(run.data.samples)} images",
            ),
            (run.batch_size < count, f"batch_size={run.batch_size}: expected one image or more of {count} corruptions"),
            (
                run.metric is not None and run.metric != PSNR(self.num_test, count),
                f"metric={run.metric!r}: expected metric=psnr with num_images={self.num_test} and versions={count}, "
                "or ~metric",
            ),
            (
                second is not None and second.num_samples != made,
                f"metric_2.num_samples={second and second.num_samples}: there are {made} restored images, "
                "expected as many",
            ),
        ]
        refuse(found, EXAMPLE)

    def pack(self, runs: Sequence[Run], samples: Tensor) -> DenoisingPack:
        """Put runs that share everything but their members side by side."""
        return DenoisingPack.of(runs, samples, algorithm=self)
