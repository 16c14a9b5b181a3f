"""Statistics and features of the real samples, cached by the content hash of the data."""

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
    """Return the mean (D,) and covariance (D, D) of the features of the real images.

    Args:
        network: the feature network.
        data: the real images.
        device: device of the network.
        drawn: number of real images, drawn with a fixed seed; None for all.
        with_replacement: draw with replacement.
    """
    key = {"statistics": network.fingerprint(), "data": data.content_hash, "drawn": drawn, "version": VERSION}
    if drawn is not None and not with_replacement:
        key["with_replacement"] = False
    cached = cache.recall(key)
    if cached is not None:
        mean, spread = torch.from_numpy(cached["mean"]), torch.from_numpy(cached["spread"])
        return Statistics(mean, spread, int(cached["count"]), bool(cached["is_root"]))
    samples = data.samples
    if drawn is not None:
        generator = Streams(0)["replacement"]
        if with_replacement:
            indices = torch.randint(len(samples), (drawn,), generator=generator)
        else:
            indices = torch.randperm(len(samples), generator=generator)[:drawn]
        samples = samples[indices.to(samples.device)]
    statistics = statistics_of(network, samples, device)
    arrays = {"mean": statistics.mean.numpy(), "spread": statistics.spread.numpy()}
    cache.keep(key, {**arrays, "count": statistics.count, "is_root": statistics.is_root})
    return statistics


def reference_features(network: FeatureNetwork, data: Dataset, count: int, device: torch.device) -> Tensor:
    """Return the features (n, D) of n = min(count, N) real images, drawn without replacement with a fixed seed."""
    count = min(count, len(data.samples))
    key = {"features": network.fingerprint(), "data": data.content_hash, "count": count, "version": VERSION}
    cached = cache.recall(key)
    if cached is not None:
        return torch.from_numpy(cached["features"])
    indices = torch.randperm(len(data.samples), generator=Streams(0)["reference"])[:count]
    features = features_of(network, data.samples[indices.to(data.samples.device)], device)
    cache.keep(key, {"features": features.numpy()})
    return features
