"""The toy problem with densities: data N(0, 1), generator N(theta, 1).

The discriminator is D(x) = psi x. The expectations of the standard game over both normal
distributions equal those of the Dirac-GAN with instance noise of standard deviation 1. Therefore
`InstanceNoise(std=1)` is the GAN without a penalty here, additional noise of standard deviation s is
`InstanceNoise(std=sqrt(1 + s^2))`, and WGAN is unchanged, because it depends on the means only.
The input gradient of D is psi at every point, which gives the penalties. f'' damps psi: the Jacobian
of the unregularised game is [[0, -a], [a, 2 f''(0)]], with eigenvalues -1/4 +- sqrt(1/16 - 1/4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, check_finite, matrix
from gansweep.dirac.fields.gauss_hermite import nodes_and_weights
from gansweep.dirac.fields.instance_noise import InstanceNoise
from gansweep.dirac.fields.logistic import curvature, sigmoid

GAME = InstanceNoise(std=1.0)
"""The standard GAN between N(0, 1) and N(theta, 1)."""


@dataclass(frozen=True)
class SlopePenalty(Field):
    """Gradient penalty gamma/2 (|psi| - target)^2 between Gaussians: R1 and R2 at target 0, else DRAGAN.

    With a nonzero target, v is discontinuous at psi = 0 for all distributions: the discriminator of
    the equilibrium is constant, and the penalty has its kink at gradient norm 0.

    Args:
        gamma: weight of the penalty.
        target: gradient norm to aim at.
    """

    gamma: Numbers = 0.3
    target: float = 0.0
    label: ClassVar[str] = "gradient penalty between Gaussians"

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma, target=self.target)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return v_theta and v_psi, the update directions of both players."""
        v_theta, v_psi = GAME(theta, psi)
        return v_theta, v_psi - self.gamma * (abs(psi) - self.target) * np.sign(psi)

    def jacobian(self) -> np.ndarray | None:
        """Return the Jacobian of the game, with -gamma for psi; None for a nonzero target."""
        return None if self.target else GAME.jacobian() - matrix(((0, 0), (0, self.gamma)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return the generator loss L, and the discriminator loss -L with the penalty."""
        game, _ = GAME.losses(theta, psi)
        return game, -game + self.gamma / 2 * (abs(psi) - self.target) ** 2


@dataclass(frozen=True)
class GaussianRoth(Field):
    """Penalty of Roth et al. between Gaussians: gamma/2 psi^2 E[sigmoid(psi e')^2 + sigmoid(-psi (theta + e))^2].

    The weights are the squared probabilities that D classifies a real sample e', or a generated sample
    theta + e, wrongly. See `gansweep.dirac.fields.roth`.

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
            p = sigmoid(logit)
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
    """Consensus optimisation between Gaussians: gamma/2 |v|^2 added to both losses, v the standard field.

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
        bend, bend_real = curvature(psi_ * fake), curvature(-psi_ * e)
        mean_slope = (1 - np.tanh(psi_ * fake / 2) @ w) / 2
        v_theta, v_psi = GAME(theta, psi)
        theta_by_theta = -np.square(psi) * (bend @ w)
        psi_by_theta = mean_slope + psi * ((fake * bend) @ w)  # equals -theta_by_psi
        psi_by_psi = (fake * fake * bend + e * e * bend_real) @ w
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
