"""Conversions between the image range [-1, 1] and the grey levels of the descriptor's Langevin chains."""

from __future__ import annotations

from torch import Tensor


def grey(images: Tensor) -> Tensor:
    """Return grey levels 0 ... 255 of images in [-1, 1].

    >>> import torch
    >>> grey(torch.tensor([-1.0, 1.0]))
    tensor([  0., 255.])
    """
    return (images + 1) * 127.5


def proposal(fake: Tensor) -> Tensor:
    """Return the initial grey levels of the chains for generated images in [-1, 1].

    >>> import torch
    >>> proposal(torch.tensor([-1.0, 0.0, 0.001, 1.0]))
    tensor([  0., 128., 128., 256.])
    """
    return (128 * (fake + 1)).floor()


def within_range(levels: Tensor) -> Tensor:
    """Return images in the range of a generator, clipped, for grey levels.

    >>> import torch
    >>> within_range(torch.tensor([-40.0, 128.0, 300.0]))
    tensor([-0.9999,  0.0000,  0.9999])
    """
    return levels.clamp(0.01, 255.99) / 128 - 1
