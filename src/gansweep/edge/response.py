"""Response of one player's optimizer to the gradients at a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gansweep.edge.linear_rule import LinearRule, NotLinear
from gansweep.interfaces import Slot, UpdateContext, UpdateRule

UPDATES = 300  # by the gradients in turn, so that a mean without correction of its bias is complete
NEGLIGIBLE = 1e-6  # size of an entry's gradients, relative to those of its player, that counts as zero
SAME = 1e-3  # relative difference of two responses that counts as none


@dataclass(frozen=True)
class Response:
    """Update rule of one player, and how it responds to the gradients at a point.

    Args:
        rule: the optimizer.
        gradients: gradients (T, 1) of a reference entry.
        scale: response of every parameter to a unit gradient, relative to that of the reference entry, (1, P).
    """

    rule: UpdateRule
    gradients: Tensor
    scale: Tensor

    @classmethod
    def measured(cls, rule: UpdateRule, gradients: Tensor) -> Response:
        """Return the response of an update rule after the gradients (T, P) of several batches.

        Entries whose gradients are zero, such as the last bias of a Wasserstein critic, do not move.

        Raises:
            NotLinear: its update has no linear part, or the responses of two entries differ by more than a factor.
        """
        sizes = gradients.square().mean(0).sqrt()
        used = sizes > NEGLIGIBLE * sizes.square().mean().sqrt()
        if not used.any():
            raise NotLinear("no linear part: all gradients are zero")
        moving, slots = gradients[:, used], [Slot("x", (int(used.sum()),))]
        lr = torch.ones(1, 1, dtype=torch.float64)
        linear = LinearRule(rule, slots, _state_after(rule, slots, moving, lr), lr, UPDATES)
        zeros = torch.zeros_like(moving[:1])
        at_once, *state = linear(linear.zeros(), zeros + 1)
        later = linear([zeros, *state], zeros)[0]
        ratio, size = later / at_once, at_once.abs()
        if not (ratio - ratio.median()).abs().max() <= SAME * max(1.0, abs(ratio.median().item())):
            raise NotLinear("no linear part: the entries respond at different speeds")
        middle = int((size - size.median()).abs().argmin())
        scale = gradients.new_zeros(1, gradients.shape[1])
        scale[:, used] = size / size[0, middle]
        return cls(rule, moving[:, middle : middle + 1], scale)

    def at(self, lr: Sequence[float], width: int) -> LinearRule:
        """Return the linear update of `width` reference entries at K learning rates."""
        rates, slots = torch.tensor(lr, dtype=torch.float64)[:, None], [Slot("x", (1,))]
        state = _state_after(self.rule, slots, self.gradients, rates)
        wide = {name: value.expand(-1, width) if value.ndim == 2 else value for name, value in state.items()}
        return LinearRule(self.rule, [Slot("x", (width,))], wide, rates, UPDATES)


def _state_after(rule: UpdateRule, slots: Sequence[Slot], gradients: Tensor, lr: Tensor) -> dict[str, Tensor]:
    """Return the state of a rule after `UPDATES` updates by gradients (T, P), in turn, at theta = 0, for rates (K, 1).

    Raises:
        NotLinear: the rule is not elementwise.
    """
    if not rule.elementwise:
        raise NotLinear("no linear part by entries: its update is not elementwise")
    theta = gradients.new_zeros(len(lr), gradients.shape[1])
    state = rule.state(slots, theta)
    for n in range(UPDATES):
        gradient, step = gradients[n % len(gradients)], torch.full_like(lr, n + 1)
        rule.update(theta.clone(), gradient.expand(len(lr), -1), state, UpdateContext(lr, step, slots))
    return state
