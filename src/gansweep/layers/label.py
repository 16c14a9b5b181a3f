"""The embedding of the only label there is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.layers.layer import Parameterless, Pass


class AppendLabel(Parameterless):
    """y = (x, e / ||e||_2) with a learned vector e (1, size), the same for all samples.

    What a network with `torch.nn.Embedding(1, size)` is given beside z when all samples have label 0.
    """

    piecewise_linear = False

    def __init__(self, name: str, size: int) -> None:
        self.slots = (Slot(f"{name}.weight", (1, size), "embedding"),)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map (K, B, D) -> (K, B, D + size)."""
        (e,) = params
        return torch.cat([x, (e / e.norm(dim=2, keepdim=True)).expand(-1, x.shape[1], -1)], 2)
