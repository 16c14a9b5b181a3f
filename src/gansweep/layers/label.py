"""Label embedding for unconditional use of conditional networks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.layers.layer import Parameterless, Pass


class AppendLabel(Parameterless):
    """Concatenate a normalised label embedding to the input: y = (x, e / ||e||_2).

    e (1, size) is learned and the same for all samples. It corresponds to `torch.nn.Embedding(1, size)`
    of a conditional network when all samples have label 0.
    """

    piecewise_linear = False

    def __init__(self, name: str, size: int) -> None:
        self.slots = (Slot(f"{name}.weight", (1, size), "embedding"),)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return y (K, B, D + size) for x (K, B, D)."""
        (e,) = params
        return torch.cat([x, (e / e.norm(dim=2, keepdim=True)).expand(-1, x.shape[1], -1)], 2)
