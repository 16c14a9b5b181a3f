"""Parameter gradients of a game with a gradient penalty, in closed form, for chains of piecewise linear layers.

    L = game(D(x)) + penalty(dD/dx (x_hat)),   a_0 = (x, x_hat),   a_{l+1} = f_l(a_l)

    u_L = (dgame/dD, 1),                       u_l = J_l^T u_{l+1},   J_l = df_l/da_l, for all rows
    c_0 = dpenalty/du_0 of x_hat,              c_{l+1} = J_l c_l, for the rows of x_hat

    dL/dW_l = u_{l+1}^T (a_l of x, c_l),       dL/db_l = sum of u_{l+1} over the rows of x

for f_l(a) = a W_l^T + b_l. J_l is constant in the neighbourhood of a_l, so that a penalty of
u_0 = J_0^T ... J_{L-1}^T 1 depends on the weights alone, and its gradient by W_l is u_{l+1}^T c_l. Real samples,
generated samples and points of the penalty pass through a layer in one matrix product, and both parts of a weight's
gradient are one product. Autograd takes another product for each part, and adds the results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.layers.chain import shares
from gansweep.layers.layer import Layer, Pass, at_least_float32

Values = Callable[[Tensor], Tensor]  # (K, B, ...) -> (K,)


class Penalised(NamedTuple):
    """Gradients of the slots (K, *shape), values of game and penalty (K,), and logits (K, n) of the samples."""

    gradients: list[Tensor]
    game: Tensor
    penalty: Tensor
    logits: Tensor


def has_closed_form(layers: Sequence[Layer]) -> bool:
    """Return whether all layers define what `penalised_gradients` needs."""
    return all(hasattr(layer, "push_forward") for layer in layers)


def penalised_gradients(
    layers: Sequence[Layer],
    params: Sequence[Tensor],
    x: Tensor,
    state: Pass,
    n: int,
    game: Values,
    penalty: Values,
) -> Penalised:
    """Return the gradients of game(D(x_1 ... x_n)) + penalty(dD/dx (x_{n+1} ...)), summed over the members.

    Args:
        layers: of a network with one output per sample; `has_closed_form` is true.
        params: of all slots, (K, *shape) each.
        x: samples followed by points of the penalty, (K, n + B, ...).
        state: of the pass of all of them.
        n: number of samples.
        game: function from the logits (K, n) to losses (K,).
        penalty: function from the input gradients (K, B, ...) to penalties (K,).
    """
    parts: list[tuple[Any, Sequence[Tensor], Pass]] = list(shares(layers, params, state))
    inputs = [x]
    for layer, own, share in parts:
        inputs.append(layer.forward(own, inputs[-1], share))
    logits = at_least_float32(inputs.pop())[:, :n, 0]
    game_values, u = with_gradient(game, logits)
    u = torch.cat([u, torch.ones_like(x[:, n:].flatten(2)[..., 0])], 1)[..., None]

    first = next(at for at, layer in enumerate(layers) if layer.slots)
    outer = []  # u at the output of every layer from the last one to the first with parameters
    for at in reversed(range(len(parts))):
        (layer, own, share), a = parts[at], inputs[at]
        outer.append(u)
        if at <= first:  # nothing before it needs the gradient by x
            share, a, u = _points(share, n), a[:, n:], u[:, -a[:, n:].shape[1] :]
        u = layer.pull_back(own, a, u, share)

    penalty_values, c = with_gradient(penalty, at_least_float32(u))
    gradients = []
    for (layer, own, share), a in zip(parts, inputs, strict=True):
        u = outer.pop()
        if layer.slots:
            rows = _replaced(a, n, c)
            gradients += layer.parameter_gradients(rows, u, n)
            c = rows[:, n:]
        if outer:
            c = layer.push_forward(own, a[:, n:], c, _points(share, n))
    return Penalised(
        [g.to(p.dtype) for g, p in zip(gradients, params, strict=True)], game_values, penalty_values, logits
    )


def with_gradient(values: Values, at: Tensor) -> tuple[Tensor, Tensor]:
    """Return values (K,) at a point, and the gradient of their sum."""
    if torch.compiler.is_compiling():

        def total(point: Tensor) -> tuple[Tensor, Tensor]:
            result = values(point)
            return result.sum(), result

        gradient, result = torch.func.grad(total, has_aux=True)(at)
        return result, gradient
    with torch.enable_grad():
        at = at.detach().requires_grad_()
        result = values(at)
        return result.detach(), torch.autograd.grad(result.sum(), at)[0]


def _replaced(a: Tensor, n: int, c: Tensor) -> Tensor:
    """Return the first n samples of a (K, n + B, ...), followed by c (K, B, ...)."""
    if not torch.compiler.is_compiling():
        return torch.cat([a[:, :n], c], 1)
    # Two ranges would be written by two kernels, and c by a third one before them.
    inside = torch.arange(a.shape[1], device=a.device) < n
    return torch.where(inside.view(-1, *[1] * (a.ndim - 2)), a, F.pad(c, [0] * (2 * a.ndim - 4) + [n, 0]))


def _points(share: Pass, n: int) -> Pass:
    """Return the state of the rows after the n-th."""
    return replace(share, masks=[mask[:, n:] for mask in share.masks])
