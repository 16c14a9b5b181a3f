"""U-Net: convolutional autoencoder, with and without skip connections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from gansweep.interfaces import Initialisation
from gansweep.layers import Conv2d, ConvTranspose2d, Layer, LeakyReLU, Network, Residual
from gansweep.models.halving import square
from gansweep.models.initialisation import TorchDefault

SKIPS = ("none", "shallow", "deep", "both")


@dataclass(frozen=True)
class UNet:
    """U-Net: autoencoder with a bottleneck at a quarter of the image size.

        x -> conv -> a -> down -> b -> down, squeeze, up -> b' -> up -> a' -> conv -> y

        a: base_width channels at H,   b: twice as many at H / 2,   squeeze: code_width channels at H / 4
        shallow adds a to a',   deep adds b to b'

    After Forsyth, "Building a working autoencoder - III". The slides compare no skip connection, a
    shallow one, and both a shallow and a deep one. They do not specify the network: levels, widths
    and kernels are our choice. Skip connections add (He et al. 2016) instead of concatenating, so
    that all variants have the same parameters. Convolutions that halve or double are 4 x 4, the
    others 3 x 3. ReLUs follow the sums. The output is linear.

    Args:
        base_width: channels at the image size.
        code_width: channels of the bottleneck, at a quarter of the image size.
        skips: which skip connections exist: none, shallow, deep or both.
        initialisation: distribution of the initial parameters.
    """

    base_width: int = 16
    code_width: int = 4
    skips: Literal["none", "shallow", "deep", "both"] = "both"
    initialisation: Initialisation = field(default_factory=TorchDefault)

    def __post_init__(self) -> None:
        for name in ("base_width", "code_width"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected 1 or more")
        if self.skips not in SKIPS:
            raise ValueError(f"skips={self.skips}: expected one of {', '.join(SKIPS)}")

    @property
    def latent_dim(self) -> int:
        """Dimension of z, 0; the input is an image."""
        return 0

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the autoencoder: images (K, B, C, H, W) -> images of the same shape."""
        channels, side = square(sample_shape, "unet")
        if side % 4:
            raise ValueError(
                "unet halves images twice, expected a side such as 8 or 32; "
                f"samples of the data have shape {sample_shape}"
            )
        a, b, c, code = self.base_width, 2 * self.base_width, 4 * self.base_width, self.code_width
        squeezed = [
            Conv2d("down_c", b, c, 4, stride=2, padding=1),
            LeakyReLU(0.0),
            Conv2d("squeeze", c, code, 3, padding=1),
            Conv2d("conv_c", code, c, 3, padding=1),
            LeakyReLU(0.0),
            ConvTranspose2d("up_c", c, b, 4, stride=2, padding=1),
        ]
        halved = [
            Conv2d("down_b", a, b, 4, stride=2, padding=1),
            LeakyReLU(0.0),
            *self._skipped("deep", squeezed),
            LeakyReLU(0.0),
            ConvTranspose2d("up_b", b, a, 4, stride=2, padding=1),
        ]
        layers = [
            Conv2d("conv_a", channels, a, 3, padding=1),
            LeakyReLU(0.0),
            *self._skipped("shallow", halved),
            LeakyReLU(0.0),
            Conv2d("image", a, channels, 3, padding=1),
        ]
        return Network(layers, self.initialisation)

    def discriminator(self, sample_shape: tuple[int, ...]) -> Network:
        """Raise ValueError: this model has no discriminator."""
        raise ValueError("unet maps images to images and has no discriminator; it is for algorithm=denoising")

    def _skipped(self, level: str, body: Sequence[Layer]) -> Sequence[Layer]:
        return [Residual(body)] if self.skips in (level, "both") else body
