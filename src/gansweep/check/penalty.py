"""Checks of gradient penalties on the discriminator."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from gansweep.batched.penalty_pass import PenaltyInputs, PenaltyPass
from gansweep.check.bench import Subject, difference, finite_differences, in_float64, relative_error
from gansweep.check.finding import Answer, Check, requirement
from gansweep.interfaces import Penalty
from gansweep.layers import LeakyReLU, Linear, Network, Reshape, Tanh

K, B, SHAPE = 2, 4, (1, 3, 3)
TOLERANCE = 1e-5
WEIGHT_SCALES = (1.0, 4.0)  # a one-sided penalty has no gradient where the input gradient is small


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of every penalty of the objective, in float64."""
    for name, penalty in sorted(subject.member.objective.penalties.items()):
        for required in (_each_sample, _norm_over_sample, _zero_gradient, _depends, _gradient):
            yield required.check(f"penalty {name}", penalty)


def _random(*shape: int, seed: int = 3) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _score(penalty: Penalty, grad: Tensor) -> Tensor:
    return penalty.score(grad, _random(*grad.shape[:2], seed=9) if penalty.needs_logits else None)


@requirement(
    "scores each sample separately",
    "score() must map input gradients (K, B, ...) to (K, B); the trainer takes the mean over the batch",
)
@in_float64
def _each_sample(penalty: Penalty) -> Answer:
    grad = _random(K, B, *SHAPE)
    scores = _score(penalty, grad)
    if tuple(scores.shape) != (K, B):
        return False, f"input gradients ({K}, {B}, ...) give {tuple(scores.shape)}, not ({K}, {B})"
    logits = _random(K, B, seed=9) if penalty.needs_logits else None
    single = torch.cat(
        [penalty.score(grad[:, b : b + 1], None if logits is None else logits[:, b : b + 1]) for b in range(B)], 1
    )
    whole, separate = scores.mean().item(), single.mean().item()
    return difference(scores, single) < 1e-12, f"whole batch {whole:.6g}, sample by sample {separate:.6g}"


@requirement(
    "takes the gradient norm over a whole sample",
    "take the norm over all pixels, grad.flatten(2).norm(dim=2), not over the channels of each pixel",
)
@in_float64
def _norm_over_sample(penalty: Penalty) -> Answer:
    """Compare D(x) = <w, x>, ||w|| = 3, with w in one of 28 x 28 pixels and with w spread evenly."""
    pixel, even = torch.zeros(1, 1, 1, 28, 28), torch.full((1, 1, 1, 28, 28), 3 / 28)
    pixel[..., 5, 7] = 3.0
    first, second = (penalty.weight * _score(penalty, grad).mean().item() for grad in (pixel, even))
    passed = abs(first - second) <= 1e-9 * max(abs(first), abs(second))
    return passed, f"||w|| = 3 in one pixel costs {first:.6g}, spread over 784 {second:.6g}"


@requirement(
    "finite at zero input gradient",
    "the square root of a sum of squares has no gradient at 0: use torch.linalg.vector_norm",
)
@in_float64
def _zero_gradient(penalty: Penalty) -> Answer:
    grad = torch.zeros(1, 2, *SHAPE, requires_grad=True)
    value = _score(penalty, grad).sum()
    if not value.requires_grad:
        return False, "does not depend on the input gradient"
    (gradient,) = torch.autograd.grad(value, grad, allow_unused=True, materialize_grads=True)
    finite = bool(gradient.isfinite().all())
    return finite, f"penalty {value.item():.6g}, gradient {'finite' if finite else 'not finite'}"


def _networks() -> Iterator[Network]:
    """Yield a piecewise linear critic, and one whose input gradient varies with the input."""
    for activation in (LeakyReLU(0.2), Tanh()):
        yield Network([Reshape(SHAPE, (9,)), Linear("1", 9, 4), activation, Linear("3", 4, 1)], _no_initial)


def _no_initial(slot: object, generator: object) -> Tensor:
    raise NotImplementedError("the parameters are given")


def _penalty(penalty: Penalty, network: Network, theta: Tensor) -> Tensor:
    """Return weight * E[score] (K,), computed as in the trainer."""
    penalty_pass = PenaltyPass([penalty] * K, [lambda step, total: 1.0] * K, torch.device("cpu"))
    penalty_pass.factors.set([0] * K, [1] * K)
    random = torch.Generator().manual_seed(11)
    real, fake = torch.randn(2, K, B, *SHAPE, generator=random)
    u = torch.rand(K, B, *(SHAPE if penalty.noise == "entry" else (1,) * len(SHAPE)), generator=random)
    return penalty_pass(network, network.cut(theta), {}, real, fake, PenaltyInputs([u]))


def _gradients(penalty: Penalty) -> Iterator[tuple[Network, Tensor, Tensor]]:
    for network in _networks():
        for factor in WEIGHT_SCALES:
            theta = (factor * _random(K, network.num_parameters)).requires_grad_()
            value = _penalty(penalty, network, theta).sum()
            gradient = torch.zeros_like(theta)
            if value.requires_grad:
                (gradient,) = torch.autograd.grad(value, theta, allow_unused=True, materialize_grads=True)
            yield network, theta, gradient


@requirement(
    "depends on the discriminator's parameters",
    "differentiate through the input gradient: create_graph=True, no detach()",
)
@in_float64
def _depends(penalty: Penalty) -> Answer:
    if penalty.weight == 0:
        return None, "weight 0"
    norms = [gradient.norm().item() for _, _, gradient in _gradients(penalty)]
    # Only the second network has a nonzero second derivative by x; the gradient of both counts.
    first, second = max(norms[:2]), max(norms[2:])
    return min(first, second) > 0, f"gradient norms {first:.3g}, {second:.3g}"


@requirement(
    "gradient matches finite differences",
    "part of the graph is detached from the parameters: look for detach(), data, item() or no_grad()",
)
@in_float64
def _gradient(penalty: Penalty) -> Answer:
    errors = [
        relative_error(gradient, finite_differences(lambda x, network=network: _penalty(penalty, network, x), theta))
        for network, theta, gradient in list(_gradients(penalty))[::2]
    ]
    return max(errors) < TOLERANCE, f"against finite differences: {max(errors):.2g}"
