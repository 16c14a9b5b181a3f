"""All that training ever takes from a network, for the members that are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.layers import Network, Pass
from gansweep.seeding import Streams

COMPANIES = ([1, 0], [2, 0, 1], [4, 3, 0, 1, 2])


def quantities(
    network: Network, sample_shape: tuple[int, ...], batch_size: int, seeds: Sequence[int], spoilt: int | None = None
) -> list[dict[str, Tensor]]:
    """Outputs, gradients and gradients of the input gradient, one dictionary per seed.

    Everything a member is given comes from its own seed. Cotangents are fixed numbers, so that
    no reduction but the network's own can differ. The parameters of member `spoilt` are NaN.
    """
    streams = [Streams(seed) for seed in seeds]
    theta = torch.stack([network.initial(stream["init"]) for stream in streams])
    for k, seed in enumerate(seeds):
        if seed == spoilt:
            theta[k] = float("nan")

    def normal(name: str, *shape: int) -> Tensor:
        return torch.stack([torch.randn(shape, generator=stream[name]) for stream in streams])

    x = normal("x", batch_size, *sample_shape).requires_grad_()
    masks = network.masks(batch_size, [stream["masks"] for stream in streams])
    params = [p.detach().requires_grad_() for p in network.cut(theta)]
    state = Pass(masks, network.initial_buffers(len(seeds), params=params))
    y = network(params, x, state)
    found = {f"statistic {name}": value for name, value in state.updates.items()}
    found["output"] = y
    gradients = torch.autograd.grad(y, [x, *params], normal("v", *y.shape[1:]))
    found |= {f"gradient {n}": g for n, g in enumerate(gradients)}
    if y.shape[2:] == (1,):
        slope = network.input_gradient(params, x, Pass(masks, state.buffers))
        found["slope"] = slope
        second = torch.autograd.grad(slope, params, normal("w", *slope.shape[1:]), allow_unused=True)
        found |= {f"second {n}": g for n, g in enumerate(second) if g is not None}
    return [{name: value[k].detach() for name, value in found.items()} for k in range(len(seeds))]


def differences(network: Network, sample_shape: tuple[int, ...], batch_size: int) -> list[str]:
    """Name what of which member is not bit for bit what it is alone, in companies of 2, 3 and 5."""
    alone = {seed: quantities(network, sample_shape, batch_size, [seed])[0] for seed in range(5)}
    found = []
    for company in COMPANIES:
        for seed, told in zip(company, quantities(network, sample_shape, batch_size, company), strict=True):
            found += [
                f"{name} of {seed} in {company}, by {(told[name] - value).abs().max():.1e}"
                for name, value in alone[seed].items()
                if not torch.equal(told[name], value)
            ]
    return found
