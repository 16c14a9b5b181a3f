"""What conf/algorithm/quadratic.yaml makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from gansweep.algorithms.quadratic.pack import QuadraticPack
from gansweep.algorithms.refuse import of_two_players, refuse
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
