"""One optimizer step on a noisy quadratic for K members as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gansweep.algorithms.one_player import OnePlayerPack, Report
from gansweep.batched.divergence import Cause
from gansweep.batched.member import Member
from gansweep.batched.pack import finite
from gansweep.interfaces import Model
from gansweep.layers import Pass

if TYPE_CHECKING:
    from gansweep.algorithms.quadratic.settings import Quadratic


class QuadraticPack(OnePlayerPack):
    """K independent points theta that minimise the same quadratic.

    Args:
        members: settings of every member.
        model: its generator holds theta.
        samples: minima x of the quadratic (N, 2).
        algorithm: its curvature.
        shared: batch_size, precision, check_every, patience and draw_ahead, see `Pack`.
    """

    def __init__(
        self,
        members: Sequence[Member],
        model: Model,
        samples: Tensor,
        algorithm: Quadratic,
        **shared: Any,
    ) -> None:
        super().__init__(members, samples, {"generator": model.generator(tuple(samples.shape[1:]))}, 1, **shared)
        self.curvature = torch.tensor([algorithm.eps, 1.0], device=self.device)
        self.draws.plan_batches(len(samples), self.batch_size, 1)

    def play(self) -> Report:
        """Train one step: the mean loss of a batch and its gradient step."""
        x = self.samples[self.draws.next("order")]

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            theta = self.g.network(params, x, Pass())
            loss = (self.curvature * (theta - x).square()).sum(2).mean(1) / 2
            return loss.sum(), loss.detach()

        loss, gradient = self.g.descend(losses)
        self.average()
        self.watch.see(Cause.NON_FINITE_SAMPLES, ~finite(self.g.theta), self.step)
        self.look(self.g.theta[:, None], gradient)
        return Report(list(self.done), loss, gradient)

    def kept(self, k: int) -> dict[str, float]:
        """Return theta of member k as x and y."""
        x, y = self.g.theta[self.place[k]].tolist()
        return {"x": x, "y": y}
