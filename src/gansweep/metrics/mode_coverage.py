"""How many modes of a toy are reached, and how many points lie near one."""

from __future__ import annotations

from torch import Tensor


def mode_coverage(points: Tensor, centres: Tensor, radius: float) -> tuple[int, float]:
    """Count the centres (M, 2) nearest to some good point of (N, 2), and give the share of good ones.

    A point is good within `radius` of its nearest centre; Metz et al. 2017, arXiv:1611.02163,
    and Srivastava et al. 2017, arXiv:1705.07761, section 5, take three standard deviations.

    >>> import torch
    >>> corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
    >>> mode_coverage(torch.tensor([[1.0, 0.9], [1.1, 1.0], [0.0, 0.0], [1.0, -1.0]]), corners, 0.3)
    (2, 0.75)
    """
    nearest = (points.double()[:, None] - centres.double()).norm(dim=2).min(dim=1)
    good = nearest.values <= radius
    return len(nearest.indices[good].unique()), good.double().mean().item()
