"""A point that descends into a bowl: what an optimizer does where everything can be computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from gansweep.algorithms.refuse import of_two_players, refuse
from gansweep.interfaces import Model
from gansweep.layers import Pass
from gansweep.members.draws import Draws
from gansweep.members.member import Member
from gansweep.members.pack import Pack, finite
from gansweep.models.point import Point

if TYPE_CHECKING:
    from gansweep.training.run import Run


EXAMPLE = (
    "algorithm=quadratic: goes with model=point ~loss data=gaussian metric=wasserstein1, "
    "as in experiment=forsyth_quadratic"
)


@dataclass(frozen=True)
class Quadratic:
    """Descent of an ill-conditioned quadratic.

        f(theta) = E[ (eps (theta_1 - x_1)^2 + (theta_2 - x_2)^2) / 2 ]

    Forsyth, "Building a working autoencoder - III, Optimization tricks", on which gradient descent and momentum have
    closed forms where all x are 0 (`data=gaussian data.std=0`): `gansweep.quadratic.closed_form`. With other x the
    minimum is their mean and gradients are noisy, the noisy quadratic model of Zhang et al. 2019, arXiv:1907.04164.

    Records keep theta at every point of the curves.

    Args:
        eps: curvature along the first coordinate, that along the second is 1.
    """

    eps: float = 0.01
    alone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 < self.eps <= 1:
            raise ValueError(f"eps={self.eps}: expected a number above 0, 1 or less")

    def check(self, run: Run) -> None:
        """Raise ValueError, naming the settings, if a run's parts are not a point and where it shall go."""
        shape = tuple(run.data.sample_shape)
        found = [
            *of_two_players(run),
            (not isinstance(run.model, Point), f"model={run.model!r}: a point descends, expected model=point"),
            (shape != (2,), f"data={run.data.name}: samples are {shape}, expected points in the plane"),
        ]
        refuse(found, EXAMPLE)

    def pack(self, runs: Sequence[Run], samples: Tensor) -> QuadraticPack:
        """Put runs that share everything but their members side by side."""
        return QuadraticPack.of(runs, samples, algorithm=self)


@dataclass
class Report:
    """What happened in one step, with one value per row of the pack."""

    steps: list[int]
    loss: Tensor
    gradient: Tensor


class QuadraticPack(Pack[Report]):
    """K points on one bowl.

    Args:
        members: what each of them chooses for itself.
        model: whose generator is the point.
        samples: where the bowl is (N, 2).
        algorithm: its curvature.
        draw_ahead: random numbers of many steps at once; by itself, wherever it is no CPU.
        shared: batch_size, precision, check_every and patience, see `Pack`.
    """

    def __init__(
        self,
        members: Sequence[Member],
        model: Model,
        samples: Tensor,
        algorithm: Quadratic,
        *,
        draw_ahead: bool | None = None,
        **shared: Any,
    ) -> None:
        super().__init__(members, samples, {"generator": model.generator(tuple(samples.shape[1:]))}, 1, **shared)
        self.curvature = torch.tensor([algorithm.eps, 1.0], device=self.device)
        self.draws = Draws(self.streams, self.device, ahead=draw_ahead)
        self.draws.plan_batches(len(samples), self.batch_size, 1)

    def play(self) -> Report:
        """Let every member see a batch, and go downhill."""
        x = self.samples[self.draws.next("order")]

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            theta = self.g.network(params, x, Pass())
            loss = (self.curvature * (theta - x).square()).sum(2).mean(1) / 2
            return loss.sum(), loss.detach()

        loss, gradient = self.g.descend(losses)
        self.average()
        self.watch.see(1, ~finite(self.g.theta), self.step)
        self.look(self.g.theta[:, None], gradient)
        return Report(list(self.done), loss, gradient)

    def curves(self, report: Report, k: int) -> dict[str, Tensor]:
        """Name member k's height before the step, its gradient and rate."""
        curves = {
            "loss/generator": report.loss,
            "gradient norm/generator": report.gradient,
            "rate/generator": self.g.lr[:, 0],
        }
        return {tag: value[self.place[k]] for tag, value in curves.items()}

    def kept(self, k: int) -> dict[str, float]:
        """Tell where member k's point is."""
        x, y = self.g.theta[self.place[k]].tolist()
        return {"x": x, "y": y}
