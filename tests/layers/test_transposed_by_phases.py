"""Mistakes: a phase off by one, a border cut at the wrong end, a side that the stride does not divide."""

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
def test_the_way_back_of_a_large_kernel_is_that_of_autograd(kernel, stride, padding, size):
    random = torch.Generator().manual_seed(2)
    layer = Conv2d("0", 3, 5, kernel, stride, padding)
    x = torch.randn(2, 4, 3, *size, generator=random, requires_grad=True)
    params = [torch.randn(2, *slot.shape, generator=random) for slot in layer.slots]
    y = layer.forward(params, x, Pass())
    slope = torch.randn(y.shape, generator=random)
    (expected,) = torch.autograd.grad(y, x, slope)
    found = layer.pull_back(params, x, slope, Pass())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
