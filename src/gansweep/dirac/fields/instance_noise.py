"""Instance noise with expectations by quadrature (Sønderby et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, Printed, check_at_least_zero, matrix
from gansweep.dirac.fields.gauss_hermite import nodes_and_weights
from gansweep.dirac.fields.logistic import CURVATURE, SLOPE


@dataclass(frozen=True)
class InstanceNoise(Field):
    """Instance noise: Gaussian noise of standard deviation `std` on the real and the generated point.

        v_theta = -psi E f'(psi (theta + s e)),   e, e' ~ N(0, 1)
        v_psi = E[(theta + s e) f'(psi (theta + s e))] - E[s e' f'(-psi s e')]
        eigenvalues f''(0) s^2 +- sqrt(f''(0)^2 s^4 - a^2)

    Sønderby et al. 2017, arXiv:1610.04490; arXiv:1801.04406, section 3.2. Expectations are
    Gauss-Hermite sums; `SampledInstanceNoise` samples them like the authors.

    Args:
        std: standard deviation of the noise, s. The authors' notebook uses 0.7; the default of its class is 1.
        num_nodes: terms of each sum; 32 give nine digits where |psi| s < 1.5.
    """

    std: Numbers = 0.7
    num_nodes: int = 32
    label: ClassVar[str] = "instance noise"
    converges: ClassVar[Printed | None] = Printed(absolutely_continuous=True, general=True)

    def __post_init__(self) -> None:
        check_at_least_zero(std=self.std)
        nodes_and_weights(self.num_nodes)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        # f'(t) = 1/2 - tanh(t/2)/2. The terms e/2 are dropped because E e = 0; their rounding error
        # would give v a floor of 1e-16 at the equilibrium.
        e, w = nodes_and_weights(self.num_nodes)
        half_psi = np.expand_dims(psi, -1) / 2
        noise = np.multiply.outer(self.std, e)
        fake = np.expand_dims(theta, -1) + noise
        bent_fake, bent_real = np.tanh(half_psi * fake), np.tanh(half_psi * noise)
        v_psi = (theta - (fake * bent_fake + noise * bent_real) @ w) / 2
        return -psi * (1 - bent_fake @ w) / 2, v_psi

    def jacobian(self) -> np.ndarray:
        """Return [[0, -a], [a, 2 f''(0) s^2]]."""
        return matrix(((0, -SLOPE), (SLOPE, 2 * CURVATURE * np.square(self.std))))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return E f(psi (theta + s e)) + E f(-psi s e') and its negative."""
        import torch
        from torch.nn.functional import softplus

        e, w = (torch.from_numpy(array) for array in nodes_and_weights(self.num_nodes))
        noise = self.std * e
        game = -softplus(-psi * (theta + noise)) @ w - softplus(psi * noise) @ w
        return game, -game
