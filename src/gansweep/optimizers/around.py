"""What rules that hold another one have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from torch import Tensor

from gansweep.interfaces import Averaging, Beta, Outlook, Remarking, Remembering, Slot, UpdateRule


@dataclass(frozen=True)
class Around:
    """A rule that lets another one step, whose state it keeps under `of/`.

    Args:
        of: the rule, whose step must begin where the parameters are.
    """

    of: UpdateRule

    def __post_init__(self) -> None:
        if isinstance(self.of, Averaging):
            raise ValueError(f"of={self.of!r}: expected a rule that does not keep the parameters elsewhere")

    @property
    def elementwise(self) -> bool:
        """As the rule inside."""
        return self.of.elementwise

    @property
    def memory(self) -> float:
        """Of the rule inside."""
        return self.of.memory if isinstance(self.of, Remembering) else 0.0

    def remarks(self, outlook: Outlook) -> list[str]:
        """Those of the rule inside."""
        return [f"of.{said}" for said in self.of.remarks(outlook)] if isinstance(self.of, Remarking) else []

    def state_inside(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Make the other rule's state."""
        return {f"of/{name}": value for name, value in self.of.state(slots, theta).items()}

    def step_inside(
        self,
        slots: Sequence[Slot],
        theta: Tensor,
        gradient: Tensor,
        state: Mapping[str, Tensor],
        lr: Tensor,
        step: Tensor,
        beta: Beta | None = None,
    ) -> None:
        """Let the other rule move `theta` (K, P)."""
        inner = {name[3:]: value for name, value in state.items() if name.startswith("of/")}
        if beta is None:
            self.of.update(slots, theta, gradient, inner, lr, step)
        else:
            cast("Remembering", self.of).update(slots, theta, gradient, inner, lr, step, beta)
