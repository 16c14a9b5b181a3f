"""Quadratic two-player game with known derivatives, for checking dynamics."""

from __future__ import annotations

import torch
from torch import Tensor

from gansweep.dynamics.position import Both


class Quadratic:
    """K members at points x of a game with gradient vector field v(x) = J x + c and gradient descent steps.

        L_G = 1/2 theta^T J_gg theta + theta^T J_gd psi + c_g^T theta,   L_D likewise

    It implements `gansweep.dynamics.position.Position`, so that dynamics can be applied to it.

    Args:
        jacobian: J (P, P), the generator's rows first.
        constant: c (P,).
        x: positions of the members (K, P).
        size: number of generator parameters among the P.
        rates: learning rates of the generator and the discriminator.
    """

    def __init__(self, jacobian: Tensor, constant: Tensor, x: Tensor, size: int, rates: tuple[float, float]) -> None:
        self.jacobian, self.constant, self.size = jacobian, constant, size
        self.x = self._both(x.clone())
        lr_g, lr_d = (torch.full((len(x), 1), rate, dtype=x.dtype) for rate in rates)
        self.rates = Both((lr_g,), (lr_d,))
        self.mixed = jacobian.clone()
        self.mixed[:size, :size] = 0
        self.mixed[size:, size:] = 0

    def _both(self, x: Tensor) -> Both:
        return Both((x[:, : self.size],), (x[:, self.size :],))

    def _times(self, matrix: Tensor, u: Both) -> Both:
        return self._both(torch.cat(u.parts, 1) @ matrix.T)

    def here(self) -> Both:
        """Return a copy of the current position."""
        return self.x.map(torch.clone)

    def go_to(self, at: Both) -> None:
        """Set the position."""
        self.x = at.map(torch.clone)

    def losses(self, at: Both) -> tuple[Tensor, Tensor]:
        """Return L_G and L_D at a point, summed over the members."""
        (theta,), (psi,), n = at.generator, at.discriminator, self.size
        j, c = self.jacobian, self.constant
        with torch.enable_grad():
            of_g = theta @ j[:n, :n].T / 2 + psi @ j[:n, n:].T + c[:n]
            of_d = psi @ j[n:, n:].T / 2 + theta @ j[n:, :n].T + c[n:]
            return (theta * of_g).sum(), (psi * of_d).sum()

    def field(self, *, create_graph: bool = False) -> Both:
        """Return v at the current position."""
        return self._times(self.jacobian, self.x) + self._both(self.constant.expand(len(self.x.parts[0]), -1))

    def vjp(self, v: Both, u: Both, *, mixed: bool = False) -> Both:
        """Return J^T u; with `mixed`, only the blocks between the players are used."""
        return self._times((self.mixed if mixed else self.jacobian).T, u)

    def jvp(self, v: Both, u: Both, *, mixed: bool = False) -> Both:
        """Return J u; with `mixed`, only the blocks between the players are used."""
        return self._times(self.mixed if mixed else self.jacobian, u)

    def descend(self, gradient: Both) -> None:
        """Take a gradient descent step."""
        self.x = (self.x - gradient * self.rates).detach()

    @property
    def at(self) -> Tensor:
        """Positions of the members (K, P)."""
        return torch.cat(self.x.parts, 1)
