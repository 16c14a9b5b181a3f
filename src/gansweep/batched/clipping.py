"""Gradient clipping, separately for each member."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.layers.layer import row_sum

EPS = 1e-6  # as in torch.nn.utils.clip_grad_norm_


class Clipping:
    """Gradient clipping by value and by norm, before the update rule.

        g <- clamp(g, -value, value)
        g <- g min(1, norm / (||g||_2 + 1e-6)),   ||g||_2 over all parameters of one network of one member

    Pascanu et al. 2013, arXiv:1211.5063, algorithm 1, for the norm; as `torch.nn.utils.clip_grad_value_` and
    `torch.nn.utils.clip_grad_norm_`. With both, the norm is that of the clamped gradient. The norm is summed slot by
    slot, so that it does not depend on the division into chunks, which the optimizers of other members change.

    Args:
        norms: bound on the gradient norm of every member; None for no bound.
        values: bound on the absolute value of the entries of every member; None for no bound.
        sizes: number of entries of the slots in every chunk.
        device: of the gradients.
    """

    def __init__(
        self,
        norms: Sequence[float | None],
        values: Sequence[float | None],
        sizes: Sequence[Sequence[int]],
        device: torch.device,
    ) -> None:
        self.norms, self.values = _bounds(norms, device), _bounds(values, device)
        self.sizes = [list(chunk) for chunk in sizes]
        self.active = self.norms is not None or self.values is not None

    def __call__(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return clipped gradients, given those of the chunks, (K, P_i) each. Members without bounds keep theirs."""
        if self.values is not None:
            bound = self.values.to(gradients[0].dtype)
            gradients = [gradient.clamp(-bound, bound) for gradient in gradients]
        if self.norms is None:
            return gradients
        parts = [
            row_sum(part.square())
            for gradient, sizes in zip(gradients, self.sizes, strict=True)
            for part in gradient.split(sizes, 1)
        ]
        norm, bound = row_sum(torch.cat(parts, 1)).sqrt(), self.norms.to(parts[0].dtype)
        factor = torch.where(bound.isinf(), 1.0, (bound / (norm + EPS)).clamp(max=1.0))
        return [gradient * factor for gradient in gradients]


def _bounds(bounds: Sequence[float | None], device: torch.device) -> Tensor | None:
    """Return bounds (K, 1), infinite where there is none; None without any."""
    if all(bound is None for bound in bounds):
        return None
    return torch.tensor([[float("inf") if bound is None else bound] for bound in bounds], device=device)
