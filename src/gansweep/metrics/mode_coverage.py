"""Mode coverage: number of modes covered, and fraction of points near a mode."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.metrics import suggested_metrics
from gansweep.metrics.point_metric import require_points


def mode_coverage(points: Tensor, centres: Tensor, radius: float) -> tuple[int, float]:
    """Return the number of covered modes, and the fraction of points near a centre.

    A point is near its closest centre if the distance is at most `radius`; such a point covers the
    mode. Metz et al. 2017, arXiv:1611.02163, and Srivastava et al. 2017, arXiv:1705.07761, section
    5, use three standard deviations.

    >>> import torch
    >>> corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
    >>> mode_coverage(torch.tensor([[1.0, 0.9], [1.1, 1.0], [0.0, 0.0], [1.0, -1.0]]), corners, 0.3)
    (2, 0.75)
    """
    nearest = (points.double()[:, None] - centres.double()).norm(dim=2).min(dim=1)
    is_near = nearest.values <= radius
    return len(nearest.indices[is_near].unique()), is_near.double().mean().item()


@runtime_checkable
class Modes(Protocol):
    """Data set that is a mixture of Gaussians with equal standard deviations."""

    @property
    def centres(self) -> Tensor:
        """Means of the Gaussians (M, D)."""
        ...

    @property
    def std(self) -> float:
        """Standard deviation of each Gaussian in each direction."""
        ...


@dataclass(frozen=True)
class ModeCoverage:
    """Mode coverage: number of modes covered by generated points, or fraction of points near a mode.

    Higher is better. 98.9 % of the points of the data themselves are within three standard
    deviations of their mode. Neither number is sufficient alone: one point per mode covers all
    modes, and a generator collapsed to one mode reaches a fraction of 1.

    Args:
        num_samples: generated points per evaluation.
        quantity: `modes`: number of covered modes; `share`: fraction of points near a mode.
        num_stds: maximum distance of a point near a mode, in standard deviations of the mode.
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
        """Name in tables and records: `modes` or `share_near_modes`."""
        return "modes" if self.quantity == "modes" else "share_near_modes"

    def check(self, data: Dataset) -> None:
        """Raise ValueError unless the samples are points from modes with a standard deviation above 0."""
        require_points(self.name, data)
        if self._of(data).std <= 0:
            raise ValueError(f"std={self._of(data).std}: modes of {data.name} have no width, expected std above 0")

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Return name, version, settings, data and number of points."""
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
        """Return the quantity for the points (N, D) of one member.

        Raises:
            ValueError: N is not `num_samples`.
        """
        if len(fake) != self.num_samples:
            raise ValueError(f"{len(fake)} generated points: {self.name} is set to num_samples={self.num_samples}")
        modes = self._of(data)
        centres = modes.centres
        count, share = mode_coverage(fake.to(centres.device), centres, self.num_stds * modes.std)
        return float(count) if self.quantity == "modes" else share

    def _of(self, data: Dataset) -> Modes:
        if not isinstance(data, Modes):
            raise ValueError(
                f"{data.name} has no modes to count: choose data=ring or grid, "
                f"or {suggested_metrics(data.sample_shape)}"
            )
        return data
