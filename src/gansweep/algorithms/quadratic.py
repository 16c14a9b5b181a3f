"""Minimisation of a noisy quadratic, for K members as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.algorithms.one_player import OnePlayerPack, Report
from gansweep.algorithms.refuse import of_two_players, refuse
from gansweep.batched.divergence import Cause
from gansweep.batched.member import Member
from gansweep.batched.pack import PackSettings, finite
from gansweep.interfaces import Model
from gansweep.layers import Pass
from gansweep.models.point import Point

EXAMPLE = (
    "algorithm=quadratic: goes with model=point ~loss data=gaussian metric=wasserstein1, "
    "as in experiment=forsyth_quadratic"
)


@dataclass(frozen=True)
class Quadratic:
    """Minimisation of an ill-conditioned quadratic.

        f(theta) = E[ (eps (theta_1 - x_1)^2 + (theta_2 - x_2)^2) / 2 ]

    Forsyth, "Building a working autoencoder - III, Optimization tricks", for which gradient descent and momentum have
    closed forms if all x are 0 (`data=gaussian data.std=0`): `gansweep.quadratic`. Otherwise the
    minimum is the mean of x and gradients are noisy: the noisy quadratic model of Zhang et al. 2019, arXiv:1907.04164.

    Records hold theta at every point of the curves.

    Args:
        eps: curvature along the first coordinate. The curvature along the second is 1.
    """

    eps: float = 0.01
    alone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 < self.eps <= 1:
            raise ValueError(f"eps={self.eps}: expected a number above 0, 1 or less")

    def check(self, run: Any) -> None:
        """Raise ValueError if a run has unsupported settings, with one line for each."""
        shape = tuple(run.data.sample_shape)
        problems = [
            *of_two_players(run),
            (
                not isinstance(run.model, Point),
                f"model={run.model!r}: algorithm=quadratic trains a point, expected model=point",
            ),
            (shape != (2,), f"data={run.data.name}: samples are {shape}, expected points of shape (2,)"),
        ]
        refuse(problems, EXAMPLE)

    def pack(self, runs: Sequence[Any], samples: Tensor) -> QuadraticPack:
        """Return the pack of runs that differ in their members only."""
        members = [run.member for run in runs]
        return QuadraticPack(members, runs[0].model, samples, PackSettings.of(runs[0]), eps=self.eps)


class QuadraticPack(OnePlayerPack):
    """K independent points theta that minimise the same quadratic.

    Args:
        members: settings of every member.
        model: its generator holds theta.
        samples: minima x of the quadratic (N, 2).
        settings: settings of every pack.
        eps: curvature along the first coordinate.
    """

    def __init__(
        self,
        members: Sequence[Member],
        model: Model,
        samples: Tensor,
        settings: PackSettings,
        *,
        eps: float,
    ) -> None:
        super().__init__(members, samples, {"generator": model.generator(tuple(samples.shape[1:]))}, 1, settings)
        self.curvature = torch.tensor([eps, 1.0], device=self.device)
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
        self.monitor.record(Cause.NON_FINITE_SAMPLES, ~finite(self.g.theta), self.step)
        self.check_divergence(self.g.theta[:, None], gradient)
        return Report(list(self.done), loss, gradient)

    def custom_scalars(self, k: int) -> dict[str, Tensor]:
        """Return theta of member k as x and y."""
        x, y = self.g.theta[self.place[k]].unbind()
        return {"x": x, "y": y}
