"""Derivatives of strided convolutions.

Mistakes: a phase or a border off by one, an indivisible side.
"""

from __future__ import annotations

from itertools import product

import pytest
import torch

from gansweep.layers import Conv2d, ConvTranspose2d, Pass
from gansweep.layers.convolution import ThirdDerivatives


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


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(("padding", "output_padding"), [(2, 1), (0, 1)])
def test_third_derivatives_of_a_transposed_convolution_with_output_padding(padding, output_padding, backwards):
    """The product of a Hessian and a vector by double backward, as in `Joint.jvp`, against finite differences."""
    random = torch.Generator().manual_seed(3)
    if backwards:
        layer = Conv2d("0", 2, 3, 5, 2, padding, bias=False)
        shapes = [(1, 2, 3, 2, 2), (1, *layer.slots[0].shape)]  # dL/dy, weight
        x = torch.empty(1, 2, 2, *[5 + 2 - 2 * padding + output_padding] * 2)
    else:
        layer = ConvTranspose2d("0", 2, 3, 5, 2, padding, output_padding=output_padding)
        shapes = [(1, 2, 2, 4, 4), *((1, *slot.shape) for slot in layer.slots)]  # x, weight, bias
    at, u = ([torch.randn(shape, generator=random, dtype=torch.float64) for shape in shapes] for _ in "ab")
    step = 1e-5

    def value(at):
        return layer.pull_back(at[1:], x, at[0], Pass()) if backwards else layer.forward(at[1:], at[0], Pass())

    def gradients(at, create_graph=False):
        return torch.autograd.grad(value(at).tanh().square().sum(), at, create_graph=create_graph)

    expected = value(at)
    with ThirdDerivatives():
        torch.testing.assert_close(value(at), expected)
        shifted = [[part + h * direction for part, direction in zip(at, u, strict=True)] for h in (step, -step)]
        above, below = (gradients([part.requires_grad_() for part in parts]) for parts in shifted)
        at = [part.requires_grad_() for part in at]
        w = [torch.zeros_like(part, requires_grad=True) for part in at]
        transposed = torch.autograd.grad(gradients(at, create_graph=True), at, w, create_graph=True)
        products = torch.autograd.grad(transposed, w, u)
    for hessian_u, high, low in zip(products, above, below, strict=True):
        torch.testing.assert_close(hessian_u, (high - low) / (2 * step), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "layer",
    [
        torch.nn.ConvTranspose1d(2, 3, 4, stride=3, output_padding=2),
        torch.nn.ConvTranspose2d(4, 6, 3, stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2),
        torch.nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, dilation=2, bias=False),
        torch.nn.ConvTranspose3d(2, 3, 3, stride=2, padding=(0, 1, 2), output_padding=(1, 1, 0)),
    ],
    ids=str,
)
def test_the_values_of_torch_within_third_derivatives(layer):
    x = torch.randn(2, layer.in_channels, *[5] * (layer.weight.dim() - 2))
    expected = layer(x)
    with ThirdDerivatives():
        torch.testing.assert_close(layer(x), expected)
        torch.testing.assert_close(torch.func.vmap(layer)(x), expected)
