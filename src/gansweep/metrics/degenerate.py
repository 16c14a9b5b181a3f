"""Outputs of which a distance is computed like of any other, but says little."""

from __future__ import annotations

from torch import Tensor

INVISIBLE = 1e-3  # an eighth of a grey level in [-1, 1]


def degenerate(fake: Tensor) -> str | None:
    """Say what is wrong with finite samples (N, ...) in which nothing varies, or return None.

    A value of such samples belongs beside the remark: the distance of one repeated image to the data
    is a property of the data, and an early or collapsed generator is easily taken for a slow one.

    >>> import torch
    >>> degenerate(torch.tensor([[0.5, 0.2], [0.5, 0.2], [0.5, 0.2]]))
    'all samples are equal'
    >>> degenerate(torch.tensor([0.1, 0.7, 0.4]).view(3, 1, 1, 1).expand(3, 1, 8, 8))
    'every image is of one flat colour'
    """
    if (fake.amax(0) - fake.amin(0)).max() < INVISIBLE:
        return "all samples are equal"
    if fake.ndim == 4 and (fake.amax((2, 3)) - fake.amin((2, 3))).max() < INVISIBLE:
        return "every image is of one flat colour"
    return None
