"""The two scales of CoopNets: [-1, 1], and the grey levels in which the descriptor's chains walk."""

from __future__ import annotations

from torch import Tensor


def grey(images: Tensor) -> Tensor:
    """Turn [-1, 1] into the grey levels 0 ... 255 that the pictures were stored in.

    >>> import torch
    >>> grey(torch.tensor([-1.0, 1.0]))
    tensor([  0., 255.])
    """
    return (images + 1) * 127.5


def proposal(fake: Tensor) -> Tensor:
    """Turn what a generator made into the grey levels where chains begin.

    >>> import torch
    >>> proposal(torch.tensor([-1.0, 0.0, 0.001, 1.0]))
    tensor([  0., 128., 128., 256.])
    """
    return (128 * (fake + 1)).floor()


def within_range(levels: Tensor) -> Tensor:
    """Turn grey levels into what a generator can make.

    >>> import torch
    >>> within_range(torch.tensor([-40.0, 128.0, 300.0]))
    tensor([-0.9999,  0.0000,  0.9999])
    """
    return levels.clamp(0.01, 255.99) / 128 - 1
