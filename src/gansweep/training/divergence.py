"""When a training has ended without an end, and whom to blame."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor

CONSTANT_BELOW = 1e-6  # spread over a batch, per pixel, in units of a range of 2

# The first of these that happens in a step is its cause.
CAUSES = {
    1: ("generator", "samples are not finite"),
    2: ("discriminator", "loss is not finite"),
    3: ("discriminator", "logits are not finite"),
    4: ("generator", "parameters are not finite"),
    5: ("discriminator", "parameters are not finite"),
    6: ("generator", "output is constant"),
    7: ("generator", "gradient is zero"),
}


@dataclass(frozen=True)
class Divergence:
    """The recorded end of a run that can't be continued.

    Args:
        step: generator step in which it was seen, counted from 1.
        player: generator or discriminator.
        cause: one of CAUSES, in words.
    """

    step: int
    player: str
    cause: str

    def as_dict(self) -> dict[str, int | str]:
        """Return it as the record holds it."""
        return asdict(self)


class Watch:
    """Remembers the first bad step of every member, on the device.

    Every step costs a few operations on K numbers; only `read` waits for the device.
    Samples that are the same for every z, and gradients of the generator that are exactly
    zero, end a run when two checks in a row have seen them: such a generator can't move.
    """

    def __init__(self, num_members: int, device: torch.device) -> None:
        self.code = torch.zeros(num_members, dtype=torch.int64, device=device)
        self.step = torch.zeros(num_members, dtype=torch.int64, device=device)
        self.strikes = torch.zeros(num_members, 2, dtype=torch.int64, device=device)

    def see(self, code: int, bad: Tensor, step: int) -> None:
        """Note that members where `bad` (K,) is true ended at `step`, unless they had before."""
        new = bad & (self.code == 0)
        self.code = torch.where(new, code, self.code)
        self.step = torch.where(new, step, self.step)

    def check(self, step: int, theta_g: Tensor, theta_d: Tensor, fake: Tensor, generator_gradient: Tensor) -> None:
        """Look at what is too dear for every step: parameters, spread of samples, gradient."""
        self.see(4, ~theta_g.isfinite().all(1), step)
        self.see(5, ~theta_d.isfinite().all(1), step)
        stuck = torch.stack([fake.flatten(2).std(1).amax(1) < CONSTANT_BELOW, generator_gradient == 0], 1)
        self.strikes = torch.where(stuck, self.strikes + 1, 0)
        self.see(6, self.strikes[:, 0] >= 2, step)
        self.see(7, self.strikes[:, 1] >= 2, step)

    def read(self) -> list[Divergence | None]:
        """Return every member's divergence, if any. This waits for the device."""
        codes, steps = torch.stack([self.code, self.step]).tolist()
        return [Divergence(step, *CAUSES[code]) if code else None for code, step in zip(codes, steps, strict=True)]
