"""Input gradient of strided convolutions.

Mistakes: a phase or a border off by one, an indivisible side.
"""

from __future__ import annotations

from itertools import product

import pytest
import torch

from gansweep.layers import Conv2d, Pass


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
