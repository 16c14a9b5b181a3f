"""Linear part of an optimizer's update about a gradient of zero, and its response to the gradients at a point."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext, UpdateRule

Kind = Literal["linear", "even"]
STEP = 1e-13  # size of the perturbations: far below every second moment, and about 0, so that nothing cancels
MANY, SLOW = 500, 1e-9  # updates after which a gradient has no further effect; factor of the rates during them
TOLERANCE = 1e-3  # relative deviation from a linear map
UPDATES = 300  # by the gradients in turn, so that a mean without correction of its bias is complete
NEGLIGIBLE = 1e-6  # size of an entry's gradients, relative to those of its player, that counts as zero
SAME = 1e-3  # relative difference of two responses that counts as none


class NotLinear(ValueError):
    """Error: the update of an optimizer has no linear part, for example because it uses the gradient's sign."""


class LinearRule:
    """Linear map of one update of one player.

    The state of an optimizer consists of tensors that change their sign with the gradients, such as momentum m, and of
    tensors that do not, such as second moments h. The update F is linearized about theta = 0, m = 0 and gradient 0,
    with the second moments of a training,

        (theta', m') = L (theta, m, g),   L = dF / d(theta, m, g) at (0, 0, 0; h)

    The second moments have no first-order change there, so h acts as a fixed preconditioner, as in Cohen et al. 2022,
    arXiv:2207.14484, section 2, but for any update rule: L is the rule itself, applied to small perturbations.

    A vector is a list of tensors (K, P): the parameters, then the linear state tensors.

    Args:
        rule: the optimizer.
        slots: its slots.
        state: state after some updates; tensors are (K, P), or do not depend on the parameters.
        lr: learning rates (K, 1), in float64, as the state.
        updates: number of updates so far.

    Raises:
        NotLinear: the update is not linear, as that of Lion or a rule with a mask.
    """

    def __init__(
        self, rule: UpdateRule, slots: Sequence[Slot], state: Mapping[str, Tensor], lr: Tensor, updates: int
    ) -> None:
        self.rule, self.width = rule, sum(_numel(slot) for slot in slots)
        self.context = UpdateContext(lr, torch.full_like(lr, updates), slots)
        self.kinds = classified(rule, slots)
        self.names = [name for name, kind in self.kinds.items() if kind == "linear"]
        self.period = period(rule)
        self.state = {n: torch.zeros_like(v) if n in self.names else v.clone() for n, v in state.items()}
        self.state = self._with_kept_moments()
        self._check()

    def zeros(self) -> list[Tensor]:
        """Return the zero vector."""
        return [self._zero() for _ in range(1 + len(self.names))]

    def __call__(self, vector: Sequence[Tensor], gradient: Tensor, number: int = 0) -> list[Tensor]:
        """Return L applied to a vector and a gradient (K, P).

        `number` is the number of updates since the linearization, for a rule that depends on it.
        """
        theta, *linear = (value * STEP for value in vector)
        state = {name: value.clone() for name, value in self.state.items()} | dict(zip(self.names, linear, strict=True))
        context = self.context._replace(step=self.context.step + number)
        self.rule.update(theta, gradient * STEP, state, context)
        return [value / STEP for value in (theta, *(state[name] for name in self.names))]

    def repeated(self, times: int) -> LinearRule:
        """Return the map with each row repeated, so that several vectors are mapped at each rate, (K * times, P)."""
        rows = copy.copy(self)
        rows.state = {name: value.repeat_interleave(times, 0) for name, value in self.state.items()}
        rows.context = self.context._replace(
            lr=self.context.lr.repeat_interleave(times, 0), step=self.context.step.repeat_interleave(times, 0)
        )
        return rows

    def total_response(self) -> np.ndarray:
        """Return the change of a parameter, after many updates, by one gradient of 1, (K, 1).

        It is computed at rates at which decay of the parameters has no effect, and is proportional to the rate.
        """
        slow, size = copy.copy(self), 1 + len(self.names)
        slow.context = self.context._replace(lr=self.context.lr * SLOW)
        slow.width, slow.state = 1, {n: value[:, :1] if value.ndim == 2 else value for n, value in self.state.items()}
        start = torch.stack(slow(slow.zeros(), slow._zero() + 1), 1).numpy()
        units = slow.repeated(size)
        vector = list(torch.eye(size, dtype=torch.float64).repeat(len(start), 1)[:, :, None].unbind(1))
        for number in range(1, self.period + 1):
            vector = units(vector, units._zero(), number)
        matrix = torch.stack(vector, 1).reshape(len(start), size, size).mT.numpy()
        end = np.linalg.matrix_power(matrix, MANY // self.period) @ start
        return end[:, 0] / SLOW

    def _zero(self) -> Tensor:
        return torch.zeros(len(self.context.lr), self.width, dtype=self.context.lr.dtype)

    def _with_kept_moments(self) -> dict[str, Tensor]:
        """Return the state with second moments that an update with gradient 0 changes into the given ones."""
        after = {name: value.clone() for name, value in self.state.items()}
        self.rule.update(self._zero(), self._zero(), after, self.context)
        kept = dict(self.state)
        for name, before in self.state.items():
            if self.kinds[name] == "even" and before.is_floating_point():
                scales = (before > 0) & (after[name] > 0)
                kept[name] = torch.where(scales, before * (before / after[name]), before)
        return kept

    def _check(self) -> None:
        """Raise NotLinear if the map is not additive, or does not map zero to zero."""
        generator = torch.Generator().manual_seed(0)

        def random() -> Tensor:
            return torch.randn(self._zero().shape, generator=generator).to(self._zero())

        if any(value.any() for value in self(self.zeros(), self._zero())):
            raise NotLinear("no linear part near a gradient of zero: the parameters change without a gradient")
        (a, g), (b, h) = (([random() for _ in self.zeros()], random()) for _ in range(2))
        total = self([x + y for x, y in zip(a, b, strict=True)], g + h)
        if any(not _close(w, x + y) for w, x, y in zip(total, self(a, g), self(b, h), strict=True)):
            raise NotLinear("no linear part near a gradient of zero: the step is not proportional to the gradient")


def period(rule: UpdateRule) -> int:
    """Return the number of updates after which a rule repeats itself: k of Lookahead, 1 of others."""
    inside = getattr(rule, "of", None)
    return 1 if inside is None else math.lcm(int(getattr(rule, "k", 1)), period(inside))


def classified(rule: UpdateRule, slots: Sequence[Slot]) -> dict[str, Kind]:
    """Return whether each state tensor changes its sign with the gradients (linear) or not (even).

    Both are tried: updates with random gradients, and with the opposite ones.

    Raises:
        NotLinear: a tensor does neither.
    """
    width, generator = sum(_numel(slot) for slot in slots), torch.Generator().manual_seed(1)
    gradients = torch.randn(1 + period(rule), 1, width, generator=generator)
    one, after = torch.ones(1, 1, dtype=torch.float64), []
    for sign in (1, -1):
        theta = torch.zeros_like(gradients[0])
        state = rule.state(slots, theta)
        start = {name: value.clone() for name, value in state.items()}
        for n, gradient in enumerate(gradients):
            rule.update(theta, sign * gradient, state, UpdateContext(one.to(theta.dtype), one * (n + 1), slots))
        after.append(state)
    kinds: dict[str, Kind] = {}
    for name, value in after[0].items():
        if not value.is_floating_point() or _close(value, after[1][name]):
            kinds[name] = "even"
        elif _close(value, -after[1][name]) and not start[name].any():
            kinds[name] = "linear"
        else:
            raise NotLinear(f"no linear part near a gradient of zero: its state {name} is neither even nor odd")
    return kinds


def _numel(slot: Slot) -> int:
    return math.prod(slot.shape)


def _close(one: Tensor, other: Tensor) -> bool:
    error = (one.double() - other.double()).norm().item()
    return error <= TOLERANCE * max(one.double().norm().item(), other.double().norm().item())


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
