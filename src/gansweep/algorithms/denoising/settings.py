"""Settings of conf/algorithm/denoising.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from gansweep.algorithms.denoising.pack import SHOWN, DenoisingPack
from gansweep.algorithms.refuse import of_two_players, refuse
from gansweep.corruptions import Corruption
from gansweep.corruptions.blur import Blur
from gansweep.corruptions.clean import Clean
from gansweep.corruptions.gaussian import Gaussian
from gansweep.corruptions.knockout import Knockout
from gansweep.corruptions.salt_and_pepper import SaltAndPepper
from gansweep.metrics.psnr import PSNR

if TYPE_CHECKING:
    from gansweep.training.run import Run

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

    def __post_init__(self) -> None:
        if not self.corruptions:
            raise ValueError("corruptions={}: expected one or more")
        if self.num_test < SHOWN:
            raise ValueError(f"num_test={self.num_test}: expected {SHOWN} or more")

    def check(self, run: Run) -> None:
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

    def pack(self, runs: Sequence[Run], samples: Tensor) -> DenoisingPack:
        """Return the pack of runs that differ in their members only."""
        return DenoisingPack.of(runs, samples, algorithm=self)
