"""Members of a pack that share an update rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from gansweep.batched.fused_update import Part
from gansweep.batched.parameter_chunks import Chunks
from gansweep.interfaces import Beta, OnHost, Slot, UpdateContext, UpdateRule


class Group(NamedTuple):
    """Adjacent members that share an update rule, and its state for every parameter chunk."""

    rule: UpdateRule
    beta_is_scheduled: bool
    rows: slice
    state: list[dict[str, Tensor]]

    def context(self, of_all: UpdateContext) -> UpdateContext:
        """Return the rows of this group of the context of all members."""
        rows, beta, on_host = self.rows, of_all.beta, of_all.on_host
        return UpdateContext(
            of_all.lr[rows],
            of_all.step[rows],
            of_all.slots,
            Beta(beta.now[rows], beta.product[rows]) if beta is not None and self.beta_is_scheduled else None,
            OnHost(on_host.lr[rows], on_host.step[rows]) if on_host is not None else None,
        )

    def part(self, chunks: Chunks, theta: Tensor, gradients: Sequence[Tensor]) -> Part:
        """Return what a fused update needs, given the parameters and gradients of the single chunk of all members."""
        pieces = [gradient[self.rows] for gradient in gradients]
        return Part(chunks.slots[0], theta[self.rows], pieces, chunks.gaps_of(pieces), self.state[0])

    def reset(self, slots: Sequence[Sequence[Slot]], chunks: Sequence[Tensor]) -> None:
        """Set the state to its initial value, given the slots and the parameters (K, P_i) of every chunk."""
        for own, theta, state in zip(slots, chunks, self.state, strict=True):
            for name, value in self.rule.state(own, theta[self.rows]).items():
                state[name].copy_(value)

    def export(self, row: int, chunks: Chunks) -> dict[str, Tensor]:
        """Return the state of one member of the group, independent of the division into chunks."""
        return {name: chunks.join_state([state[name][row] for state in self.state]) for name in self.state[0]}

    def restore(self, row: int, saved: Mapping[str, Tensor], chunks: Chunks) -> None:
        """Restore the state of one member of the group."""
        for name, value in saved.items():
            for state, part in zip(self.state, chunks.divide_state(value), strict=True):
                state[name][row].copy_(part)
