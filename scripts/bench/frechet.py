"""Time of one Fréchet distance compared with pytorch-fid, from the same statistics.

CPU time is reported, because other programs affect it less than wall time.

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
from threadpoolctl import threadpool_limits

from gansweep.metrics.frechet import frechet_distance
from gansweep.metrics.statistics import moments_of


def features(count: int, length: int, seed: int) -> torch.Tensor:
    """Return features (count, length) with a decaying spectrum similar to that of Inception features."""
    g = torch.Generator().manual_seed(seed)
    scale = torch.arange(1, length + 1, dtype=torch.float64) ** -0.75
    mixing = torch.linalg.qr(torch.randn(length, length, generator=g, dtype=torch.float64))[0]
    return (torch.randn(count, length, generator=g, dtype=torch.float64) * scale) @ mixing + 0.01 * seed


def timed(function: Callable[[], float]) -> tuple[float, float]:
    """Return (value, CPU seconds over all threads) of a function call."""
    start = time.process_time()
    return function(), time.process_time() - start


def case(count: int, length: int, rounds: int) -> dict[str, Any]:
    """Time both implementations alternately on two sets of `count` features; report the fastest of each."""
    from pytorch_fid.fid_score import calculate_frechet_distance

    x, y = features(count, length, 1), features(count, length, 2)
    a, b = moments_of(x), moments_of(y)
    m, s, n, t = (np.asarray(v) for v in (a.mean, a.covariance, b.mean, b.covariance))
    timings = [
        (timed(lambda: frechet_distance(a, b)), timed(lambda: float(calculate_frechet_distance(m, s, n, t))))
        for _ in range(rounds)
    ]
    (ours, ours_s), (theirs, theirs_s) = (min(side, key=lambda pair: pair[1]) for side in zip(*timings, strict=True))
    return {
        "samples": count,
        "dimensions": length,
        "ours": ours,
        "ours_cpu_s": round(ours_s, 3),
        "pytorch_fid": theirs,
        "pytorch_fid_cpu_s": round(theirs_s, 3),
        "times_faster": round(theirs_s / ours_s, 1),
    }


def main() -> None:
    """Measure below and above full rank, print the result, and write it to --output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dimensions", type=int, default=2048)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with threadpool_limits(options.threads):
        cases = [case(count, options.dimensions, options.rounds) for count in (options.dimensions * 5 // 4, 1000)]
    result = {
        "machine": platform.machine(),
        "threads": options.threads,
        "rounds": options.rounds,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "cases": cases,
    }
    text = json.dumps(result, indent=2)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
