"""Members of a pack that share an update rule."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from gansweep.interfaces import Beta, OnHost, UpdateContext, UpdateRule


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
