"""Diagnosis of the games of a pack at the current parameters, without any effect on the training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import Pack
from gansweep.batched.random_streams import Draws, normal
from gansweep.device import to_host
from gansweep.diagnostics import (
    antisymmetric,
    arnoldi,
    cosine,
    field_norm,
    penalty_ratio,
    rotation,
    spectrum,
)
from gansweep.dynamics.position import Both
from gansweep.seeding import Streams

STREAMS = "diagnostics/"
ITERATIONS = 12  # products with the Jacobian
LEADING = 4  # eigenvalues in the record; a conjugate pair counts as one
DIGITS = 6  # significant digits of a number in the record


@dataclass(frozen=True)
class Diagnosis:
    """Diagnostic quantities of every row of a pack, on the device.

    Args:
        field: v, (K, P) for each player.
        norms: of v, v_G and v_D, (K, 3).
        path: cosine between -v and the displacement from the initial parameters, (K, 1).
        penalty: ratio of the penalties' gradient to the game's, (K, 1).
        antisymmetric: share of the Jacobian's antisymmetric part along v, (K, 1).
        hessenberg: Hessenberg matrix of the Jacobian, (K, m + 1, m).
    """

    field: Both
    norms: Tensor
    path: Tensor
    penalty: Tensor
    antisymmetric: Tensor
    hessenberg: Tensor

    def read(self, before: Mapping[int, Both | None]) -> Readings:
        """Return the values of some rows, with one transfer from the device.

        Args:
            before: field of the same member at the previous diagnosis, (1, P) for each player, by row of the pack.
        """
        turns = {
            row: cosine(self.field.map(lambda part, row=row: part[row : row + 1]), field)
            for row, field in before.items()
            if field is not None
        }
        others = (self.norms, self.path, self.penalty, self.antisymmetric, self.hessenberg)
        return Readings(*to_host([turns, *(tensor.detach() for tensor in others)]))


class Readings(NamedTuple):
    """Diagnostic quantities of the rows of a pack on the CPU, as those of `Diagnosis`; `turns` of some rows."""

    turns: dict[int, Tensor]
    norms: Tensor
    path: Tensor
    penalty: Tensor
    antisymmetric: Tensor
    hessenberg: Tensor

    def of(self, row: int) -> dict[str, Any]:
        """Return the values of a row by name, None if undefined.

        Eigenvalues are those of -J, the Jacobian of x' = -v(x): a negative real part is attracting.
        """
        h = self.hessenberg[row]
        ritz = spectrum(h.double().numpy(), torch.finfo(h.dtype).eps)
        total, generator, discriminator = self.norms[row].tolist()
        numbers: dict[str, Any] = {
            "field": total,
            "field_generator": generator,
            "field_discriminator": discriminator,
            "turn": self.turns[row].item() if row in self.turns else None,
            "path": self.path[row].item(),
            "penalty_ratio": self.penalty[row].item(),
            "antisymmetric": self.antisymmetric[row].item(),
            "rotation": None,
            "rightmost": None,
            "eigenvalues": [],
            "residuals": [],
        }
        if ritz is not None:
            leading = -ritz.values[:LEADING].conj()
            numbers |= {
                "rotation": rotation(leading),
                "rightmost": float((-ritz.values.real).max()),
                "eigenvalues": [[_short(value.real), _short(value.imag)] for value in leading],
                "residuals": [_short(value) for value in ritz.residuals[:LEADING]],
            }
        return {name: value if isinstance(value, list) else _short(value) for name, value in numbers.items()}


def diagnose(pack: Pack) -> Diagnosis:
    """Return the diagnosis of the games at the current parameters of a pack.

    Samples, latents and masks come from separate streams and are the same in every diagnosis, so that changes are
    due to the players and not to the batch. The training's streams, the parameters, running statistics and
    optimizer states do not change.

    The Arnoldi iteration is applied to J^T, which has the eigenvalues of J and needs a third of the passes.

    Raises:
        TypeError: the pack does not train a game; such algorithms refuse `trainer.diagnose_every`.
    """
    if not isinstance(pack, AdversarialPack):
        raise TypeError(f"{type(pack).__name__} can't be diagnosed: it has no discriminator")
    game = pack.game(pack.separate_inputs(STREAMS), read_only=True)
    v = game.field(create_graph=True)
    field = _whole(pack, v.detach())
    with torch.no_grad():
        moved = _whole(pack, game.at.detach()) - _start(pack)
        return Diagnosis(
            field,
            field_norm(field),
            cosine(field * -1.0, moved),
            penalty_ratio(field, _whole(pack, game.penalties())),
            antisymmetric(_whole(pack, game.jvp(v, v)), _whole(pack, game.vjp(v, v))),
            arnoldi(lambda u: _whole(pack, game.vjp(v, _cut(pack, u))), _random(pack, field), ITERATIONS),
        )


def curves(numbers: Mapping[str, Any]) -> dict[str, float]:
    """Return the TensorBoard curves of a row's values by tag."""
    points = {f"diagnosis/{name}": value for name, value in numbers.items() if not isinstance(value, list)}
    if numbers["eigenvalues"]:
        real, imaginary = numbers["eigenvalues"][0]
        points |= {"diagnosis/eigenvalue_real": real, "diagnosis/eigenvalue_imaginary": imaginary}
        points["diagnosis/eigenvalue_residual"] = numbers["residuals"][0]
    return {tag: value for tag, value in points.items() if value is not None}


def _whole(pack: AdversarialPack, v: Both) -> Both:
    """Join the chunks, whose boundaries depend on the pack, so that the rounding of sums does not."""
    return Both((pack.g.division.join(v.generator),), (pack.d.division.join(v.discriminator),))


def _cut(pack: AdversarialPack, v: Both) -> Both:
    (theta,), (psi,) = v.generator, v.discriminator
    return Both(tuple(pack.g.in_chunks(theta)), tuple(pack.d.in_chunks(psi)))


def _start(pack: AdversarialPack) -> Both:
    """Return the initial parameters of both players, drawn again."""
    streams = [member.streams(pack.device) for member in pack.members]
    named = (("generator", pack.g), ("discriminator", pack.d))
    return Both(
        *(
            (torch.stack([player.network.initial(stream[f"init/{name}"]) for stream in streams]),)
            for name, player in named
        )
    )


def _random(pack: AdversarialPack, like: Both) -> Both:
    """Return random start vectors for the Arnoldi iteration."""
    draws = Draws([Streams(member.seed, pack.device, STREAMS) for member in pack.members], pack.device)
    draws.plan("start", [normal(part.shape[1]) for part in (*like.generator, *like.discriminator)])
    return like.map(lambda part: draws.next("start").to(part.dtype))


def _short(value: float | None) -> float | None:
    """Return a value rounded to DIGITS significant digits; None if it is not finite, which JSON cannot represent."""
    return float(f"{value:.{DIGITS}g}") + 0.0 if value is not None and math.isfinite(value) else None
