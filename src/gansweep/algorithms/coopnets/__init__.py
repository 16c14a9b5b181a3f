"""CoopNets: cooperative training of an energy-based descriptor and a generator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from gansweep.algorithms.coopnets.pack import CoopNetsPack, Report
from gansweep.algorithms.refuse import Found, of_a_game, refuse
from gansweep.batched.pack import PackSettings
from gansweep.interfaces import Model
from gansweep.layers import Network
from gansweep.losses.wasserstein import Wasserstein

EXAMPLE = (
    "algorithm=coopnets: goes with loss=mean_difference model=coopnets data=texture metric=kid_texture, "
    "as in experiment=coopnets_table1/exp_7"
)

__all__ = ["CoopNets", "CoopNetsPack", "Report"]


@dataclass(frozen=True)
class CoopNets:
    """Cooperative training of an energy-based descriptor f and a generator G.

        G0  z ~ N(0, I),  y = G(z)
        D1  langevin_steps times:  y <- y + delta^2 / 2 (df/dy - y / s_ref^2) + delta N(0, I)
        G1  latent_steps times:    z <- z + delta_z^2 / 2 ((dG/dz)^T (y - G(z)) / s_z^2 - z) + delta_z N(0, I)
        D2  psi   <- psi   + lr_d (mean_i df(x_i)/dpsi - mean_j df(y_j)/dpsi)
        G2  theta <- theta + lr   (1 / sigma^2) sum_j (dG(z_j)/dtheta)^T (y_j - G(z_j))

    Xie, Lu, Gao, Zhu and Wu 2018, arXiv:1609.09408, algorithm 1, for p(y) ~ exp(f(y) - ||y||^2 / (2 s_ref^2)).
    The defaults are those of Hill and Nijkamp 2017, "Learning-Rate Decay for Generator", as their code ran:
    without G1, and with these details that the paper does not state:

    - The descriptor's input are grey levels 0 ... 255 minus the mean image of the data; delta and s_ref
      are in grey levels. G's range [-1, 1] corresponds to 0 ... 256.
    - The descriptor's gradient is divided, per layer, by the number of output pixels of the layer.
    - The gradient of a parameter tensor whose largest entry is above a cap is scaled down to the cap. This is
      almost always the case, so the learning rate is the size of the step.
    - Their Langevin step missed a factor delta in the term -y / s_ref^2. It shrinks y by 0.85 instead of 0.955
      per step: `langevin_shrink=as_run`.

    Args:
        langevin_steps: Langevin steps of every chain.
        delta: size of a Langevin step.
        s_ref: standard deviation of the descriptor's Gaussian reference distribution.
        langevin_shrink: corrected, or as_run for delta / 2 in place of delta^2 / 2.
        num_chains: chains per step; null for the batch size.
        sigma: standard deviation of a sample around G(z), in units of [-1, 1].
        generator_gradient: sum or mean over the chains.
        cap_discriminator: largest entry of a descriptor's gradient; null for no bound.
        cap_generator: largest entry of a generator's gradient; null for no bound.
        latent_steps: Langevin steps of the inference of z (G1); 0 in the study.
        delta_z: size of a Langevin step of z.
        s_z: standard deviation of a sample around G(z) in G1, in place of sigma.
    """

    langevin_steps: int = 40
    delta: float = 0.3
    s_ref: float = 1.0
    langevin_shrink: Literal["corrected", "as_run"] = "corrected"
    num_chains: int | None = None
    sigma: float = 0.3
    generator_gradient: Literal["sum", "mean"] = "sum"
    cap_discriminator: float | None = 20.0
    cap_generator: float | None = 8.0
    latent_steps: int = 0
    delta_z: float = 0.3
    s_z: float = 1.0

    def __post_init__(self) -> None:
        for name, accepted in (
            ("langevin_shrink", ("corrected", "as_run")),
            ("generator_gradient", ("sum", "mean")),
        ):
            if getattr(self, name) not in accepted:
                raise ValueError(f"{name}={getattr(self, name)}: expected {' or '.join(accepted)}")
        for name in ("langevin_steps", "latent_steps"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number, 0 or more")
        if self.num_chains is not None and self.num_chains < 1:
            raise ValueError(f"num_chains={self.num_chains}: expected 1 or more, or null for the batch size")
        for name in ("delta", "s_ref", "sigma", "cap_discriminator", "cap_generator", "delta_z", "s_z"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name}={value}: expected a number above 0")

    @property
    def keep(self) -> float:
        """Factor of y in a Langevin step: 1 - delta^2 / (2 s_ref^2) = 0.955; as_run: 1 - delta / (2 s_ref^2) = 0.85."""
        square = self.delta if self.langevin_shrink == "as_run" else self.delta**2
        return 1 - square / (2 * self.s_ref**2)

    def langevin(self, input_gradient: Tensor, y: Tensor, noise: Tensor) -> Tensor:
        """Return chains y (K, B, ...) after one Langevin step, given df/dy and noise from N(0, I)."""
        return self.keep * y + (self.delta**2 / 2) * input_gradient + self.delta * noise

    def check(self, run: Any) -> None:
        """Raise ValueError if a run has unsupported settings, with one line for each."""
        objective, shape = run.member.objective, tuple(run.data.sample_shape)
        plain = not objective.penalties and objective.clip is None and not objective.flip
        supported = isinstance(objective.game, Wasserstein) and plain and not objective.instance_noise
        networks = ("generator", "discriminator") if len(shape) == 3 else ()
        problems = [
            (
                not supported,
                f"loss={objective!r}: algorithm=coopnets trains on the difference of means only; "
                "expected loss=mean_difference",
            ),
            (
                # Replacing the loss also replaces its default of critic_steps.
                run.critic_steps != (1 if supported else objective.critic_steps),
                f"critic_steps={run.critic_steps}: algorithm=coopnets updates each player once per step, expected 1",
            ),
            *of_a_game(run),
            (
                len(shape) != 3,
                f"data={run.data.name}: samples are {shape}, expected images (C, H, W)",
            ),
            *(_untrainable(run.model, name, shape) for name in networks),
        ]
        refuse(problems, EXAMPLE)

    def pack(self, runs: Sequence[Any], samples: Tensor) -> CoopNetsPack:
        """Return the pack of runs that differ in their members only."""
        members = [run.member for run in runs]
        return CoopNetsPack(members, runs[0].model, samples, PackSettings.of(runs[0]), algorithm=self)


def _untrainable(model: Model, name: str, shape: tuple[int, ...]) -> Found:
    """Return whether a network has dropout, or is a descriptor with batch norm, and the message for it."""
    network: Network = getattr(model, name)(shape)
    what = "dropout" if network.draws else "batch norm"
    return bool(network.draws) or (name == "discriminator" and network.couples_samples), (
        f"model={model!r}: its {name} has {what}, which algorithm=coopnets does not support; "
        "expected model=coopnets or one without"
    )
