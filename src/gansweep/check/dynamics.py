"""Check of the dynamics on linear losses, and the quadratic game that it uses."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor

from gansweep.check.bench import Subject, in_float64
from gansweep.check.finding import Answer, Check, requirement
from gansweep.dynamics.position import Both
from gansweep.interfaces import Dynamics

SIZE, RATES = 3, (0.1, 0.03)
TOLERANCE = 1e-9


class Quadratic:
    """K members at points x of a game with gradient vector field v(x) = J x + c.

        L_G = 1/2 theta^T J_gg theta + theta^T J_gd psi + c_g^T theta,   L_D likewise

    Steps are those of gradient descent. It implements `gansweep.dynamics.position.Position`, so
    that dynamics can be applied to it.

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
        self.step = torch.ones(len(x), 1, dtype=x.dtype)
        self.memory: dict[str, Both] = {}
        lr_g, lr_d = (torch.full((len(x), 1), rate, dtype=x.dtype) for rate in rates)
        self.rates = Both((lr_g,), (lr_d,))
        self.mixed = jacobian.clone()
        self.mixed[:size, :size] = 0
        self.mixed[size:, size:] = 0

    def _both(self, x: Tensor) -> Both:
        return Both((x[:, : self.size],), (x[:, self.size :],))

    def _times(self, matrix: Tensor, u: Both) -> Both:
        return self._both(torch.cat(u.parts, 1) @ matrix.T)

    def recall(self, name: str) -> Both:
        """Return a stored vector, zeros if there is none."""
        return self.memory.get(name, self.x * 0.0)

    def remember(self, name: str, vector: Both) -> None:
        """Store a vector."""
        self.memory[name] = vector.map(torch.clone)

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


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the check for joint dynamics; alternating updates are the trainer's own loop."""
    if subject.dynamics.joint:
        yield _descends.check("dynamics", subject.dynamics)


@requirement(
    "gradient descent on linear losses",
    "call descend() once with each player's own gradient; corrections must vanish where J = 0",
)
@in_float64
def _descends(dynamics: Dynamics) -> Answer:
    """Compare with dx = -lr c, which all known dynamics reduce to on linear losses (J = 0)."""
    c, start = torch.tensor([1.0, -2.0, 0.5, 3.0, -0.7]), torch.zeros(2, 5)
    game = Quadratic(torch.zeros(5, 5), c, start, SIZE, RATES)
    with torch.no_grad():
        copy.deepcopy(dynamics)(game)
    expected = -c * torch.tensor([RATES[0]] * SIZE + [RATES[1]] * (5 - SIZE))
    ratio = game.at[0] / expected
    ratios = [
        f"{name} {part.min():.4g} to {part.max():.4g}" for name, part in (("G", ratio[:SIZE]), ("D", ratio[SIZE:]))
    ]
    passed = bool((game.at - expected).abs().max() < TOLERANCE)
    return passed, f"steps in units of lr times the player's own gradient: {', '.join(ratios)}"
