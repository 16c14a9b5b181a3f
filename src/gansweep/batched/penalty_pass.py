"""One gradient penalty of each member of a pack, in one pass of the discriminator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gansweep.batched import transforms
from gansweep.batched.member import kind, runs
from gansweep.batched.random_streams import finished
from gansweep.batched.scheduled import Scheduled, ValueAt
from gansweep.interfaces import Penalty
from gansweep.layers import Network, Pass
from gansweep.layers.network import Params


@dataclass
class PenaltyInputs:
    """Random inputs of one penalty pass: u for every kind of penalty, (n, B, ...), and dropout masks for B samples."""

    u: list[Tensor]
    masks: list[Tensor] = field(default_factory=list)


class PenaltyPass:
    """One penalty of each of the first n members, evaluated in one pass of the discriminator.

    With lazy regularisation (`every`), only the members that are due in this update are evaluated.
    """

    def __init__(self, penalties: Sequence[Penalty], factors: Sequence[ValueAt], device: torch.device) -> None:
        self.count = len(penalties)
        self.kinds: list[tuple[Penalty, slice]] = runs(kind(penalty) for penalty in penalties)
        self.weights = torch.tensor([penalty.weight for penalty in penalties], device=device)
        self.factors = Scheduled(factors, device)
        self.every = [getattr(penalty, "every", 1) for penalty in penalties]
        self.factors_if_due = self.weights.new_tensor(self.every)
        self.due: list[bool] | None = None  # of every member in this update; None: all, with their weight

    def set_updates(self, updates: Sequence[int] | None) -> None:
        """Set which members are due, given their earlier updates; None: evaluate all, with their average weight."""
        lazy = updates is not None and any(every > 1 for every in self.every)
        self.due = [n % every == 0 for n, every in zip(updates or (), self.every, strict=True)] if lazy else None

    @property
    def has_closed_form(self) -> bool:
        """Whether all members are due in this update, and all scores are functions of the input gradient alone."""
        return self.due is None and not any(penalty.needs_logits for penalty, _ in self.kinds)

    def finished(self, drawn: Sequence[Tensor], batch_size: int, shape: tuple[int, ...]) -> list[Tensor]:
        """Return u of every kind, converted from random integers; `shape` is that of a sample."""
        return [
            finished(transforms.uniform_of, u, batch_size, *entries(penalty, shape))
            for (penalty, _), u in zip(self.kinds, drawn, strict=True)
        ]

    def points(self, real: Tensor, fake: Tensor, given: PenaltyInputs) -> Tensor:
        """Return the points x_hat (n, B, ...) of all members."""
        kinds = [(penalty, rows, u, rows.start) for (penalty, rows), u in zip(self.kinds, given.u, strict=True)]
        return points(kinds, real, fake)

    def of_gradient(self, gradient: Tensor) -> Tensor:
        """Return weight * E[score(dD/dx)] as (n,) for the input gradients (n, B, ...) of all members."""
        scores = join([penalty.score(gradient[rows]) for penalty, rows in self.kinds])
        return self.weights * self.factors.now.squeeze(1) * scores.mean(1)

    def __call__(
        self,
        network: Network,
        params: Params,
        buffers: dict[str, Tensor],
        real: Tensor,
        fake: Tensor,
        given: PenaltyInputs,
        labels: Tensor | None = None,
    ) -> Tensor:
        """Return weight * E[score(dD/dx (x_hat), D(x_hat))] as (n,), times `every` or 0 with lazy regularisation.

        `labels` (n, B) are those of the real and of the generated sample at each place of the batch.
        """

        def values(rows: slice) -> Tensor:
            return self._values(rows, network, params, buffers, real, fake, given, labels)

        if self.due is None:
            return values(slice(0, self.count))
        factors = self.factors_if_due
        parts = [
            (values(rows) * factors[rows] if due else torch.zeros_like(factors[rows])) for due, rows in runs(self.due)
        ]
        return join(parts)

    def _values(
        self,
        among: slice,
        network: Network,
        params: Params,
        buffers: dict[str, Tensor],
        real: Tensor,
        fake: Tensor,
        given: PenaltyInputs,
        labels: Tensor | None,
    ) -> Tensor:
        """Return weight * E[score] of some adjacent members."""
        first = among.start
        kinds = [
            (penalty, slice(max(at.start, first), min(at.stop, among.stop)), u, at.start)
            for (penalty, at), u in zip(self.kinds, given.u, strict=True)
            if max(at.start, first) < min(at.stop, among.stop)
        ]
        x_hat = points(kinds, real, fake)

        def of(rows: slice) -> tuple[Params, Tensor, Pass]:
            # For all rows, use a view instead of a slice: the backward pass of a slice would fill a matrix
            # with zeros. A view accumulates the contributions of a pass before they are added to the gradient,
            # in the same order as a slice does.
            if rows == slice(0, len(params[0])):
                return [p.view_as(p) for p in params], x_hat, Pass(given.masks, buffers, labels=labels)
            masks, of_rows = [mask[rows] for mask in given.masks], {name: b[rows] for name, b in buffers.items()}
            state = Pass(masks, of_rows, labels=None if labels is None else labels[rows])
            return [p[rows] for p in params], x_hat[rows.start - first : rows.stop - first], state

        input_gradient = network.input_gradient(*of(among))
        scores = []
        for penalty, rows, *_ in kinds:
            logits = network(*of(rows))[..., 0] if penalty.needs_logits else None
            own = input_gradient[rows.start - first : rows.stop - first] if len(kinds) > 1 else input_gradient
            scores.append(penalty.score(own, logits))
        return self.weights[among] * self.factors.now[among].squeeze(1) * join(scores).mean(1)


def entries(penalty: Penalty, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of u for one sample of a given shape."""
    return shape if penalty.noise == "entry" else (1,) * len(shape)


def points(kinds: Sequence[tuple[Penalty, slice, Tensor, int]], real: Tensor, fake: Tensor) -> Tensor:
    """Return the points x_hat of adjacent members, given penalties with their rows, draws, and first row of these."""
    return join(
        [
            penalty.points(real[rows], fake[rows], u[rows.start - start : rows.stop - start])
            for penalty, rows, u, start in kinds
        ]
    )


def join(parts: Sequence[Tensor]) -> Tensor:
    """Return parts (n, ...) of adjacent members as one tensor (K, ...)."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))
