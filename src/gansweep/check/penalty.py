"""Checks of gradient penalties on the discriminator."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from gansweep.batched.objectives import PenaltyInputs, PenaltyPass
from gansweep.check.bench import Subject, agreement, difference, precisely, slope_by_differences
from gansweep.check.finding import Answer, Check
from gansweep.interfaces import Penalty
from gansweep.layers import LeakyReLU, Linear, Network, Reshape, Tanh

K, B, SHAPE = 2, 4, (1, 3, 3)
CLOSE = 1e-5
STEEP = (1.0, 4.0)  # factors of the weights: a one-sided penalty has no gradient where the critic is flat


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of every penalty of the objective, in float64."""
    for name, penalty in sorted(subject.member.objective.penalties.items()):
        part = f"penalty {name}"
        yield Check(
            part,
            "scores each sample separately",
            "score() must map input gradients (K, B, ...) to (K, B); the trainer takes the mean over the batch",
            precisely(partial(_per_sample, penalty)),
        )
        yield Check(
            part,
            "takes the gradient norm over a whole sample",
            "take the norm over all pixels, slope.flatten(2).norm(dim=2), not over the channels of each pixel",
            precisely(partial(_whole_slope, penalty)),
        )
        yield Check(
            part,
            "finite at zero input gradient",
            "the square root of a sum of squares has no gradient at 0: use torch.linalg.vector_norm",
            precisely(partial(_flat, penalty)),
        )
        yield Check(
            part,
            "depends on the discriminator's parameters",
            "differentiate through the input gradient: create_graph=True, no detach()",
            precisely(partial(_reaches, penalty)),
        )
        yield Check(
            part,
            "gradient matches finite differences",
            "part of the graph is detached from the parameters: look for detach(), data, item() or no_grad()",
            precisely(partial(_gradient, penalty)),
        )


def _random(*shape: int, seed: int = 3) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _score(penalty: Penalty, grad: Tensor) -> Tensor:
    return penalty.score(grad, _random(*grad.shape[:2], seed=9) if penalty.needs_logits else None)


def _per_sample(penalty: Penalty) -> Answer:
    grad = _random(K, B, *SHAPE)
    scores = _score(penalty, grad)
    if tuple(scores.shape) != (K, B):
        return False, f"input gradients ({K}, {B}, ...) give {tuple(scores.shape)}, not ({K}, {B})"
    logits = _random(K, B, seed=9) if penalty.needs_logits else None
    alone = torch.cat(
        [penalty.score(grad[:, b : b + 1], None if logits is None else logits[:, b : b + 1]) for b in range(B)], 1
    )
    apart = difference(scores, alone)
    mean, of_means = scores.mean().item(), alone.mean().item()
    return apart < 1e-12, f"whole batch {mean:.6g}, sample by sample {of_means:.6g}"


def _whole_slope(penalty: Penalty) -> Answer:
    """Compare D(x) = <w, x> on 28 x 28 pixels, ||w|| = 3, with w in one pixel and with w spread evenly."""
    one, even = torch.zeros(1, 1, 1, 28, 28), torch.full((1, 1, 1, 28, 28), 3 / 28)
    one[..., 5, 7] = 3.0
    prices = [penalty.weight * _score(penalty, grad).mean().item() for grad in (one, even)]
    apart = abs(prices[0] - prices[1])
    holds = apart <= 1e-9 * max(map(abs, prices))
    return holds, f"||w|| = 3 in one pixel costs {prices[0]:.6g}, spread over 784 {prices[1]:.6g}"


def _flat(penalty: Penalty) -> Answer:
    grad = torch.zeros(1, 2, *SHAPE, requires_grad=True)
    price = _score(penalty, grad).sum()
    if not price.requires_grad:
        return False, "does not depend on the input gradient"
    (gradient,) = torch.autograd.grad(price, grad, allow_unused=True, materialize_grads=True)
    finite = bool(gradient.isfinite().all())
    return finite, f"penalty {price.item():.6g}, gradient {'finite' if finite else 'not finite'}"


def _networks() -> Iterator[Network]:
    """Yield a piecewise linear critic, and one whose input gradient varies with the input."""
    for bend in (LeakyReLU(0.2), Tanh()):
        yield Network([Reshape(SHAPE, (9,)), Linear("1", 9, 4), bend, Linear("3", 4, 1)], _start)


def _start(slot: object, generator: object) -> Tensor:
    raise NotImplementedError("rows are given")


def _price(penalty: Penalty, network: Network, theta: Tensor) -> Tensor:
    """Return weight * E[score] (K,), computed as in the trainer."""
    priced = PenaltyPass([penalty] * K, [lambda step, total: 1.0] * K, torch.device("cpu"))
    priced.factors.set([0] * K, [1] * K)
    random = torch.Generator().manual_seed(11)
    real, fake = torch.randn(2, K, B, *SHAPE, generator=random)
    u = torch.rand(K, B, *(SHAPE if penalty.noise == "entry" else (1,) * len(SHAPE)), generator=random)
    return priced(network, network.cut(theta), {}, real, fake, PenaltyInputs([u]))


def _gradients(penalty: Penalty) -> Iterator[tuple[Network, Tensor, Tensor]]:
    for network in _networks():
        for factor in STEEP:
            theta = (factor * _random(K, network.num_parameters)).requires_grad_()
            price = _price(penalty, network, theta).sum()
            gradient = torch.zeros_like(theta)
            if price.requires_grad:
                (gradient,) = torch.autograd.grad(price, theta, allow_unused=True, materialize_grads=True)
            yield network, theta, gradient


def _reaches(penalty: Penalty) -> Answer:
    if penalty.weight == 0:
        return None, "weight 0"
    sizes = [gradient.norm().item() for _, _, gradient in _gradients(penalty)]
    # The gradient must be positive in each network; only the second has a nonzero second derivative by x.
    return min(max(sizes[:2]), max(sizes[2:])) > 0, f"gradient norms {max(sizes[:2]):.3g}, {max(sizes[2:]):.3g}"


def _gradient(penalty: Penalty) -> Answer:
    apart = [
        agreement(gradient, slope_by_differences(lambda at, network=network: _price(penalty, network, at), theta))
        for network, theta, gradient in list(_gradients(penalty))[::2]
    ]
    return max(apart) < CLOSE, f"against finite differences: {max(apart):.2g}"
