"""Instance noise with sampled expectations, as in the authors' notebook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, check_at_least_zero, matrix
from gansweep.dirac.fields.logistic import CURVATURE, SLOPE, slope


@dataclass(frozen=True)
class SampledInstanceNoise(Field):
    """`InstanceNoise` with means over `num_draws` draws in place of expectations.

    Every call draws new noise, shared by both players, as in the authors' notebook. A call therefore
    changes `rng` and returns a noisy estimate of the field.

    Args:
        std: standard deviation of the noise.
        num_draws: draws of e and of e' per call.
        rng: random generator.
    """

    std: Numbers = 0.7
    num_draws: int = 1000
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)
    label: ClassVar[str] = "instance noise, drawn"

    def __post_init__(self) -> None:
        check_at_least_zero(std=self.std)
        if self.num_draws < 1:
            raise ValueError(f"num_draws={self.num_draws}: expected a whole number >= 1")

    def __call__(self, theta: Numbers, psi: Numbers) -> tuple[Any, Any]:
        """Return an estimate of v_theta and v_psi."""
        shape = np.broadcast_shapes(np.shape(theta), np.shape(psi), np.shape(self.std))
        std = np.expand_dims(self.std, -1)
        psi_ = np.expand_dims(psi, -1)
        fake = np.expand_dims(theta, -1) + std * self.rng.standard_normal((*shape, self.num_draws))
        real = std * self.rng.standard_normal((*shape, self.num_draws))
        s_fake, s_real = slope(psi_ * fake), slope(-psi_ * real)
        return -psi * s_fake.mean(-1), (fake * s_fake - real * s_real).mean(-1)

    def jacobian(self) -> np.ndarray:
        """Return the mean Jacobian, that of `InstanceNoise`."""
        return matrix(((0, -SLOPE), (SLOPE, 2 * CURVATURE * np.square(self.std))))
