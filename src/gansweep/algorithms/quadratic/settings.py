"""Settings of conf/algorithm/quadratic.yaml."""

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

    def check(self, run: Run) -> None:
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

    def pack(self, runs: Sequence[Run], samples: Tensor) -> QuadraticPack:
        """Return the pack of runs that differ in their members only."""
        return QuadraticPack.of(runs, samples, algorithm=self)
