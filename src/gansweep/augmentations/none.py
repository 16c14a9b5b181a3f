"""No augmentation."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class NoAugmentation:
    """No augmentation: `augment=none,diffaugment` sweeps over runs without and with augmentation."""

    num_draws = 0

    def check(self, sample_shape: tuple[int, ...]) -> None:
        """Accept every shape."""

    def __call__(self, samples: Tensor, u: Tensor) -> Tensor:
        """Return the samples."""
        return samples
