"""Base class of optimizers that wrap another optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gansweep.interfaces import RunLength, Slot, UpdateContext, UpdateRule


@dataclass(frozen=True)
class Wrapper:
    """Base class of update rules that wrap another rule and store its state under the prefix `of/`.

    Args:
        of: the wrapped rule; a rule with evaluation parameters of its own (`evaluated`) is not accepted.
    """

    of: UpdateRule

    def __post_init__(self) -> None:
        if hasattr(self.of, "evaluated"):
            raise ValueError(f"of={self.of!r}: expected a rule without averaged parameters")

    @property
    def elementwise(self) -> bool:
        """Whether the wrapped rule is elementwise."""
        return self.of.elementwise

    @property
    def memory(self) -> float:
        """Return beta1 or the momentum of the wrapped rule, 0 if it has none."""
        return getattr(self.of, "memory", 0.0)

    def without_effect(self, length: RunLength) -> list[str]:
        """Return the warnings of the wrapped rule, with setting names prefixed by `of.`."""
        of: Any = self.of
        return [f"of.{warning}" for warning in of.without_effect(length)] if hasattr(of, "without_effect") else []

    def state_inside(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the wrapped rule's initial state, keys prefixed with `of/`."""
        return {f"of/{name}": value for name, value in self.of.state(slots, theta).items()}

    def update_inside(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) in place by one step of the wrapped rule."""
        inner = {name[3:]: value for name, value in state.items() if name.startswith("of/")}
        self.of.update(theta, grad, inner, context)
