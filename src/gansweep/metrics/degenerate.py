"""Detection of degenerate samples, for which distances are not informative."""

from __future__ import annotations

from torch import Tensor

INVISIBLE = 1e-3  # threshold of variation: an eighth of a grey level in [-1, 1]


def degenerate(fake: Tensor) -> str | None:
    """Return a description of the fault if finite samples (N, ...) do not vary, otherwise None.

    Metric values of such samples should be reported with the description. The distance of one repeated
    image to the data is a property of the data, and can hide the collapse of a generator.

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
