"""Where parameters start, as laws of one slot.

All draw from the generator that they are given, on its device, and nothing from torch's
global stream. `fan_in` of a transposed convolution is out * k * k, which is what torch's own
initialisations take it to be; an output of it sums over fewer inputs where the stride is above 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gansweep.interfaces import Slot


@dataclass(frozen=True)
class TorchDefault:
    """What layers of `torch.nn` start from.

        weight, bias ~ U[-1 / sqrt(fan_in), 1 / sqrt(fan_in)],   scale = 1,   shift = 0

    torch writes it as Kaiming's uniform law with slope sqrt(5).
    """

    def __call__(self, slot: Slot, generator: torch.Generator) -> Tensor:
        """Draw a slot's first value."""
        if slot.role in ("weight", "bias"):
            bound = 1 / math.sqrt(slot.fan_in)
            return _empty(slot, generator).uniform_(-bound, bound, generator=generator)
        return _constant(slot, generator)


@dataclass(frozen=True)
class DCGANNormal:
    """The narrow normal law of DCGAN.

        weight ~ N(0, std^2),   scale ~ N(1, std^2),   bias = shift = 0

    Radford et al. 2016, arXiv:1511.06434, section 4, which speaks of weights only; the law of
    the scale is that of its authors' and of PyTorch's code.

    Args:
        std: 0.02 in the paper.
    """

    std: float = 0.02

    def __post_init__(self) -> None:
        if not (0 < self.std < math.inf):
            raise ValueError(f"std={self.std}: expected a number above 0")

    def __call__(self, slot: Slot, generator: torch.Generator) -> Tensor:
        """Draw a slot's first value."""
        if slot.role in ("weight", "scale"):
            centre = 1.0 if slot.role == "scale" else 0.0
            return _empty(slot, generator).normal_(centre, self.std, generator=generator)
        return _constant(slot, generator)


@dataclass(frozen=True)
class Kaiming:
    """Keep the size of activations from layer to layer of leaky ReLUs.

        weight ~ N(0, 2 / ((1 + slope^2) fan_in)),   scale = 1,   bias = shift = 0

    He et al. 2015, arXiv:1502.01852, eq. 10 and, for a slope, eq. 15.

    Args:
        slope: of the leaky ReLU that follows, 0 for a ReLU.
    """

    slope: float = 0.2

    def __post_init__(self) -> None:
        if not math.isfinite(self.slope):
            raise ValueError(f"slope={self.slope}: expected a finite number")

    def __call__(self, slot: Slot, generator: torch.Generator) -> Tensor:
        """Draw a slot's first value."""
        if slot.role == "weight":
            std = math.sqrt(2 / ((1 + self.slope**2) * slot.fan_in))
            return _empty(slot, generator).normal_(0, std, generator=generator)
        return _constant(slot, generator)


@dataclass(frozen=True)
class Orthogonal:
    """Weights that keep lengths: gain * Q with orthonormal rows or columns, whichever are fewer.

    Saxe et al. 2014, arXiv:1312.6120. A kernel is taken as the matrix (first axis, all others),
    as in `torch.nn.init.orthogonal_`. Scale is 1, bias and shift are 0.

    Args:
        gain: factor of Q.
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.gain < math.inf):
            raise ValueError(f"gain={self.gain}: expected a number above 0")

    def __call__(self, slot: Slot, generator: torch.Generator) -> Tensor:
        """Draw a slot's first value."""
        if slot.role == "weight":
            return nn.init.orthogonal_(_empty(slot, generator), self.gain, generator=generator)
        return _constant(slot, generator)


@dataclass(frozen=True)
class CFGNormal:
    """The law of the CFG networks: very narrow kernels between Kaiming's ends.

        weight ~ N(0, std^2) of kernels, N(0, 2 / fan_in) of matrices and of `convdim`, the shortcuts
        scale ~ U[0, 1],   bias = shift = 0

    Johnson and Zhang 2018, arXiv:1801.06309, in their PyTorch code; their C++ code has N(0, std^2) for
    all weights.

    Args:
        std: of the kernels, 0.01 in their code.
    """

    std: float = 0.01

    def __post_init__(self) -> None:
        if not (0 < self.std < math.inf):
            raise ValueError(f"std={self.std}: expected a number above 0")

    def __call__(self, slot: Slot, generator: torch.Generator) -> Tensor:
        """Draw a slot's first value."""
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
    """Fill with 1 a scale, which multiplies, and with 0 all that is added; N(0, 1) for embeddings, as torch does."""
    if slot.role == "embedding":
        return _empty(slot, generator).normal_(generator=generator)
    return torch.full(slot.shape, 1.0 if slot.role == "scale" else 0.0, device=generator.device)
