"""Networks of a model, with the number of classes if it is conditional."""

from __future__ import annotations

from torch import Tensor

from gansweep.interfaces import Model
from gansweep.labels import count_classes
from gansweep.layers import Network


def network_of(model: Model, player: str, sample_shape: tuple[int, ...], num_classes: int = 0) -> Network:
    """Return the network of a player; `num_classes` above 0 for a conditional model only."""
    build = getattr(model, player)
    return build(sample_shape, num_classes) if num_classes else build(sample_shape)


def networks_of(model: Model, samples: Tensor, labels: Tensor | None = None) -> dict[str, Network]:
    """Return the networks of both players for samples (N, ...), by player name; conditional ones for labels (N,)."""
    shape, count = tuple(samples.shape[1:]), 0 if labels is None else count_classes(labels)
    return {player: network_of(model, player, shape, count) for player in ("generator", "discriminator")}
