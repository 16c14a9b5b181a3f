"""SGD with separate learning rate and weight decay for biases, as in MatConvNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.adam import check_not_negative
from gansweep.update_rule import columns


@dataclass(frozen=True)
class MatConvNetSGD:
    """SGD with momentum; biases have a larger learning rate and no weight decay, as in MatConvNet.

        v <- momentum v + g + decay theta
        theta <- theta - factor lr v
        weights: decay = weight_decay, factor = 1;   all others: decay = 0, factor = bias_factor

    Convention of MatConvNet (Vedaldi and Lenc 2015, arXiv:1412.4564; `cnn_train`, whose layers have
    `learningRate` [1 2] and `weightDecay` [1 0]) and of Caffe. Equals `torch.optim.SGD` with two
    parameter groups.

    Args:
        momentum: decay rate of the buffer v.
        weight_decay: L2 penalty on weights, added to the gradient.
        bias_factor: learning-rate factor of all parameters that are not weights.
    """

    momentum: float = 0.5
    weight_decay: float = 1e-4
    bias_factor: float = 2.0
    elementwise: ClassVar[bool] = False  # biases and weights are treated differently

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum={self.momentum}: expected 0 <= momentum < 1")
        check_not_negative(self, "weight_decay", "bias_factor")

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial momentum buffer, zeros (K, P)."""
        return {"momentum": torch.zeros_like(theta)}

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        v, rate = state["momentum"].mul_(self.momentum).add_(grad), context.lr.to(theta.dtype)
        for slot, span in columns(context.slots):
            if slot.role == "weight":
                v[:, span].add_(theta[:, span], alpha=self.weight_decay)
                theta[:, span].addcmul_(v[:, span], rate, value=-1)
            else:
                theta[:, span].addcmul_(v[:, span], rate, value=-self.bias_factor)
