"""Convolutional generator and discriminator."""

from __future__ import annotations

from dataclasses import dataclass, field

from gansweep.interfaces import Initialisation
from gansweep.layers import BatchNorm, Conv2d, ConvTranspose2d, Layer, LeakyReLU, Network, Reshape, SpectralNorm, Tanh
from gansweep.models.halving import halving
from gansweep.models.initialisation import DCGANNormal


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
        spectral_norm: of every weight of the discriminator.
        initialisation: the law of the first parameters.
    """

    latent_dim: int = 100
    base_width: int = 64
    batch_norm_generator: bool = True
    batch_norm_discriminator: bool = False
    slope: float = 0.2
    spectral_norm: bool = False
    initialisation: Initialisation = field(default_factory=DCGANNormal)

    def __post_init__(self) -> None:
        for name in ("latent_dim", "base_width"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected 1 or more")
        if not 0 <= self.slope < 1:
            raise ValueError(f"slope={self.slope}: expected 0 <= slope < 1, 0 for a ReLU")

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Build z (K, B, latent_dim) -> images (K, B, C, H, W)."""
        channels, smallest, num_doublings = halving(sample_shape, "dcgan")
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
        channels, smallest, num_halvings = halving(sample_shape, "dcgan")
        widths = [self.base_width << n for n in range(num_halvings)]
        layers: list[Layer] = []
        for narrow, wide in zip([channels, *widths], widths, strict=False):
            layers.append(self._conv(len(layers), narrow, wide, 4, stride=2, padding=1))
            if self.batch_norm_discriminator and len(layers) > 1:
                layers.append(BatchNorm(f"{len(layers)}", wide))
            layers.append(LeakyReLU(self.slope))
        layers.append(self._conv(len(layers), widths[-1], 1, smallest))
        return Network([*layers, Reshape((1, 1, 1), (1,))], self.initialisation)

    def _conv(self, at: int, num_in: int, num_out: int, kernel: int, stride: int = 1, padding: int = 0) -> Layer:
        bias = not self.batch_norm_discriminator
        conv = Conv2d(f"{at}", num_in, num_out, kernel, stride, padding, bias)
        return SpectralNorm(conv) if self.spectral_norm else conv
