"""Outputs and gradients of a network for given members, and their differences from solo runs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tests.layers.masks import masks as masks_of_pass
from torch import Tensor

from gansweep.layers import Network, Pass
from gansweep.seeding import Streams

BATCHES = ([1, 0], [2, 0, 1], [4, 3, 0, 1, 2])


def quantities(
    network: Network,
    sample_shape: tuple[int, ...],
    batch_size: int,
    seeds: Sequence[int],
    nan_seed: int | None = None,
    num_classes: int = 0,
) -> list[dict[str, Tensor]]:
    """Return outputs, gradients and gradients of the input gradient, one dictionary per seed.

    All inputs of a member are drawn from its own seed. Cotangents are fixed numbers, so that only
    reductions of the network itself can differ. The parameters of the member with seed `nan_seed`
    are NaN.
    """
    streams = [Streams(seed) for seed in seeds]
    theta = torch.stack([network.initial(stream["init"]) for stream in streams])
    for k, seed in enumerate(seeds):
        if seed == nan_seed:
            theta[k] = float("nan")

    def normal(name: str, *shape: int) -> Tensor:
        return torch.stack([torch.randn(shape, generator=stream[name]) for stream in streams])

    x = normal("x", batch_size, *sample_shape).requires_grad_()
    masks = masks_of_pass(network, batch_size, seeds)
    params = [p.detach().requires_grad_() for p in network.cut(theta)]
    labels = None
    if num_classes:
        labels = torch.stack([torch.randint(num_classes, (batch_size,), generator=s["labels"]) for s in streams])
    state = Pass(masks, network.initial_buffers(len(seeds), params=params), labels=labels)
    y = network(params, x, state)
    result = {f"statistic {name}": value for name, value in state.updates.items()}
    result["output"] = y
    gradients = torch.autograd.grad(y, [x, *params], normal("v", *y.shape[1:]))
    result |= {f"gradient {n}": g for n, g in enumerate(gradients)}
    if y.shape[2:] == (1,):
        input_gradient = network.input_gradient(params, x, Pass(masks, state.buffers, labels=labels))
        result["input_gradient"] = input_gradient
        second = torch.autograd.grad(input_gradient, params, normal("w", *input_gradient.shape[1:]), allow_unused=True)
        result |= {f"second {n}": g for n, g in enumerate(second) if g is not None}
    return [{name: value[k].detach() for name, value in result.items()} for k in range(len(seeds))]


def differences(network: Network, sample_shape: tuple[int, ...], batch_size: int, num_classes: int = 0) -> list[str]:
    """Return the quantities that differ between a solo run and a batch of 2, 3 or 5."""
    alone = {
        seed: quantities(network, sample_shape, batch_size, [seed], num_classes=num_classes)[0] for seed in range(5)
    }
    result = []
    for batch in BATCHES:
        together = quantities(network, sample_shape, batch_size, batch, num_classes=num_classes)
        for seed, values in zip(batch, together, strict=True):
            result += [
                f"{name} of {seed} in {batch}, by {(values[name] - value).abs().max():.1e}"
                for name, value in alone[seed].items()
                if not torch.equal(values[name], value)
            ]
    return result
