"""One look at the games of a pack, where the training is; the training never notices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.algorithms.adversarial.joint import Joint
from gansweep.diagnostics.antisymmetric import antisymmetric
from gansweep.diagnostics.arnoldi import arnoldi
from gansweep.diagnostics.cosine import cosine
from gansweep.diagnostics.field_norm import field_norm
from gansweep.diagnostics.penalty_ratio import penalty_ratio
from gansweep.diagnostics.rotation import rotation
from gansweep.diagnostics.spectrum import spectrum
from gansweep.dynamics.position import Both
from gansweep.seeding import Streams

STREAMS = "diagnostics/"
ITERATIONS = 12  # products with the Jacobian
LEADING = 4  # eigenvalues that are kept, conjugate ones as one
DIGITS = 6  # of a number in the record


@dataclass(frozen=True)
class Diagnosis:
    """What was seen of every row of a pack, on the device.

    Args:
        field: v, in whole rows.
        norms: of v, v_G and v_D, (K, 3).
        path: cosine between -v and the way from the start, (K, 1).
        penalty: ratio of the penalties' gradient to the game's, (K, 1).
        antisymmetric: share of the Jacobian's antisymmetric part along v, (K, 1).
        hessenberg: of the Jacobian, (K, m + 1, m).
    """

    field: Both
    norms: Tensor
    path: Tensor
    penalty: Tensor
    antisymmetric: Tensor
    hessenberg: Tensor

    def of(self, row: int, before: Both | None) -> dict[str, Any]:
        """Name a row's numbers, null where there is none; reading them waits for the device.

        Eigenvalues are those of -J, by which x' = -v(x) moves: a negative real part attracts.

        Args:
            row: of the pack.
            before: the same member's field at the diagnosis before this one, (1, P) of each player.
        """
        h = self.hessenberg[row].detach().cpu()
        found = spectrum(h.double().numpy(), torch.finfo(h.dtype).eps)
        turn = None if before is None else cosine(self.field.map(lambda part: part[row : row + 1]), before).item()
        total, generator, discriminator = self.norms[row].tolist()
        numbers: dict[str, Any] = {
            "field": total,
            "field_generator": generator,
            "field_discriminator": discriminator,
            "turn": turn,
            "path": self.path[row].item(),
            "penalty_ratio": self.penalty[row].item(),
            "antisymmetric": self.antisymmetric[row].item(),
            "rotation": None,
            "rightmost": None,
            "eigenvalues": [],
            "residuals": [],
        }
        if found is not None:
            leading = -found.values[:LEADING].conj()
            numbers |= {
                "rotation": rotation(leading),
                "rightmost": float((-found.values.real).max()),
                "eigenvalues": [[_short(value.real), _short(value.imag)] for value in leading],
                "residuals": [_short(value) for value in found.residuals[:LEADING]],
            }
        return {name: value if isinstance(value, list) else _short(value) for name, value in numbers.items()}


def diagnose(pack: AdversarialPack) -> Diagnosis:
    """Look at the game where the pack is.

    Samples, latents and masks come from streams of their own, the same at every look: what changes from
    one to the next is the players, not the batch. Neither the training's streams nor parameters,
    running statistics or optimizers change.

    Arnoldi's iteration works on J^T, which has J's eigenvalues and costs a third of the passes.
    """
    game = Joint(pack, pack.draw_apart(STREAMS), looking=True)
    v = game.field(create_graph=True)
    field = _whole(v.detach())
    with torch.no_grad():
        moved = _whole(game.at.detach()) - _start(pack)
        return Diagnosis(
            field,
            field_norm(field),
            cosine(field * -1.0, moved),
            penalty_ratio(field, _whole(game.penalties())),
            antisymmetric(_whole(game.jvp(v, v)), _whole(game.vjp(v, v))),
            arnoldi(lambda u: _whole(game.vjp(v, _cut(pack, u))), _random(pack, field), ITERATIONS),
        )


def curves(numbers: Mapping[str, Any]) -> dict[str, float]:
    """Return the curves that TensorBoard shows of a row's numbers."""
    found = {f"diagnosis/{name}": value for name, value in numbers.items() if not isinstance(value, list)}
    if numbers["eigenvalues"]:
        real, imaginary = numbers["eigenvalues"][0]
        found |= {"diagnosis/eigenvalue_real": real, "diagnosis/eigenvalue_imaginary": imaginary}
        found["diagnosis/eigenvalue_residual"] = numbers["residuals"][0]
    return {tag: value for tag, value in found.items() if value is not None}


def _whole(v: Both) -> Both:
    """Join stretches, which are cut otherwise beside other members, so that sums are the same."""
    return Both((torch.cat(v.generator, 1),), (torch.cat(v.discriminator, 1),))


def _cut(pack: AdversarialPack, v: Both) -> Both:
    (theta,), (psi,) = v.generator, v.discriminator
    return Both(tuple(pack.g.in_stretches(theta)), tuple(pack.d.in_stretches(psi)))


def _start(pack: AdversarialPack) -> Both:
    """Draw once more what the players began with."""
    streams = [Streams(member.seed, pack.device) for member in pack.members]
    named = (("generator", pack.g), ("discriminator", pack.d))
    return Both(
        *((torch.stack([player.network.initial(one[f"init/{name}"]) for one in streams]),) for name, player in named)
    )


def _random(pack: AdversarialPack, like: Both) -> Both:
    """Draw the vectors that Arnoldi's iteration begins with."""
    streams = [Streams(member.seed, pack.device, STREAMS)["start"] for member in pack.members]

    def draw(part: Tensor) -> Tensor:
        size = part.shape[1]
        return torch.stack([torch.randn(size, generator=one, device=part.device, dtype=part.dtype) for one in streams])

    return like.map(draw)


def _short(value: float | None) -> float | None:
    """Round to what a record needs; JSON has no word for what is not finite."""
    return float(f"{value:.{DIGITS}g}") + 0.0 if value is not None and math.isfinite(value) else None
