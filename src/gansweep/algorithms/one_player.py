"""What algorithms that train one network tell of a step."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gansweep.batched.pack import Pack


@dataclass
class Report:
    """What happened in one step, with one value per row of the pack."""

    steps: list[int]
    loss: Tensor
    gradient: Tensor


class OnePlayerPack(Pack[Report]):
    """K generators, each by itself."""

    def curves(self, report: Report, k: int) -> dict[str, Tensor]:
        """Name member k's loss before the step, its gradient and rate."""
        curves = {
            "loss/generator": report.loss,
            "gradient norm/generator": report.gradient,
            "rate/generator": self.g.lr[:, 0],
        }
        return {tag: value[self.place[k]] for tag, value in curves.items()}
