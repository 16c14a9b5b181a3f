"""Methods with Gaussian expectations: instance noise, and the toy problem with densities.

The toy problem with densities has data N(0, 1), a generator N(theta, 1) and the discriminator
D(x) = psi x. The expectations of the standard game over both normal distributions equal those of
the Dirac-GAN with instance noise of standard deviation 1. Therefore `InstanceNoise(std=1)` is the
GAN without a penalty here, additional noise of standard deviation s is
`InstanceNoise(std=sqrt(1 + s^2))`, and WGAN is unchanged, because it depends on the means only. The
input gradient of D is psi at every point, which gives the penalties. f'' damps psi: the Jacobian of
the unregularised game is [[0, -a], [a, 2 f''(0)]], with eigenvalues -1/4 +- sqrt(1/16 - 1/4).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import (
    F_PRIME,
    F_SECOND,
    Field,
    Numbers,
    Printed,
    check_at_least_zero,
    check_finite,
    f_prime,
    f_second,
    matrix,
)
from gansweep.dirac.fields.wgan_gp import GradientPenalty


@lru_cache
def nodes_and_weights(num_nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points e_i and weights w_i with E g(e) = sum_i w_i g(e_i) for e ~ N(0, 1).

    Exact for polynomials g of degree below 2 num_nodes.

    >>> e, w = nodes_and_weights(8)
    >>> [round(float(w @ e**k), 12) for k in (0, 2, 4, 6)]
    [1.0, 1.0, 3.0, 15.0]
    """
    if num_nodes < 1:
        raise ValueError(f"num_nodes={num_nodes}: expected a whole number >= 1")
    e, w = np.polynomial.hermite_e.hermegauss(num_nodes)
    return e, w / w.sum()


@dataclass(frozen=True)
class InstanceNoise(Field):
    """Instance noise: Gaussian noise on the real and the generated point.

        v_theta = -psi E f'(psi (theta + s e)),   e, e' ~ N(0, 1)
        v_psi = E[(theta + s e) f'(psi (theta + s e))] - E[s e' f'(-psi s e')]
        eigenvalues f''(0) s^2 +- sqrt(f''(0)^2 s^4 - a^2)

    Sønderby et al. 2017, arXiv:1610.04490; arXiv:1801.04406, section 3.2. Expectations are
    Gauss-Hermite sums; the authors' notebook averages over 1000 draws per call instead.

    Args:
        std: standard deviation of the noise, s. The authors' notebook uses 0.7; the default of its
            class is 1.
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
        tanh_fake, tanh_real = np.tanh(half_psi * fake), np.tanh(half_psi * noise)
        v_psi = (theta - (fake * tanh_fake + noise * tanh_real) @ w) / 2
        return -psi * (1 - tanh_fake @ w) / 2, v_psi

    def jacobian(self) -> np.ndarray:
        """Return [[0, -a], [a, 2 f''(0) s^2]]."""
        return matrix(((0, -F_PRIME), (F_PRIME, 2 * F_SECOND * np.square(self.std))))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return E f(psi (theta + s e)) + E f(-psi s e') and its negative."""
        import torch
        from torch.nn.functional import softplus

        e, w = (torch.from_numpy(array) for array in nodes_and_weights(self.num_nodes))
        noise = self.std * e
        game = -softplus(-psi * (theta + noise)) @ w - softplus(psi * noise) @ w
        return game, -game


GAME = InstanceNoise(std=1.0)
"""The standard GAN between N(0, 1) and N(theta, 1)."""


@dataclass(frozen=True)
class GaussianGradientPenalty(GradientPenalty):
    """Gradient penalty between Gaussians: R1 and R2 at target 0, else DRAGAN.

    With a nonzero target, v is discontinuous at psi = 0 for all distributions: the discriminator of
    the equilibrium is constant, and the penalty has its kink at gradient norm 0.

    Args:
        gamma: weight of the penalty.
        target: gradient norm to aim at.
    """

    gamma: Numbers = 0.3
    target: Numbers = 0.0
    label: ClassVar[str] = "gradient penalty between Gaussians"
    game: ClassVar[Field] = GAME

    def jacobian(self) -> np.ndarray | None:
        """Return the Jacobian of the game, with -gamma for psi; None for a nonzero target."""
        return None if self.target else GAME.jacobian() - matrix(((0, 0), (0, self.gamma)))


@dataclass(frozen=True)
class GaussianRoth(Field):
    """Penalty of Roth et al. between Gaussians.

        P = gamma/2 psi^2 E[sigmoid(psi e')^2 + sigmoid(-psi (theta + e))^2]

    The weights are the squared probabilities that D classifies a real sample e', or a generated
    sample theta + e, wrongly. See `gansweep.dirac.fields.r1.Roth`.

    Args:
        gamma: weight of the penalty.
    """

    gamma: Numbers = 0.6
    label: ClassVar[str] = "gradient penalty of Roth et al. between Gaussians"

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        e, w = nodes_and_weights(GAME.num_nodes)
        psi_ = np.expand_dims(psi, -1)
        v_theta, v_psi = GAME(theta, psi)
        for logit in (psi_ * e, -psi_ * (np.expand_dims(theta, -1) + e)):  # of the wrong class
            p = f_prime(-logit)
            v_psi = v_psi - self.gamma * psi * ((p * p * (1 + logit * (1 - p))) @ w)
        return v_theta, v_psi

    def jacobian(self) -> np.ndarray:
        """Return the Jacobian of the game, with -gamma / 2 for psi."""
        return GAME.jacobian() - matrix(((0, 0), (0, np.asarray(self.gamma) / 2)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return the generator loss L, and the discriminator loss -L with the penalty."""
        import torch

        e, w = (torch.from_numpy(array) for array in nodes_and_weights(GAME.num_nodes))
        game, _ = GAME.losses(theta, psi)
        weights = ((psi * e).sigmoid() ** 2 + (-psi * (theta + e)).sigmoid() ** 2) @ w
        return game, -game + self.gamma / 2 * psi**2 * weights


@dataclass(frozen=True)
class GaussianConsensus(Field):
    """Consensus optimisation between Gaussians: gamma/2 |v|^2 added to both losses.

    The gradient of |v|^2 / 2 is J(z)' v(z), which needs expectations of f' and f''.

    Args:
        gamma: weight of the penalty.
    """

    gamma: Numbers = 1.0
    label: ClassVar[str] = "consensus optimisation between Gaussians"

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        e, w = nodes_and_weights(GAME.num_nodes)
        psi_ = np.expand_dims(psi, -1)
        fake = np.expand_dims(theta, -1) + e
        second_fake, second_real = f_second(psi_ * fake), f_second(-psi_ * e)
        mean_f_prime = (1 - np.tanh(psi_ * fake / 2) @ w) / 2
        v_theta, v_psi = GAME(theta, psi)
        theta_by_theta = -np.square(psi) * (second_fake @ w)
        psi_by_theta = mean_f_prime + psi * ((fake * second_fake) @ w)  # equals -theta_by_psi
        psi_by_psi = (fake * fake * second_fake + e * e * second_real) @ w
        return (
            v_theta - self.gamma * (theta_by_theta * v_theta + psi_by_theta * v_psi),
            v_psi - self.gamma * (-psi_by_theta * v_theta + psi_by_psi * v_psi),
        )

    def jacobian(self) -> np.ndarray:
        """Return J - gamma J'J, where J is the Jacobian of the game."""
        j = GAME.jacobian()
        return j - np.asarray(self.gamma)[..., None, None] * (j.T @ j)

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return the losses L and -L, each with gamma/2 |v|^2."""
        import torch

        game, _ = GAME.losses(theta, psi)
        v = torch.autograd.grad(game, (theta, psi), create_graph=True)
        regularizer = self.gamma / 2 * (v[0] ** 2 + v[1] ** 2)
        return game + regularizer, -game + regularizer
