"""What is known of the real samples: computed once, kept by content."""

from __future__ import annotations

import torch
from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.metrics import cache
from gansweep.metrics.features import FeatureNetwork, features_of, statistics_of
from gansweep.metrics.statistics import Statistics
from gansweep.seeding import Streams

VERSION = 1


def reference_statistics(
    network: FeatureNetwork,
    data: Dataset,
    device: torch.device,
    drawn: int | None = None,
    with_replacement: bool = True,
) -> Statistics:
    """Mean (D,) and covariance (D, D) of the features of all real images, or of `drawn` of them.

    Args:
        network: makes features of images.
        data: the real ones.
        device: of the network.
        drawn: how many, always the same ones; None for all.
        with_replacement: an image may be drawn twice.
    """
    key = {"statistics": network.fingerprint(), "data": data.content_hash, "drawn": drawn, "version": VERSION}
    if drawn is not None and not with_replacement:
        key["with_replacement"] = False
    known = cache.recall(key)
    if known is not None:
        mean, spread = torch.from_numpy(known["mean"]), torch.from_numpy(known["spread"])
        return Statistics(mean, spread, int(known["count"]), bool(known["is_root"]))
    samples = data.samples
    if drawn is not None:
        generator = Streams(0)["replacement"]
        if with_replacement:
            chosen = torch.randint(len(samples), (drawn,), generator=generator)
        else:
            chosen = torch.randperm(len(samples), generator=generator)[:drawn]
        samples = samples[chosen.to(samples.device)]
    found = statistics_of(network, samples, device)
    arrays = {"mean": found.mean.numpy(), "spread": found.spread.numpy()}
    cache.keep(key, {**arrays, "count": found.count, "is_root": found.is_root})
    return found


def reference_features(network: FeatureNetwork, data: Dataset, count: int, device: torch.device) -> Tensor:
    """Features (n, D) of n = min(count, N) real images, drawn without replacement, always the same ones."""
    count = min(count, len(data.samples))
    key = {"features": network.fingerprint(), "data": data.content_hash, "count": count, "version": VERSION}
    known = cache.recall(key)
    if known is not None:
        return torch.from_numpy(known["features"])
    chosen = torch.randperm(len(data.samples), generator=Streams(0)["reference"])[:count]
    found = features_of(network, data.samples[chosen.to(data.samples.device)], device)
    cache.keep(key, {"features": found.numpy()})
    return found
