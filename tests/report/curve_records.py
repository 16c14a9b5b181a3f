"""Records with curves, and a sweep of them."""

from __future__ import annotations

import numpy as np
from tests.sweep.fake_cells import record

HOSTILE = "</script><script>alert(1)</script>&\"'"


def measured(of, values, seconds=1.0):
    """Return a record whose evaluations have these values, one every 100 steps."""
    content = record(of, values[-1], untrained=values[0])
    best = 1 + int(np.argmin(values[1:]))
    content["metric"] |= {"best": values[best], "best_step": 100 * best, "final_step": 100 * (len(values) - 1)}
    content["metric"]["evaluations"] = [{"step": 100 * n, "value": value} for n, value in enumerate(values)]
    content["time"]["evaluations"] = [{"step": 100 * n, "trained_s": seconds * n} for n in range(len(values))]
    return content


def curve(optimizer, lr, seed):
    return [400.0, 123456.7 * lr + seed, 10.0 * len(optimizer) + 1000 * lr + 64 * seed / 3]
