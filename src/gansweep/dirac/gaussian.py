"""The same players on distributions with densities: data N(0, 1), generator N(theta, 1).

The discriminator stays D(x) = psi x. Expectations of the standard game over both normals are
those of the Dirac-GAN with instance noise of size 1: noise is what gives points a density. So
`InstanceNoise(std=1)` is the GAN without a penalty here, noise of size s on top of it is
`InstanceNoise(std=sqrt(1 + s^2))`, and WGAN, whose game sees the means only, is what it was.
The slope of D is psi at every point, which gives the penalties. f'' now damps psi: the Jacobian
of the plain game is [[0, -a], [a, 2 f''(0)]], with eigenvalues -1/4 +- sqrt(1/16 - 1/4).
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
    """The standard game with gamma/2 (|psi| - target)^2: R1 and R2 at target 0, else DRAGAN.

    With another target v jumps at psi = 0 whatever the distributions are: they make the
    discriminator of the equilibrium flat, and the penalty has its kink at slope 0.

    Args:
        gamma: weight of the penalty.
        target: the slope asked for.
    """

    gamma: Numbers = 0.3
    target: float = 0.0
    label: ClassVar[str] = "slope penalty between Gaussians"

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma, target=self.target)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return both players' directions."""
        v_theta, v_psi = GAME(theta, psi)
        return v_theta, v_psi - self.gamma * (abs(psi) - self.target) * np.sign(psi)

    def jacobian(self) -> np.ndarray | None:
        """Return the game's, with -gamma for psi; None with a kink."""
        return None if self.target else GAME.jacobian() - matrix(((0, 0), (0, self.gamma)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return the game, and its negative with the penalty."""
        game, _ = GAME.losses(theta, psi)
        return game, -game + self.gamma / 2 * (abs(psi) - self.target) ** 2


@dataclass(frozen=True)
class GaussianRoth(Field):
    """The saturating GAN with gamma/2 psi^2 E[sigmoid(psi e')^2 + sigmoid(-psi (theta + e))^2].

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
        """Return both players' directions."""
        e, w = nodes_and_weights(GAME.num_nodes)
        psi_ = np.expand_dims(psi, -1)
        v_theta, v_psi = GAME(theta, psi)
        for logit in (psi_ * e, -psi_ * (np.expand_dims(theta, -1) + e)):  # of the wrong class
            p = sigmoid(logit)
            v_psi = v_psi - self.gamma * psi * ((p * p * (1 + logit * (1 - p))) @ w)
        return v_theta, v_psi

    def jacobian(self) -> np.ndarray:
        """Return the game's, with -gamma / 2 for psi."""
        return GAME.jacobian() - matrix(((0, 0), (0, np.asarray(self.gamma) / 2)))

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return the game, and its negative with the penalty."""
        import torch

        e, w = (torch.from_numpy(array) for array in nodes_and_weights(GAME.num_nodes))
        game, _ = GAME.losses(theta, psi)
        weights = ((psi * e).sigmoid() ** 2 + (-psi * (theta + e)).sigmoid() ** 2) @ w
        return game, -game + self.gamma / 2 * psi**2 * weights


@dataclass(frozen=True)
class GaussianConsensus(Field):
    """The standard game with gamma/2 |v|^2 in both losses, v its own field.

    The gradient of |v|^2 / 2 is J(z)' v(z), from expectations of f'' beside those of f'.

    Args:
        gamma: weight of the penalty.
    """

    gamma: Numbers = 1.0
    label: ClassVar[str] = "consensus optimisation between Gaussians"

    def __post_init__(self) -> None:
        check_finite(gamma=self.gamma)

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return both players' directions."""
        e, w = nodes_and_weights(GAME.num_nodes)
        psi_ = np.expand_dims(psi, -1)
        fake = np.expand_dims(theta, -1) + e
        bend, bend_real = curvature(psi_ * fake), curvature(-psi_ * e)
        mean_slope = (1 - np.tanh(psi_ * fake / 2) @ w) / 2
        v_theta, v_psi = GAME(theta, psi)
        theta_by_theta = -np.square(psi) * (bend @ w)
        psi_by_theta = mean_slope + psi * ((fake * bend) @ w)  # and -1 times theta_by_psi
        psi_by_psi = (fake * fake * bend + e * e * bend_real) @ w
        return (
            v_theta - self.gamma * (theta_by_theta * v_theta + psi_by_theta * v_psi),
            v_psi - self.gamma * (-psi_by_theta * v_theta + psi_by_psi * v_psi),
        )

    def jacobian(self) -> np.ndarray:
        """Return J - gamma J'J with the game's J."""
        j = GAME.jacobian()
        return j - np.asarray(self.gamma)[..., None, None] * (j.T @ j)

    def losses(self, theta: Any, psi: Any) -> tuple[Any, Any]:
        """Return the game and its negative, each with gamma/2 |v|^2."""
        import torch

        game, _ = GAME.losses(theta, psi)
        v = torch.autograd.grad(game, (theta, psi), create_graph=True)
        unrest = self.gamma / 2 * (v[0] ** 2 + v[1] ** 2)
        return game + unrest, -game + unrest
