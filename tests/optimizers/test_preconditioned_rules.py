"""Shampoo and SOAP: closed forms, their algorithms in NumPy, another package, and bits that do not depend on K."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.matrices import _eigh, inverse_root
from gansweep.optimizers.shampoo import Shampoo
from gansweep.optimizers.soap import SOAP

MATRIX = [Slot("w", (5, 7))]


def gradients(num_steps=12, num_members=1, size=35, dtype=torch.float64):
    random = torch.Generator().manual_seed(4)
    return torch.randn(num_steps, num_members, size, generator=random, dtype=torch.float64).to(dtype)


def power(a, exponent, least=0.01):
    values, vectors = np.linalg.eigh(a)
    return vectors @ np.diag(np.maximum(values, least) ** exponent) @ vectors.T


def test_the_first_step_of_shampoo_is_orthogonal(drive):
    """(U S^2 U^T)^(-1/4) U S V^T (V S^2 V^T)^(-1/4) = U V^T."""
    theta, (g,) = torch.zeros(1, 35, dtype=torch.float64), gradients(1)
    drive(Shampoo(eps=1e-12), theta, g[None], [1.0], slots=MATRIX)
    u, _, vh = torch.linalg.svd(g.view(5, 7), full_matrices=False)
    torch.testing.assert_close(theta.view(5, 7), -u @ vh, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("every", [1, 4])
def test_shampoo_is_its_algorithm(drive, every):
    theta, steps = torch.zeros(1, 35, dtype=torch.float64), gradients()
    w, left, right = np.zeros((5, 7)), 1e-2 * np.eye(5), 1e-2 * np.eye(7)
    for t, g in enumerate(steps[:, 0].view(-1, 5, 7).numpy()):
        left, right = 0.9 * left + g @ g.T, 0.9 * right + g.T @ g
        if t % every == 0:
            roots = power(left, -0.25), power(right, -0.25)
        w = w - 0.1 * roots[0] @ g @ roots[1]
    drive(Shampoo(eps=1e-2, decay=0.9, every=every), theta, steps, [0.1], slots=MATRIX)
    torch.testing.assert_close(theta.view(5, 7), torch.from_numpy(w), rtol=1e-9, atol=1e-12)


def test_shampoo_of_a_vector_is_full_matrix_adagrad(drive):
    theta, steps = torch.zeros(1, 4, dtype=torch.float64), gradients(5, size=4)
    x, total = np.zeros(4), 1e-2 * np.eye(4)
    for g in steps[:, 0].numpy():
        total = total + np.outer(g, g)
        x = x - 0.1 * power(total, -0.5) @ g
    drive(Shampoo(eps=1e-2), theta, steps, [0.1], slots=[Slot("b", (4,), "bias")])
    torch.testing.assert_close(theta[0], torch.from_numpy(x), rtol=1e-9, atol=1e-12)


def test_shampoo_of_a_kernel_has_a_preconditioner_for_each_short_axis(drive):
    """Axes of 3 and 2; that of 6 is too long. The exponent is -1 / 4 for two axes."""
    theta, (g,) = torch.zeros(1, 36, dtype=torch.float64), gradients(1, size=36)
    drive(Shampoo(eps=1e-2, max_size=5), theta, g[None], [1.0], slots=[Slot("k", (3, 6, 2))])
    x = g.view(3, 6, 2).numpy()
    a = power(1e-2 * np.eye(3) + np.einsum("iab,jab->ij", x, x), -0.25)
    b = power(1e-2 * np.eye(2) + np.einsum("abi,abj->ij", x, x), -0.25)
    expected = -np.einsum("iab,ij,bc->jac", x, a, b)
    torch.testing.assert_close(theta.view(3, 6, 2), torch.from_numpy(expected), rtol=1e-9, atol=1e-12)


def test_a_matrix_that_is_not_finite_has_no_root_and_leaves_the_others():
    a = torch.eye(3, dtype=torch.float64).repeat(2, 1, 1) * 16
    a[1, 0, 0] = torch.nan
    root = inverse_root(a, 4, 1e-6)
    torch.testing.assert_close(root[0], torch.eye(3, dtype=torch.float64) / 2)
    assert root[1].isnan().all()


@pytest.mark.parametrize("shape", [(6, 6), (4, 3, 2)])
def test_soap_equals_pytorch_optimizer(drive, shape):
    """The first gradient has full rank along every axis, so that the eigenvectors are unique."""
    package = pytest.importorskip("pytorch_optimizer")
    slots = [Slot("w", shape), Slot("b", (6,), "bias")]
    size = torch.Size(shape).numel()
    theta, steps = torch.ones(1, size + 6), gradients(25, size=size + 6, dtype=torch.float32)
    own = [theta[0, :size].view(shape).clone(), theta[0, size:].clone()]
    optimizer = package.SOAP(own, lr=0.01, betas=(0.9, 0.95), precondition_frequency=3, weight_decay=0.1)
    for g in steps[:, 0]:
        own[0].grad, own[1].grad = g[:size].view(shape).clone(), g[size:].clone()
        optimizer.step()
    drive(SOAP(betas=(0.9, 0.95), every=3, weight_decay=0.1), theta, steps, [0.01], slots=slots)
    torch.testing.assert_close(theta[0], torch.cat([p.flatten() for p in own]), rtol=1e-3, atol=1e-4)


def test_soap_is_adam_where_no_axis_has_a_basis(drive):
    """One step later, because the first gradient is not used, and with another eps."""
    theta, steps = torch.zeros(1, 35, dtype=torch.float64), gradients()
    other = theta.clone()
    drive(SOAP(betas=(0.9, 0.99), eps=0.0, max_size=4), theta, steps, [0.01], slots=MATRIX)
    drive(Adam(betas=(0.9, 0.99), eps=0.0), other, steps[1:], [0.01], slots=MATRIX)
    torch.testing.assert_close(theta, other, rtol=1e-9, atol=1e-12)


def test_soap_with_one_step_of_constant_gradients_moves_along_its_singular_vectors(drive):
    """In the basis of G, G is diagonal with m / sqrt(v) = 1 at its two singular values: W = -lr U V^T after two."""
    theta = torch.zeros(1, 6, dtype=torch.float64)
    g = torch.tensor([[1.0, 2.0, 0.5], [-1.0, 0.3, 2.0]], dtype=torch.float64)
    drive(SOAP(eps=1e-9), theta, g.view(1, 1, 6).expand(2, 1, 6), [0.1], slots=[Slot("w", (2, 3))])
    u, _, vh = torch.linalg.svd(g, full_matrices=False)
    torch.testing.assert_close(theta.view(2, 3), -0.1 * u @ vh, rtol=1e-4, atol=1e-4)


def bits(rule, rows, theta, steps, slots):
    theta = theta[rows].clone()
    state = rule.state(slots, theta)
    for t, g in enumerate(steps):
        step, lr = torch.full((len(theta), 1), t + 1.0, dtype=torch.float64), torch.full((len(theta), 1), 0.1)
        rule.update(theta, g[rows], state, UpdateContext(lr, step, slots))
    return theta


@pytest.mark.parametrize("rule", [Shampoo(every=2), SOAP(every=2)], ids=repr)
@pytest.mark.parametrize("shapes", [[(67, 131), (3, 67), (67,)], [(5, 7), (30, 9, 3, 3), (1, 30)]])
def test_a_member_is_the_same_alone_and_in_a_pack(rule, shapes):
    slots = [Slot(str(n), shape) for n, shape in enumerate(shapes)]
    size = sum(torch.Size(shape).numel() for shape in shapes)
    steps = gradients(5, 3, size, torch.float32)
    for threads in (1, 2):
        torch.set_num_threads(threads)
        try:
            together = bits(rule, [0, 1, 2], steps[0], steps, slots)
            assert torch.equal(bits(rule, [2, 0], steps[0], steps, slots), together[[2, 0]])
            assert torch.equal(bits(rule, [1], steps[0], steps, slots), together[[1]])
        finally:
            torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Shampoo(eps=0.0), "eps=0.0: expected a number > 0"),
        (lambda: Shampoo(decay=0.0), "decay=0.0: expected 0 < decay <= 1"),
        (lambda: Shampoo(every=0), "every=0: expected a whole number >= 1"),
        (lambda: SOAP(every=0), "every=0"),
        (lambda: SOAP(betas=(0.9, 1.0)), "betas="),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_matrix_that_is_not_finite_does_not_change_those_of_other_members():
    """Mistake: one error of a batched decomposition for all members, as on accelerators."""
    a = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(2))
    a = a + a.mT
    expected = [_eigh(matrix) for matrix in a]
    a[1, 0, 0] = torch.nan
    values, vectors = _eigh(a)
    assert values[1].isnan().all()
    assert vectors[1].isnan().all()
    for k in (0, 2):
        assert torch.equal(values[k], expected[k][0])
        assert torch.equal(vectors[k], expected[k][1])
