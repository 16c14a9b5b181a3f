"""Dirac-GAN runs: both players have one parameter, so that training is a path in the plane."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.sweep.result import Result

if TYPE_CHECKING:
    from gansweep.training.run import Run

THETA, PSI = "theta", "psi"
STREAMS = "portrait/"


@dataclass(frozen=True)
class TwoNumbers:
    """Path of (theta, psi) from a run's record, and the gradient vector field of its game.

    Args:
        result: the result of the run.
    """

    result: Result

    @property
    def positions(self) -> np.ndarray:
        """Points (T, 2) of theta and psi: the start if it can be rebuilt, then the recorded curve while finite."""
        start = [] if self._run is None else [self._start]
        path = np.array([*start, *self._recorded], dtype=float).reshape(-1, 2)
        broken = np.flatnonzero(~np.isfinite(path).all(1))
        return path[: broken[0]] if len(broken) else path

    @property
    def spacing(self) -> int:
        """Training steps between two points of the path."""
        steps = [one["step"] for one in (self.result.record or {}).get("curves", [])]
        return int(steps[0]) if steps else 0

    @property
    def field(self) -> Callable[[Any, Any], tuple[Any, Any]] | None:
        """Direction of a gradient step at (theta, psi); None for other algorithms or missing classes."""
        return None if self._run is None else self._directions

    @property
    def _recorded(self) -> list[tuple[Any, Any]]:
        points = (self.result.record or {}).get("curves", [])
        return [(one.get(THETA), one.get(PSI)) for one in points]

    @property
    def _start(self) -> tuple[float, float]:
        from gansweep.training.trainer import pack_of

        assert self._run is not None
        pack = pack_of([self._run])
        return pack.g.theta.item(), pack.players["discriminator"].theta.item()

    @cached_property
    def _run(self) -> Run | None:
        from gansweep.algorithms.adversarial import Adversarial
        from gansweep.plane.trained_cell import rebuilt

        run = rebuilt(self.result.cell).run
        return run if run is not None and isinstance(run.algorithm, Adversarial) else None

    def _directions(self, theta: np.ndarray, psi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the descent directions of both players at all points, evaluated as one pack by the run's dynamics.

        A plain gradient step is the generator's learning rate times this; the discriminator's direction is scaled by
        the ratio of the two learning rates.
        """
        import torch

        from gansweep.algorithms.adversarial.joint import Joint
        from gansweep.dynamics.position import Both
        from gansweep.training.trainer import pack_of

        class Look(Joint):
            """The joint game; `descend` stores the gradient and does not move the parameters."""

            wanted: Both

            def descend(self, gradient: Both) -> None:
                self.wanted = gradient

        run = self._run
        assert run is not None
        pack: Any = pack_of([run] * theta.size)
        with torch.no_grad():
            for values in pack.scheduled:
                values.set(pack.done, pack.total_steps)
            inputs = pack.separate_inputs(STREAMS)
            game = Look(pack.g, pack.d, pack.objectives, pack.precision, inputs, looking=True)
            g, d = (torch.as_tensor(values.reshape(-1, 1), dtype=torch.float32) for values in (theta, psi))
            game.go_to(Both((g,), (d,)))
            if run.dynamics.joint:
                run.dynamics(game)
            else:
                game.wanted = game.field()
        step_g, step_d = (-part.detach().numpy().reshape(theta.shape) for part in game.wanted.parts)
        return step_g, step_d * (run.member.discriminator.lr / run.member.generator.lr)


def is_of_two_numbers(record: Mapping[str, Any] | None) -> bool:
    """Return whether a record holds a path of theta and psi."""
    points = (record or {}).get("curves") or [{}]
    return {THETA, PSI} <= points[0].keys()
