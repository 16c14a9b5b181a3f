"""Detection of degenerate samples, for which distances are not informative."""

from __future__ import annotations

import torch
from torch import Tensor

INVISIBLE = 1e-3  # threshold of variation: an eighth of a grey level in [-1, 1]


def degenerate(fake: Tensor) -> str | None:
    """Return a description of the fault if finite samples (N, ...) do not vary, otherwise None.

    Metric values of such samples should be reported with the description. The distance of one repeated
    image to the data is a property of the data, and can hide the collapse of a generator.

    >>> degenerate(torch.tensor([[0.5, 0.2], [0.5, 0.2], [0.5, 0.2]]))
    'all samples are equal'
    >>> degenerate(torch.tensor([0.1, 0.7, 0.4]).view(3, 1, 1, 1).expand(3, 1, 8, 8))
    'every image is of one flat colour'
    """
    dimensions = [(0,), (2, 3)] if fake.ndim == 4 else [(0,)]
    variations = [(fake.amax(over) - fake.amin(over)).max() for over in dimensions]
    equal, *flat = (torch.stack(variations) < INVISIBLE).tolist()
    if equal:
        return "all samples are equal"
    return "every image is of one flat colour" if any(flat) else None
