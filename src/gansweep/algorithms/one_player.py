"""Base class of the algorithms that train a generator without a discriminator."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gansweep.batched.pack import Pack


@dataclass
class Report:
    """Values of one step, with one entry per row of the pack."""

    steps: list[int]
    loss: Tensor
    gradient: Tensor


class OnePlayerPack(Pack[Report]):
    """K generators without discriminators."""

    def curves(self, report: Report, k: int) -> dict[str, Tensor]:
        """Return member k's loss before the step, gradient norm and learning rate by tag."""
        curves = {
            "loss/generator": report.loss,
            "gradient norm/generator": report.gradient,
            "rate/generator": self.g.lr[:, 0],
        }
        return {tag: value[self.place[k]] for tag, value in curves.items()}
