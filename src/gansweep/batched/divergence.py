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
    8: ("discriminator", "logits of real and generated samples lie too far apart"),
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
    Samples that are the same for every z, or gradients of the generator that are exactly zero,
    end a run when so many checks in a row have seen them: a generator that is saturated for a
    moment may come back, as long as the discriminator moves.

    Args:
        num_members: K.
        device: where the members train.
        patience: checks in a row that end a run with a constant or gradient-free generator.
        constant_by_nature: generators that ignore z are not stuck.
    """

    def __init__(
        self, num_members: int, device: torch.device, patience: int = 4, constant_by_nature: bool = False
    ) -> None:
        self.patience, self.smallest_spread = patience, -1.0 if constant_by_nature else CONSTANT_BELOW
        self.code = torch.zeros(num_members, dtype=torch.int64, device=device)
        self.step = torch.zeros(num_members, dtype=torch.int64, device=device)
        self.strikes = torch.zeros(num_members, 2, dtype=torch.int64, device=device)

    def see(self, code: int, bad: Tensor, step: Tensor) -> None:
        """Note that members where `bad` (K,) is true ended at their `step` (K,), unless they had before."""
        new = bad & (self.code == 0)
        self.code = torch.where(new, code, self.code)
        self.step = torch.where(new, step, self.step)

    def check(
        self, due: Tensor, step: Tensor, finite_g: Tensor, finite_d: Tensor, fake: Tensor, generator_gradient: Tensor
    ) -> None:
        """Look at what is too dear for every step, of the members where `due` (K,) is true.

        That is: whether each player's parameters are finite (K,), the spread of the samples
        `fake` (K, B, ...) over the batch, and the norm (K,) of the generator's gradient.
        """
        self.see(4, due & ~finite_g, step)
        self.see(5, due & ~finite_d, step)
        flat = fake.flatten(2)
        one = flat.shape[1] == 1  # which has no spread, and is no sign of anything
        spread = torch.full_like(generator_gradient, torch.inf) if one else flat.std(1).amax(1)
        stuck = torch.stack([spread < self.smallest_spread, generator_gradient == 0], 1)
        self.strikes = torch.where(due[:, None], torch.where(stuck, self.strikes + 1, 0), self.strikes)
        self.see(6, due & (self.strikes[:, 0] >= self.patience), step)
        self.see(7, due & (self.strikes[:, 1] >= self.patience), step)

    def export(self, k: int) -> dict[str, Tensor]:
        """Return copies of what was seen of member k, which may have ended without anybody having read it."""
        return {name: getattr(self, name)[k].clone() for name in ("code", "step", "strikes")}

    def restore(self, k: int, saved: dict[str, Tensor]) -> None:
        """Put what was exported in place k."""
        for name, value in saved.items():
            getattr(self, name)[k].copy_(value)

    def read(self) -> list[Divergence | None]:
        """Return every member's divergence, if any. This waits for the device."""
        codes, steps = torch.stack([self.code, self.step]).tolist()
        return [Divergence(step, *CAUSES[code]) if code else None for code, step in zip(codes, steps, strict=True)]
