"""Checks of a user's model: shapes, initial values, input gradient, and independence of its members."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from gansweep.batched.random_streams import Draws, masks_of
from gansweep.check import members
from gansweep.check.bench import BATCH, PLAYERS, Subject, in_float64, relative_error
from gansweep.check.finding import Answer, Check, requirement
from gansweep.layers import Network, Pass
from gansweep.seeding import Streams

SEEDS = (1, 2, 3)
TOLERANCE = 1e-6


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of the networks of `subject.model`, none without it."""
    if subject.model is None:
        return
    for player in PLAYERS:
        for required in (_shape, _initial):
            yield required.check("model", subject, player, player=player)
    yield _input_gradient.check("model", subject)
    for check in members.checks(subject):
        yield replace(check, part="model")


def _network(subject: Subject, player: str) -> tuple[Network, Tensor, tuple[int, ...]]:
    """Return a network, an input (K, B, ...) in the default precision, and the required shape of the output."""
    assert subject.model is not None
    shape, size = tuple(subject.sample_shape), (len(SEEDS), BATCH)
    generator = torch.Generator().manual_seed(7)
    if player == "generator":
        z = torch.randn(*size, subject.model.latent_dim, generator=generator)
        return subject.model.generator(shape), z, (*size, *shape)
    return subject.model.discriminator(shape), torch.rand(*size, *shape, generator=generator) * 2 - 1, (*size, 1)


def _state(network: Network) -> tuple[list[Tensor], Pass]:
    """Return initial parameters of K members, and a pass with their initial buffers and masks."""
    streams = [Streams(seed) for seed in SEEDS]
    inits = [stream["init"] for stream in streams]
    params = network.cut(torch.stack([network.initial(stream) for stream in inits]))
    buffers = network.initial_buffers(len(SEEDS), params=params, generators=inits)
    draws = Draws(streams, torch.device("cpu"))
    draws.plan("masks", masks_of(network, BATCH))
    return params, Pass(draws.masks("masks", network), buffers)


@requirement("{player} has the required output shape", "return one sample, or one logit, for each input of each member")
def _shape(subject: Subject, player: str) -> Answer:
    network, x, expected = _network(subject, player)
    params, state = _state(network)
    y = network(params, x, state)
    passed = tuple(y.shape) == expected and bool(y.isfinite().all())
    return passed, f"{tuple(x.shape)} to {tuple(y.shape)}, {'finite' if y.isfinite().all() else 'not finite'}"


@requirement(
    "{player} starts at values of its stream",
    "draw initial values from the given generator, not from torch's global one",
)
def _initial(subject: Subject, player: str) -> Answer:
    network, before = _network(subject, player)[0], torch.random.get_rng_state()
    first, again = (network.initial(Streams(SEEDS[0])["init"]) for _ in range(2))
    untouched = torch.equal(torch.random.get_rng_state(), before)
    equal = torch.equal(first, again)
    words = f"{len(first)} parameters, {'equal' if equal else 'different'} for the same seed"
    return equal and untouched, words + ("" if untouched else ", moves torch's global generator")


@requirement(
    "input gradient is that of autograd", "pull_back(params, x, grad_output, state) must be the adjoint of forward"
)
@in_float64
def _input_gradient(subject: Subject) -> Answer:
    network, x, _ = _network(subject, "discriminator")
    params, state = _state(network)
    gradient = network.input_gradient(params, x, state)
    points = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(network(params, points, Pass(state.masks, state.buffers)).sum(), points)
    error = relative_error(gradient.detach(), expected)
    return error < TOLERANCE, f"they differ by {error:.2g}"
