"""Loggers besides TensorBoard: destinations of the curves and pictures of runs."""

from __future__ import annotations

import contextlib
import math
import statistics
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

RESULTS = ("final", "best")


def require(package: str, name: str) -> None:
    """Check that the package of a logger is installed.

    Raises:
        ValueError: it is not.
    """
    if find_spec(package) is None:
        raise ValueError(f"requires {package}: pip install 'gansweep[{name}]'")


def pixels(picture: Tensor) -> Any:
    """Return a picture (3, h, w) in [0, 1] as an array (h, w, 3) of bytes."""
    return (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def over_seeds(name: str, values: Iterable[float | None]) -> dict[str, float]:
    """Return number, mean and sample standard deviation of the finite values of a result over seeds.

    >>> over_seeds("final", [1.0, 3.0, None])["result/final mean"]
    2.0
    """
    finite = [value for value in values if value is not None and math.isfinite(value)]
    numbers = {f"result/{name} n": float(len(finite))}
    numbers |= {f"result/{name} mean": statistics.fmean(finite)} if finite else {}
    numbers |= {f"result/{name} deviation": statistics.stdev(finite)} if len(finite) > 1 else {}
    return numbers


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes of one machine, on a file that is created if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        with contextlib.suppress(ImportError, OSError):  # a system or file system without such locks
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed
        yield
