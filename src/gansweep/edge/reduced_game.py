"""Projection of a game's Jacobian, in preconditioned coordinates, on a small subspace of each player's parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from gansweep.dynamics.position import Both

EXHAUSTED = 1e-6  # relative size of a new direction below which the Krylov space is exhausted


class ReducedGame(NamedTuple):
    """Linear game of few coordinates: v(x) = J x.

    Args:
        jacobian: J (n, n), the generator's coordinates first.
        num_generator: number of the generator's coordinates.
    """

    jacobian: Tensor
    num_generator: int

    def product(self, theta: Tensor, psi: Tensor, *, transposed: bool = False, mixed: bool = False) -> list[Tensor]:
        """Return J x, or J^T x, of rows theta (K, n_g) and psi (K, n_d); `mixed`: off-diagonal blocks only."""
        n, matrix = self.num_generator, self.jacobian
        if mixed:
            matrix = matrix.clone()
            matrix[:n, :n] = 0
            matrix[n:, n:] = 0
        image = torch.cat([theta, psi], 1) @ (matrix if transposed else matrix.T)
        return [image[:, :n], image[:, n:]]


def reduced(times: Callable[[Both], Both], start: Both, scale: Both, iterations: int) -> list[ReducedGame]:
    """Return the projections of S^(1/2) J S^(1/2) on orthonormal bases Q_G and Q_D of both players' parameters.

        J_small = Q^T S^(1/2) J S^(1/2) Q,   Q = diag(Q_G, Q_D)

    With q_0 the start, q_(k+1) is S^(1/2) J S^(1/2) q_k, orthogonalized for each player against its basis. The
    bases therefore contain the Krylov space of Arnoldi's method, and the leading eigenvalues are approximated first.
    For a diagonal S, the update x <- x - S J x has the eigenvalues of x <- x - S^(1/2) J S^(1/2) x.

    Args:
        times: function that returns J x of K members.
        start: start vectors of the members, (K, P) for each player.
        scale: the diagonals of S, nonnegative.
        iterations: vectors of each basis, at most; each costs two products.
    """
    root = scale.map(torch.sqrt)

    def image(x: Both) -> tuple[Tensor, Tensor]:
        x = times(x.like([part * r for part, r in zip(x.parts, root.parts, strict=True)]))
        x = x.like([part * r for part, r in zip(x.parts, root.parts, strict=True)])
        return torch.cat(x.generator, 1), torch.cat(x.discriminator, 1)

    zero = start.map(torch.zeros_like)
    bases: list[list[Tensor]] = [[], []]
    images: list[list[tuple[Tensor, Tensor]]] = [[], []]
    new = [torch.cat(parts, 1) for parts in (start.generator, start.discriminator)]
    for _ in range(iterations):
        total = [torch.zeros_like(part) for part in new]
        added = False
        for player, vector in enumerate(new):
            direction = _orthogonal(vector, bases[player])
            if not direction.any():
                continue
            added = True
            bases[player].append(direction)
            image_of = image(_vector(zero, player, direction))
            images[player].append(image_of)
            total = [one + other for one, other in zip(total, image_of, strict=True)]
        if not added:
            break
        new = total
    columns = [_projected(each, bases) for of_player in images for each in of_player]
    matrices = torch.stack(columns, 2)
    used = torch.stack([q.any(1) for basis in bases for q in basis], 1)
    num_generator = used[:, : len(bases[0])].sum(1).tolist()
    return [
        ReducedGame(matrix[of_member][:, of_member], num)
        for matrix, of_member, num in zip(matrices, used, num_generator, strict=True)
    ]


def _orthogonal(vectors: Tensor, basis: list[Tensor]) -> Tensor:
    """Return the unit vectors (K, P) of the parts orthogonal to the bases; zero for members with nothing left."""
    size = vectors.norm(dim=1, keepdim=True)
    for _ in range(2):  # the second pass removes the rounding errors of the first
        for q in basis:
            vectors = vectors - q * (q * vectors).sum(1, keepdim=True)
    left = vectors.norm(dim=1, keepdim=True)
    if len(basis) >= vectors.shape[1]:
        return torch.zeros_like(vectors)
    return torch.where(left > EXHAUSTED * size, vectors / left, 0.0)


def _vector(zero: Both, player: int, rows: Tensor) -> Both:
    of_player = (zero.generator, zero.discriminator)[player]
    parts = rows.split([part.shape[1] for part in of_player], 1)
    return Both(tuple(parts), zero.discriminator) if player == 0 else Both(zero.generator, tuple(parts))


def _projected(image: tuple[Tensor, Tensor], bases: list[list[Tensor]]) -> Tensor:
    """Return the coordinates (K, n) of an image in the bases of both players."""
    return torch.stack([(q * part).sum(1) for part, basis in zip(image, bases, strict=True) for q in basis], 1)
