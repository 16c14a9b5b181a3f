"""DiffAugment: colour, translation and cutout of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

# name in `policy`: number of random variables
NUM_DRAWS = {"color": 3, "translation": 2, "cutout": 2}


@dataclass(frozen=True)
class DiffAugment:
    """DiffAugment: random colour, translation and cutout of every image, in the order of `policy`.

        color        x + b;  mean_C + s (x - mean_C);  mean + c (x - mean)
                     b ~ U[-1/2, 1/2],  s ~ U[0, 2],  c ~ U[1/2, 3/2]
        translation  by whole pixels, uniform in +-translation_ratio of each side; 0 outside
        cutout       0 in a square of cutout_ratio of each side around a uniform pixel

    Zhao et al. 2020, arXiv:2006.10738, eqs. 4 to 6, with the distributions of the authors' code for images in
    [-1, 1]. mean_C is over the channels of a pixel, mean over the image. Penalties are computed at augmented
    samples, by the input of the discriminator; the authors' R1 differentiates by the image before augmentation.

    Args:
        policy: any of color, translation and cutout.
        translation_ratio: largest translation, 1/8 in the paper.
        cutout_ratio: side of the square, 1/2 in the paper.
    """

    policy: tuple[str, ...] = ("color", "translation", "cutout")
    translation_ratio: float = 0.125
    cutout_ratio: float = 0.5

    def __post_init__(self) -> None:
        policy = tuple(self.policy)
        object.__setattr__(self, "policy", policy)
        if not policy or len(set(policy)) < len(policy) or not set(policy) <= NUM_DRAWS.keys():
            raise ValueError(f"policy=[{','.join(policy)}]: expected one or more of {', '.join(NUM_DRAWS)}, each once")
        for name in ("translation_ratio", "cutout_ratio"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a share of the side, 0 < share <= 1")

    @property
    def num_draws(self) -> int:
        """Number of random variables of an image."""
        return sum(NUM_DRAWS[name] for name in self.policy)

    def check(self, sample_shape: tuple[int, ...]) -> None:
        """Raise ValueError unless samples are images (C, H, W)."""
        if len(sample_shape) != 3:
            raise ValueError(
                f"samples of the data have shape {sample_shape}, expected images (C, H, W), or augment=none"
            )

    def __call__(self, samples: Tensor, u: Tensor) -> Tensor:
        """Return the augmented images (K, B, C, H, W), given u (K, B, num_draws)."""
        functions: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
            "color": _color,
            "translation": self._translated,
            "cutout": self._cut_out,
        }
        at = 0
        for name in self.policy:
            samples = functions[name](samples, u[..., at : at + NUM_DRAWS[name]])
            at += NUM_DRAWS[name]
        return samples

    def _translated(self, x: Tensor, u: Tensor) -> Tensor:
        for axis in (3, 4):
            size = x.shape[axis]
            most = int(size * self.translation_ratio + 0.5)
            source = torch.arange(size, device=x.device) + (_below(u[..., axis - 3], 2 * most + 1) - most)[..., None]
            shape = [*x.shape[:2], 1, 1, 1]
            shape[axis] = size
            # Indices are clamped and multiplied by 0 outside: each pixel is then read at most once with a gradient, and
            # no sum depends on the order of additions.
            inside = ((source >= 0) & (source < size)).to(x.dtype).view(shape)
            x = x.gather(axis, source.clamp(0, size - 1).view(shape).expand(x.shape)) * inside
        return x

    def _cut_out(self, x: Tensor, u: Tensor) -> Tensor:
        inside = []
        for axis in (3, 4):
            size = x.shape[axis]
            side = int(size * self.cutout_ratio + 0.5)
            first = _below(u[..., axis - 3], size + 1 - side % 2)[..., None] - side // 2
            pixel = torch.arange(size, device=x.device)
            inside.append((pixel >= first) & (pixel < first + side))
        square = inside[0][..., :, None] & inside[1][..., None, :]
        return x * (~square).to(x.dtype)[:, :, None]


def _color(x: Tensor, u: Tensor) -> Tensor:
    brightness, saturation, contrast = (part[..., None, None, None] for part in u.unbind(-1))
    x = x + (brightness - 0.5)
    grey = x.mean(2, keepdim=True)
    x = (x - grey) * (2 * saturation) + grey
    level = x.flatten(2).mean(2)[..., None, None, None]
    return (x - level) * (contrast + 0.5) + level


def _below(u: Tensor, count: int) -> Tensor:
    """Return whole numbers uniform in 0 ... count - 1 for u ~ U[0, 1)."""
    return (u * count).long().clamp(max=count - 1)
