"""Initialisations: distributions of the initial parameters of a slot.

All of them draw from the given generator, on its device, and not from torch's global random
stream. `fan_in` of a transposed convolution is out * k * k, as in torch's initialisations. With a
stride above 1, an output sums over fewer inputs than that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gansweep.interfaces import Slot


@dataclass(frozen=True)
class TorchDefault:
    """Default initialisation of the layers in `torch.nn`.

        weight, bias ~ U[-1 / sqrt(fan_in), 1 / sqrt(fan_in)],   scale = 1,   shift = 0

    torch implements it as Kaiming uniform initialisation with negative slope a = sqrt(5).
    """

    def __call__(self, slot: Slot, generator: torch.Generator) -> Tensor:
        """Return the initial value of a slot, of its shape."""
        if slot.role in ("weight", "bias"):
            bound = 1 / math.sqrt(slot.fan_in)
            return _empty(slot, generator).uniform_(-bound, bound, generator=generator)
        return _constant(slot, generator)


@dataclass(frozen=True)
class DCGANNormal:
    """Normal initialisation of DCGAN.

        weight ~ N(0, std^2),   scale ~ N(1, std^2),   bias = shift = 0

    Radford et al. 2016, arXiv:1511.06434, section 4, which specifies the weights only. The
    distribution of the scale follows the code of the authors and PyTorch's DCGAN example.

    Args:
        std: standard deviation; 0.02 in the paper.
    """

    std: float = 0.02

    def __post_init__(self) -> None:
        if not (0 < self.std < math.inf):
            raise ValueError(f"std={self.std}: expected a number above 0")

    def __call__(self, slot: Slot, generator: torch.Generator) -> Tensor:
        """Return the initial value of a slot, of its shape."""
        if slot.role in ("weight", "scale"):
            centre = 1.0 if slot.role == "scale" else 0.0
            return _empty(slot, generator).normal_(centre, self.std, generator=generator)
        return _constant(slot, generator)


@dataclass(frozen=True)
class Kaiming:
    """Kaiming normal initialisation, which preserves the variance of activations through leaky ReLUs.

        weight ~ N(0, 2 / ((1 + slope^2) fan_in)),   scale = 1,   bias = shift = 0

    He et al. 2015, arXiv:1502.01852, eq. 10 and, for leaky ReLUs, eq. 15.

    Args:
        slope: negative slope of the leaky ReLU that follows; 0 for a ReLU.
    """

    slope: float = 0.2

    def __post_init__(self) -> None:
        if not math.isfinite(self.slope):
            raise ValueError(f"slope={self.slope}: expected a finite number")

    def __call__(self, slot: Slot, generator: torch.Generator) -> Tensor:
        """Return the initial value of a slot, of its shape."""
        if slot.role == "weight":
            std = math.sqrt(2 / ((1 + self.slope**2) * slot.fan_in))
            return _empty(slot, generator).normal_(0, std, generator=generator)
        return _constant(slot, generator)


@dataclass(frozen=True)
class Orthogonal:
    """Orthogonal initialisation.

        weight = gain * Q,   scale = 1,   bias = shift = 0

    Q has orthonormal rows or orthonormal columns, whichever are fewer. Saxe et al. 2014,
    arXiv:1312.6120. A convolution kernel is reshaped to the matrix (first axis, all other axes), as in
    `torch.nn.init.orthogonal_`.

    Args:
        gain: factor of Q.
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.gain < math.inf):
            raise ValueError(f"gain={self.gain}: expected a number above 0")

    def __call__(self, slot: Slot, generator: torch.Generator) -> Tensor:
        """Return the initial value of a slot, of its shape."""
        if slot.role == "weight":
            return nn.init.orthogonal_(_empty(slot, generator), self.gain, generator=generator)
        return _constant(slot, generator)


@dataclass(frozen=True)
class CFGNormal:
    """Initialisation of the CFG networks: small normal kernels, Kaiming normal for the other weights.

        weight ~ N(0, std^2) for kernels,   N(0, 2 / fan_in) for matrices and for the shortcuts `convdim`
        scale ~ U[0, 1],   bias = shift = 0

    Johnson and Zhang 2018, arXiv:1801.06309, as in their PyTorch code. Their C++ code uses N(0, std^2)
    for all weights.

    Args:
        std: standard deviation of the kernels; 0.01 in their code.
    """

    std: float = 0.01

    def __post_init__(self) -> None:
        if not (0 < self.std < math.inf):
            raise ValueError(f"std={self.std}: expected a number above 0")

    def __call__(self, slot: Slot, generator: torch.Generator) -> Tensor:
        """Return the initial value of a slot, of its shape."""
        if slot.role == "weight":
            kaiming = len(slot.shape) == 2 or slot.name.endswith("convdim.weight")
            std = math.sqrt(2 / slot.fan_in) if kaiming else self.std
            return _empty(slot, generator).normal_(0, std, generator=generator)
        if slot.role == "scale":
            return _empty(slot, generator).uniform_(generator=generator)
        return _constant(slot, generator)


def _empty(slot: Slot, generator: torch.Generator) -> Tensor:
    return torch.empty(slot.shape, device=generator.device)


def _constant(slot: Slot, generator: torch.Generator) -> Tensor:
    """Return 1 for a scale, 0 for biases and shifts, and N(0, 1) for embeddings, as torch."""
    if slot.role == "embedding":
        return _empty(slot, generator).normal_(generator=generator)
    return torch.full(slot.shape, 1.0 if slot.role == "scale" else 0.0, device=generator.device)
