"""Linearized training step: both players' updates, with their optimizers' states, and the game dynamics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gansweep.dynamics.position import Both
from gansweep.edge.linear_rule import LinearRule, NotLinear
from gansweep.edge.reduced_game import ReducedGame
from gansweep.interfaces import Dynamics

Players = Literal["both", "generator", "discriminator"]


@dataclass(frozen=True)
class LinearStep:
    """Linear map M of one training step, x' = M x, of perturbations of parameters and optimizer states.

        g = J x,   J = dv / d(theta, psi),   v = (grad_theta L_G, grad_psi L_D)

    The order of the updates is that of the training: `critic_steps` updates of the discriminator before one of the
    generator, or the joint dynamics, applied to the linear game.

    Args:
        game: the linear game.
        g: update of the generator, at K learning rates.
        d: update of the discriminator, likewise.
        dynamics: how the players' gradients become updates.
        critic_steps: updates of the discriminator before each update of the generator.
        players: the players that are updated; the other one is held fixed.
    """

    game: ReducedGame
    g: LinearRule
    d: LinearRule
    dynamics: Dynamics
    critic_steps: int = 1
    players: Players = "both"

    @property
    def period(self) -> int:
        """Number of steps after which the optimizers repeat themselves."""
        return int(np.lcm(self.g.period, self.d.period))

    @property
    def remembered(self) -> tuple[str, ...]:
        """Names of the vectors that the dynamics store."""
        return tuple(getattr(self.dynamics, "remembers", ())) if self.dynamics.joint else ()

    def matrices(self) -> np.ndarray:
        """Return M^period for every pair of learning rates, (K, n, n).

        Coordinates are the generator's parameters and linear states, those of the discriminator, and the vectors that
        the dynamics store, without those of a player that is held fixed.

        Raises:
            NotLinear: the dynamics use the losses, or depend on the number of the step.
        """
        if not getattr(self.dynamics, "autonomous", True):
            raise NotLinear(f"no linear part: a step of {self.dynamics!r} depends on its number")
        zero, moves = self._coordinates()
        columns = [(n, i) for n, part in enumerate(zero) if moves[n] for i in range(part.shape[1])]
        size = len(columns)
        wide = replace(self, g=self.g.repeated(size), d=self.d.repeated(size))
        x = [part.repeat_interleave(size, 0) for part in zero]
        for column, (n, i) in enumerate(columns):
            x[n][column::size, i] = 1.0
        for number in range(self.period):
            x = wide._step(x, number)
        rows = torch.cat([value for value, moved in zip(x, moves, strict=True) if moved], 1)
        return rows.view(-1, size, size).mT.numpy()

    def flows(self) -> np.ndarray:
        """Return the change of the parameters by gradient flow in the time of one step, (K, n, n).

            dx = -(lr c_g g_G, critic_steps lr_d c_d g_D),   g = J x

        c is the sum of an optimizer's response to a gradient, such as 1 / (1 - beta) for momentum.
        """
        n, jacobian = self.game.num_generator, self.game.jacobian.numpy()
        steps_g, steps_d = getattr(self.dynamics, "generator_steps", 1), self.critic_steps
        gains = [self.g.total_response() * steps_g, self.d.total_response() * steps_d]
        scaled = np.concatenate(
            [gains[0][:, :, None] * jacobian[None, :n], gains[1][:, :, None] * jacobian[None, n:]], 1
        )
        if self.players == "generator":
            return scaled[:, :n, :n]
        return scaled[:, n:, n:] if self.players == "discriminator" else scaled

    @property
    def parameters(self) -> np.ndarray:
        """Indices of the parameters that are updated among the coordinates of M."""
        zero, moves = self._coordinates()
        at, found = 0, []
        for n, (part, moved) in enumerate(zip(zero, moves, strict=True)):
            if moved and n in (0, len(self.g.names) + 1):
                found += range(at, at + part.shape[1])
            at += part.shape[1] if moved else 0
        return np.array(found)

    def _coordinates(self) -> tuple[list[Tensor], list[bool]]:
        """Return the tensors of a perturbation, all zero, and whether each of them belongs to an updated player."""
        g, d = self.g.zeros(), self.d.zeros()
        stored = [part for _ in self.remembered for part in (g[0], d[0])]
        moves = [self.players != "discriminator"] * len(g) + [self.players != "generator"] * len(d)
        moves += [self.players != "discriminator", self.players != "generator"] * len(self.remembered)
        return [*g, *d, *stored], moves

    def _step(self, x: list[Tensor], number: int) -> list[Tensor]:
        position = LinearPosition(self, x, number)
        try:
            (self.dynamics if self.dynamics.joint else position.alternate)(position)
        except NotImplementedError as error:
            raise NotLinear(f"no linear part: {error}") from error
        return position.vector()


class LinearPosition:
    """The linear game at K perturbations: `gansweep.dynamics.position.Position`.

    Args:
        linear: the linearized training step.
        x: the perturbations: tensors of the generator, of the discriminator, and those that the dynamics store.
        number: steps since the linearization.
    """

    def __init__(self, linear: LinearStep, x: list[Tensor], number: int) -> None:
        self.linear, self.number = linear, number
        size_g, size_d = len(linear.g.names) + 1, len(linear.d.names) + 1
        self.g, self.d, rest = x[:size_g], x[size_g : size_g + size_d], x[size_g + size_d :]
        pairs = zip(linear.remembered, zip(rest[::2], rest[1::2], strict=True), strict=True)
        self.memory = {name: Both((theta,), (psi,)) for name, (theta, psi) in pairs}
        self.rates = Both((linear.g.context.lr,), (linear.d.context.lr,))
        self.step = torch.full_like(self.rates.generator[0], 2.0)  # not the first one

    def vector(self) -> list[Tensor]:
        """Return the perturbations."""
        return [*self.g, *self.d, *(part for vector in self.memory.values() for part in vector.parts)]

    def alternate(self, game: LinearPosition) -> None:
        """Update the discriminator `critic_steps` times, then the generator."""
        del game
        players, critic_steps = self.linear.players, self.linear.critic_steps if self.linear.players == "both" else 1
        if players != "generator":
            for n in range(critic_steps):
                self.d = self.linear.d(self.d, self.field().discriminator[0], self.number * critic_steps + n)
        if players != "discriminator":
            generator_steps = getattr(self.linear.dynamics, "generator_steps", 1)
            for n in range(generator_steps):
                self.g = self.linear.g(self.g, self.field().generator[0], self.number * generator_steps + n)

    def recall(self, name: str) -> Both:
        """Return a stored vector."""
        return self.memory[name]

    def remember(self, name: str, vector: Both) -> None:
        """Store a vector."""
        self.memory[name] = vector

    def here(self) -> Both:
        """Return the parameters."""
        return Both((self.g[0],), (self.d[0],))

    def go_to(self, at: Both) -> None:
        """Set the parameters."""
        self.g, self.d = [*at.generator, *self.g[1:]], [*at.discriminator, *self.d[1:]]

    def losses(self, at: Both) -> tuple[Tensor, Tensor]:
        """Raise NotImplementedError; losses are not linear."""
        raise NotImplementedError(f"{self.linear.dynamics!r} uses the losses")

    def field(self, *, create_graph: bool = False) -> Both:
        """Return J x."""
        return self.jvp(self.here(), self.here())

    def vjp(self, v: Both, u: Both, *, mixed: bool = False) -> Both:
        """Return J^T u; `mixed`: only the off-diagonal blocks of J."""
        return u.like(self.linear.game.product(*u.parts, transposed=True, mixed=mixed))

    def jvp(self, v: Both, u: Both, *, mixed: bool = False) -> Both:
        """Return J u; `mixed`: only the off-diagonal blocks of J."""
        return u.like(self.linear.game.product(*u.parts, mixed=mixed))

    def descend(self, gradient: Both) -> None:
        """Apply the linearized update of each player that is not held fixed."""
        if self.linear.players != "discriminator":
            self.g = self.linear.g(self.g, gradient.generator[0], self.number)
        if self.linear.players != "generator":
            self.d = self.linear.d(self.d, gradient.discriminator[0], self.number)
