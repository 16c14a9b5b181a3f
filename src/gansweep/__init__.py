"""gansweep: a benchmark of GAN optimizers and learning-rate schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gansweep.trained.pair import load

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    """Import `load` at its first use, so that `import gansweep` does not import torch."""
    if name != "load":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gansweep.trained.pair import load

    return load
