"""Convolutional generator and discriminator."""

from __future__ import annotations

from dataclasses import dataclass, field

from gansweep.interfaces import Initialisation
from gansweep.layers import BatchNorm, Conv2d, ConvTranspose2d, Layer, LeakyReLU, Network, Reshape, Tanh
from gansweep.models.initialisation import DCGANNormal

SMALLEST = (4, 5, 6, 7)  # sides of the map between the dense end and the first doubling


@dataclass(frozen=True)
class DCGAN:
    """Strided convolutions that halve the image down to 4 to 7 pixels, and their mirror image.

        G: z -> s x s, then doubled by 4 x 4 kernels of stride 2 up to the image; ReLU, tanh
        D: the image, halved by 4 x 4 kernels of stride 2 down to s x s -> 1; leaky ReLU

    Radford et al. 2016, arXiv:1511.06434, figure 1 and section 3, in the sizes of PyTorch's
    DCGAN example: at (3, 64, 64) with batch norm in both players 3,576,704 and 2,765,568
    parameters. The smallest map has base_width * 2^(n-1) channels, n being the number of
    doublings, and every doubling halves them. 28 pixels start from 7 x 7.

    The paper has batch norm in both players. Here the discriminator is without it by default,
    since it couples the samples of a batch, which gradient penalties do not allow for
    (Gulrajani et al. 2017, section 4). A player has biases where it has no batch norm.

    Args:
        latent_dim: numbers in z.
        base_width: channels at half the image's size.
        batch_norm_generator: after every layer of the generator but the last.
        batch_norm_discriminator: after every layer of the discriminator but the first and last.
        slope: of the discriminator's leaky ReLUs for negative inputs.
        initialisation: the law of the first parameters.
    """

    latent_dim: int = 100
    base_width: int = 64
    batch_norm_generator: bool = True
    batch_norm_discriminator: bool = False
    slope: float = 0.2
    initialisation: Initialisation = field(default_factory=DCGANNormal)

    def __post_init__(self) -> None:
        for name in ("latent_dim", "base_width"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected 1 or more")
        if not 0 <= self.slope < 1:
            raise ValueError(f"slope={self.slope}: expected 0 <= slope < 1, 0 for a ReLU")

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Build z (K, B, latent_dim) -> images (K, B, C, H, W)."""
        channels, smallest, num_doublings = _plan(sample_shape)
        bias = not self.batch_norm_generator
        widths = [self.base_width << n for n in reversed(range(num_doublings))]
        layers: list[Layer] = [Reshape((self.latent_dim,), (self.latent_dim, 1, 1))]
        layers.append(ConvTranspose2d(f"{len(layers)}", self.latent_dim, widths[0], smallest, bias=bias))
        for wide, narrow in zip(widths, [*widths[1:], channels], strict=True):
            if self.batch_norm_generator:
                layers.append(BatchNorm(f"{len(layers)}", wide))
            layers.append(LeakyReLU(0.0))
            layers.append(ConvTranspose2d(f"{len(layers)}", wide, narrow, 4, stride=2, padding=1, bias=bias))
        return Network([*layers, Tanh()], self.initialisation)

    def discriminator(self, sample_shape: tuple[int, ...]) -> Network:
        """Build images (K, B, C, H, W) -> logits (K, B, 1)."""
        channels, smallest, num_halvings = _plan(sample_shape)
        bias = not self.batch_norm_discriminator
        widths = [self.base_width << n for n in range(num_halvings)]
        layers: list[Layer] = []
        for narrow, wide in zip([channels, *widths], widths, strict=False):
            layers.append(Conv2d(f"{len(layers)}", narrow, wide, 4, stride=2, padding=1, bias=bias))
            if self.batch_norm_discriminator and len(layers) > 1:
                layers.append(BatchNorm(f"{len(layers)}", wide))
            layers.append(LeakyReLU(self.slope))
        layers.append(Conv2d(f"{len(layers)}", widths[-1], 1, smallest, bias=bias))
        return Network([*layers, Reshape((1, 1, 1), (1,))], self.initialisation)


def _plan(sample_shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return channels, side of the smallest map, and how often it is doubled."""
    if len(sample_shape) != 3 or sample_shape[1] != sample_shape[2]:
        raise ValueError(f"sample_shape={sample_shape}: dcgan makes square images (C, H, H)")
    channels, side, _ = sample_shape
    smallest, num_doublings = side, 0
    while smallest % 2 == 0 and smallest > max(SMALLEST):
        smallest, num_doublings = smallest // 2, num_doublings + 1
    if smallest not in SMALLEST or num_doublings == 0:
        raise ValueError(
            f"sample_shape={sample_shape}: dcgan makes images of 4 to 7 pixels doubled once or more, "
            "such as 8, 16, 28, 32 and 64"
        )
    return channels, smallest, num_doublings
