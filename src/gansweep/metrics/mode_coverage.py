"""How many modes of a toy are reached, and how many points lie near one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.metrics.fitting import fitting
from gansweep.metrics.point_metric import require_points


def mode_coverage(points: Tensor, centres: Tensor, radius: float) -> tuple[int, float]:
    """Count the centres (M, 2) nearest to some good point of (N, 2), and give the share of good ones.

    A point is good within `radius` of its nearest centre; Metz et al. 2017, arXiv:1611.02163,
    and Srivastava et al. 2017, arXiv:1705.07761, section 5, take three standard deviations.

    >>> import torch
    >>> corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
    >>> mode_coverage(torch.tensor([[1.0, 0.9], [1.1, 1.0], [0.0, 0.0], [1.0, -1.0]]), corners, 0.3)
    (2, 0.75)
    """
    nearest = (points.double()[:, None] - centres.double()).norm(dim=2).min(dim=1)
    good = nearest.values <= radius
    return len(nearest.indices[good].unique()), good.double().mean().item()


@runtime_checkable
class Modes(Protocol):
    """A mixture of equally wide Gaussians, as far as counting them needs to know it."""

    @property
    def centres(self) -> Tensor:
        """Their means (M, D)."""
        ...

    @property
    def std(self) -> float:
        """Standard deviation of each in each direction."""
        ...


@dataclass(frozen=True)
class ModeCoverage:
    """Modes reached by generated points, or the share of points near one; higher is better.

    Of points of the data themselves 98.9 % lie within three standard deviations of their mode.
    Neither number alone tells a good generator: one point per mode reaches all of them, and one
    mode is enough for a share of 1.

    Args:
        num_samples: generated points per evaluation.
        quantity: `modes` counts them, `share` is that of the points near one.
        num_stds: distance that is near, in standard deviations of a mode.
    """

    num_samples: int = 2500
    quantity: Literal["modes", "share"] = "modes"
    num_stds: float = 3.0
    lower_is_better: ClassVar[bool] = False
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.num_samples < 1:
            raise ValueError(f"num_samples={self.num_samples}: expected at least 1")
        if self.quantity not in ("modes", "share"):
            raise ValueError(f"quantity={self.quantity}: choose modes or share")
        if not 0 < self.num_stds < float("inf"):
            raise ValueError(f"num_stds={self.num_stds}: expected a finite number above 0")

    @property
    def name(self) -> str:
        """What a table calls it: `modes` or `share_near_modes`."""
        return "modes" if self.quantity == "modes" else "share_near_modes"

    def check(self, data: Dataset) -> None:
        """Accept points around centres that the data set tells.

        Raises:
            ValueError: the samples are no points, have no modes, or those have no width.
        """
        require_points(self.name, data)
        if self._of(data).std <= 0:
            raise ValueError(f"std={self._of(data).std}: modes of {data.name} have no width, expected std above 0")

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Name, version, own settings, data and number of points."""
        return {
            "metric": self.name,
            "version": self.version,
            **{k: v for k, v in asdict(self).items() if k != "num_samples"},
            "data": data.content_hash,
            "num_modes": len(self._of(data).centres),
            "n_fake": self.num_samples,
            "dtype": "float64",
        }

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Count for points (N, D) of one member.

        Raises:
            ValueError: N is not `num_samples`.
        """
        if len(fake) != self.num_samples:
            raise ValueError(f"{len(fake)} generated points: {self.name} is set to num_samples={self.num_samples}")
        modes = self._of(data)
        count, share = mode_coverage(fake, modes.centres.to(fake.device), self.num_stds * modes.std)
        return float(count) if self.quantity == "modes" else share

    def _of(self, data: Dataset) -> Modes:
        if not isinstance(data, Modes):
            raise ValueError(
                f"{data.name} has no modes to count: choose data=ring or grid, or {fitting(data.sample_shape)}"
            )
        return data
