"""Divergence of members: its causes, and the monitor that detects it on the device."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum

import torch
from torch import Tensor

CONSTANT_BELOW = 1e-6  # standard deviation over a batch, per pixel, for values in a range of width 2


class Cause(IntEnum):
    """Codes of the causes of divergence, as checkpoints store them. 0 means no divergence."""

    NON_FINITE_SAMPLES = 1
    NON_FINITE_LOSS = 2
    NON_FINITE_LOGITS = 3
    NON_FINITE_GENERATOR_PARAMETERS = 4
    NON_FINITE_DISCRIMINATOR_PARAMETERS = 5
    CONSTANT_OUTPUT = 6
    ZERO_GRADIENT = 7
    LOGIT_GAP = 8
    NON_FINITE_GENERATOR_GRADIENT = 9
    NON_FINITE_DISCRIMINATOR_GRADIENT = 10


# Player and description of every cause, as the record holds them.
CAUSES = {
    Cause.NON_FINITE_SAMPLES: ("generator", "samples are not finite"),
    Cause.NON_FINITE_LOSS: ("discriminator", "loss is not finite"),
    Cause.NON_FINITE_LOGITS: ("discriminator", "logits are not finite"),
    Cause.NON_FINITE_GENERATOR_PARAMETERS: ("generator", "parameters are not finite"),
    Cause.NON_FINITE_DISCRIMINATOR_PARAMETERS: ("discriminator", "parameters are not finite"),
    Cause.CONSTANT_OUTPUT: ("generator", "output is constant"),
    Cause.ZERO_GRADIENT: ("generator", "gradient is zero"),
    Cause.LOGIT_GAP: ("discriminator", "logits of real and generated samples lie too far apart"),
    Cause.NON_FINITE_GENERATOR_GRADIENT: ("generator", "gradient is not finite"),
    Cause.NON_FINITE_DISCRIMINATOR_GRADIENT: ("discriminator", "gradient is not finite"),
}

# Causes that are found in a player's parameters and gradients.
IN_PARAMETERS = {
    "generator": Cause.NON_FINITE_GENERATOR_PARAMETERS,
    "discriminator": Cause.NON_FINITE_DISCRIMINATOR_PARAMETERS,
}
IN_GRADIENTS = {
    "generator": Cause.NON_FINITE_GENERATOR_GRADIENT,
    "discriminator": Cause.NON_FINITE_DISCRIMINATOR_GRADIENT,
}


@dataclass(frozen=True)
class Divergence:
    """Divergence of one run, as recorded. A diverged run cannot be continued.

    Args:
        step: generator step in which it was detected, counted from 1.
        player: generator or discriminator.
        cause: description from CAUSES.
    """

    step: int
    player: str
    cause: str

    def as_dict(self) -> dict[str, int | str]:
        """Return step, player and cause as a dictionary for the record."""
        return asdict(self)


class DivergenceMonitor:
    """Divergence monitor: stores the first diverged step of every member and its cause, on the device.

    Every step costs a few operations on K numbers; only `read` synchronises with the device.
    Samples that are equal for every z, or generator gradients that are exactly zero, end a run after `patience`
    consecutive checks: a generator that is saturated for a short time can recover while the discriminator changes.

    Args:
        num_members: K.
        device: where the members train.
        patience: consecutive checks with a constant output or a zero gradient that end a run.
        constant_by_nature: the generators ignore z; a constant output is then no divergence.
    """

    def __init__(
        self, num_members: int, device: torch.device, patience: int = 4, constant_by_nature: bool = False
    ) -> None:
        self.patience, self.smallest_spread = patience, -1.0 if constant_by_nature else CONSTANT_BELOW
        self.code = torch.zeros(num_members, dtype=torch.int64, device=device)
        self.step = torch.zeros(num_members, dtype=torch.int64, device=device)
        self.num_stuck = torch.zeros(num_members, 2, dtype=torch.int64, device=device)

    def record(self, cause: Cause, bad: Tensor, step: Tensor) -> None:
        """Record `cause` and `step` (K,) for members where `bad` (K,) is True and which had not diverged before.

        The first cause that is recorded remains.
        """
        new = bad & (self.code == 0)
        self.code = torch.where(new, int(cause), self.code)
        self.step = torch.where(new, step, self.step)

    def check_stuck(self, due: Tensor, step: Tensor, fake: Tensor, generator_gradient: Tensor, counted: Tensor) -> None:
        """Record generators with a constant output or a zero gradient in `patience` consecutive checks.

        Args:
            due: which members to check (K,).
            step: generator step of every member (K,).
            fake: generated samples (K, B, ...); their standard deviation over the batch is compared with a bound.
            generator_gradient: norm of the generator's gradient (K,).
            counted: members whose check is stored (K,). The check after the last step is not, unless it is one of the
                regular checks: a longer run, which may continue from this step, does not have it.
        """
        flat = fake.flatten(2)
        single_sample = flat.shape[1] == 1  # no standard deviation
        spread = torch.full_like(generator_gradient, torch.inf) if single_sample else flat.std(1).amax(1)
        stuck = torch.stack([spread < self.smallest_spread, generator_gradient == 0], 1)
        num_stuck = torch.where(due[:, None], torch.where(stuck, self.num_stuck + 1, 0), self.num_stuck)
        self.record(Cause.CONSTANT_OUTPUT, due & (num_stuck[:, 0] >= self.patience), step)
        self.record(Cause.ZERO_GRADIENT, due & (num_stuck[:, 1] >= self.patience), step)
        self.num_stuck = torch.where(counted[:, None], num_stuck, self.num_stuck)

    def export(self, k: int) -> dict[str, Tensor]:
        """Return copies of member k's state, including a divergence that has not been read yet."""
        return {name: state[k].clone() for name, state in self._state().items()}

    def restore(self, k: int, saved: dict[str, Tensor]) -> None:
        """Restore member k from an exported state."""
        for name, value in saved.items():
            self._state()[name][k].copy_(value)

    def _state(self) -> dict[str, Tensor]:
        """Return the tensors (K, ...) by their names in a checkpoint."""
        return {"code": self.code, "step": self.step, "strikes": self.num_stuck}

    def read(self) -> list[Divergence | None]:
        """Return the divergence of every member, or None. Synchronises with the device."""
        codes, steps = torch.stack([self.code, self.step]).tolist()
        return [Divergence(step, *CAUSES[code]) if code else None for code, step in zip(codes, steps, strict=True)]
