"""Derivatives of strided convolutions.

Mistakes: a phase or a border off by one, an indivisible side.
"""

from __future__ import annotations

from itertools import product

import pytest
import torch

from gansweep.layers import Conv2d, ConvTranspose2d, Pass


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "size"),
    [*product((7, 8, 11), (2, 3), (0, 3, 5), ((32, 32), (13, 20)))],
    ids=lambda value: str(value).replace(" ", ""),
)
def test_pull_back_of_a_large_kernel_equals_autograd(kernel, stride, padding, size):
    random = torch.Generator().manual_seed(2)
    layer = Conv2d("0", 3, 5, kernel, stride, padding)
    x = torch.randn(2, 4, 3, *size, generator=random, requires_grad=True)
    params = [torch.randn(2, *slot.shape, generator=random) for slot in layer.slots]
    y = layer.forward(params, x, Pass())
    grad_output = torch.randn(y.shape, generator=random)
    (expected,) = torch.autograd.grad(y, x, grad_output)
    grad_input = layer.pull_back(params, x, grad_output, Pass())
    torch.testing.assert_close(grad_input, expected, rtol=1e-4, atol=1e-4)


def test_third_derivatives_of_a_transposed_convolution_with_output_padding():
    """The product of a Hessian and a vector by double backward, as in `Joint.jvp`, against finite differences."""
    random = torch.Generator().manual_seed(3)
    layer = ConvTranspose2d("0", 2, 3, 5, 2, 2, output_padding=1)
    shapes = [(1, 2, 2, 4, 4), *((1, *slot.shape) for slot in layer.slots)]  # x, weight, bias
    at, u = ([torch.randn(shape, generator=random, dtype=torch.float64) for shape in shapes] for _ in "ab")
    state, step = Pass(third_derivatives=True), 1e-5

    def gradients(at, create_graph=False):
        loss = layer.forward(at[1:], at[0], state).tanh().square().sum()
        return torch.autograd.grad(loss, at, create_graph=create_graph)

    torch.testing.assert_close(layer.forward(at[1:], at[0], state), layer.forward(at[1:], at[0], Pass()))
    shifted = [[part + h * direction for part, direction in zip(at, u, strict=True)] for h in (step, -step)]
    above, below = (gradients([part.requires_grad_() for part in parts]) for parts in shifted)
    at = [part.requires_grad_() for part in at]
    w = [torch.zeros_like(part, requires_grad=True) for part in at]
    transposed = torch.autograd.grad(gradients(at, create_graph=True), at, w, create_graph=True)
    products = torch.autograd.grad(transposed, w, u)
    for value, high, low in zip(products, above, below, strict=True):
        torch.testing.assert_close(value, (high - low) / (2 * step), rtol=1e-5, atol=1e-7)
