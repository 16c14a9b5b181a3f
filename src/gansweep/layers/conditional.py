"""Layers that depend on the class of every sample: embedding, modulation, conditional batch norm, projection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansweep.interfaces import Slot
from gansweep.layers import chain
from gansweep.layers.batch_norm import BatchNorm
from gansweep.layers.layer import Layer, Parameterless, Pass, PullBack, at_least_float32
from gansweep.layers.linear import Linear

if TYPE_CHECKING:
    from gansweep.layers.plain import Builder


class Embedding(Parameterless):
    """Row of a table for the class of every sample, as `torch.nn.Embedding`; the input is not used.

    It is computed as the product of one-hot labels and the table, whose gradient is a product as well: a
    scattered sum would be neither reproducible on a GPU nor independent of K on a CPU.

    Args:
        name: of the table's slot.
        num_classes: number of rows.
        size: length of a row.
        role: of the table: `embedding` for an input, `weight` for a head.
    """

    def __init__(
        self, name: str, num_classes: int, size: int, role: Literal["embedding", "weight"] = "embedding"
    ) -> None:
        self.num_classes, self.size = num_classes, size
        self.slots = (Slot(f"{name}.weight", (num_classes, size), role, size),)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return the rows (K, B, size) of the labels of the pass."""
        return at_least_float32(rows_of(params[0], state))

    def counterpart(self) -> nn.Module:
        """Return `nn.Embedding`."""
        return nn.Embedding(self.num_classes, self.size)

    def plain(self, x: Any, build: Builder) -> Any:
        """Add `nn.Embedding`, called on the labels."""
        return super().plain(build.labels(), build)


class AppendEmbedding(Parameterless):
    """Concatenate the normalised embedding of the class to the input: y = (x, e_c / ||e_c||_2).

    Mirza and Osindero 2014, arXiv:1411.1784, with the embedding of Mescheder et al. 2018, arXiv:1801.04406, as in their
    code (GAN_stability, gan_training/models/resnet.py). Without the norm, an embedding of N(0, 1) entries has the
    length of z, and small generators ignore z within a class.
    """

    piecewise_linear = False

    def __init__(self, name: str, num_classes: int, size: int) -> None:
        self.embedding = Embedding(name, num_classes, size)
        self.slots = self.embedding.slots

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return y (K, B, D + size) for x (K, B, D)."""
        (table,) = params
        unit = table / table.norm(dim=2, keepdim=True)
        return torch.cat([x, self.embedding.forward([unit], x, state)], 2)

    def plain(self, x: Any, build: Builder) -> Any:
        """Add `nn.Embedding`, its normalisation and the concatenation."""
        e = self.embedding.plain(x, build)
        return torch.cat([x, e / e.norm(dim=1, keepdim=True)], 1)


class FiLM(Parameterless):
    """Feature-wise linear modulation: a scale and a shift of every feature for every class c.

        y = scale_c * x + shift_c

    Perez et al. 2018, arXiv:1709.07871, eq. 2, with a table for the classes as in eq. 5 of Dumoulin et al. 2017,
    arXiv:1610.07629, whose features are normalised (`ConditionalBatchNorm`).
    """

    piecewise_linear = False

    def __init__(self, name: str, num_classes: int, num_features: int) -> None:
        self.slots = tables(name, num_classes, num_features)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return y, of the same shape (K, B, C, ...) as x."""
        scale, shift = (at_least_float32(rows_of(table, state)) for table in params)
        shape = (*x.shape[:3], *(1 for _ in x.shape[3:]))
        return x * scale.reshape(shape) + shift.reshape(shape)

    def plain(self, x: Any, build: Builder) -> Any:
        """Add the rows of both tables; `torch.nn` has no module for it."""
        scale, shift = plain_rows(self.slots, build)
        return x * scale + shift


class ConditionalBatchNorm(BatchNorm):
    """Batch normalisation with a scale and a shift for every class c.

        y = scale_c * (x - mean) / sqrt(var + eps) + shift_c

    Dumoulin et al. 2017, arXiv:1610.07629, eq. 5, for batch normalisation; in the generator of Miyato and Koyama
    2018, arXiv:1802.05637, appendix B. Mean and variance are those of the whole batch.
    """

    def __init__(self, name: str, num_classes: int, num_features: int) -> None:
        super().__init__(name, num_features)
        self.slots = tables(name, num_classes, num_features)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return the normalised x, of the same shape (K, B, C, ...)."""
        x = at_least_float32(x)
        centred, var = self.centred(x, state)
        scale, shift = (at_least_float32(rows_of(table, state)) for table in params)
        factor = scale * (var + self.eps).rsqrt()[:, None]
        shape = (*x.shape[:3], *(1 for _ in x.shape[3:]))
        return centred * factor.reshape(shape) + shift.reshape(shape)

    def plain(self, x: Any, build: Builder) -> Any:
        """Add a normalisation and the rows of both tables; `torch.nn` has no module for it."""
        scale, shift = plain_rows(self.slots, build)
        mean, var = map(build.buffer, self.buffers)
        return F.batch_norm(x, mean, var, eps=self.eps) * scale + shift


class Projection(Parameterless):
    """Head of the projection discriminator: y = psi(x) + v_c . x, with a learned vector v_c for every class c.

    Miyato and Koyama 2018, arXiv:1802.05637, eq. 4, where x is phi of the image, y^T V its v_c, and psi the head
    of the same discriminator without labels.

    Args:
        head: layers of psi, from x to one number for each sample, (K, B, 1).
        embedding: the vectors v_c, as long as the flattened x.
    """

    def __init__(self, head: Sequence[Layer], embedding: Layer) -> None:
        self.head, self.embedding = tuple(head), embedding
        layers = (*self.head, embedding)
        self.slots = tuple(slot for layer in layers for slot in layer.slots)
        self.buffers = tuple(slot for layer in layers for slot in layer.buffers)
        self.piecewise_linear = all(layer.piecewise_linear for layer in self.head)
        self._of_head = sum(len(layer.slots) for layer in self.head)

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return y (K, B, 1) for x (K, B, ...)."""
        psi = chain.forward(self.head, params[: self._of_head], x, state)
        return psi + self._product(self._vectors(params, x, state), x)

    def linearised(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
        """Return y and the function from dL/dy to dL/dx."""
        psi, pull_back = chain.linearised(self.head, params[: self._of_head], x, state)
        vectors = self._vectors(params, x, state)
        with torch.no_grad():
            y = psi + self._product(vectors, x)
        return y, lambda grad: pull_back(grad) + (grad * vectors).view(x.shape)

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx (K, B, ...): the gradient of psi plus dL/dy times v_c."""
        return self.linearised(params, x, state)[1](grad_output)

    def begin(self, params: Sequence[Tensor], buffers: dict[str, Tensor]) -> None:
        """Initialise the buffers of spectral normalisation, in place."""
        chain.begin((*self.head, self.embedding), params, buffers)

    def plain(self, x: Any, build: Builder) -> Any:
        """Add psi, the vectors and their product with x."""
        psi = chain.plain(self.head, x, build)
        vectors = chain.plain([self.embedding], build.labels(), build)
        return psi + (vectors * x.flatten(1)).sum(1, keepdim=True)

    def _vectors(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        return self.embedding.forward(params[self._of_head :], x, state)

    @staticmethod
    def _product(vectors: Tensor, x: Tensor) -> Tensor:
        return (vectors * at_least_float32(x).flatten(2)).sum(2, keepdim=True)


def tables(name: str, num_classes: int, num_features: int) -> tuple[Slot, Slot]:
    """Return the slots of a scale and a shift for every class."""
    shape = (num_classes, num_features)
    return Slot(f"{name}.weight", shape, "scale"), Slot(f"{name}.bias", shape, "shift")


def plain_rows(slots: Sequence[Slot], build: Builder) -> list[Any]:
    """Add the rows of tables for the labels, in the shape of feature maps if the next layer is called on them."""
    rows = [F.embedding(build.labels(), build.parameter(slot)) for slot in slots]
    return [row[..., None, None] for row in rows] if build.on_maps else rows


def rows_of(table: Tensor, state: Pass) -> Tensor:
    """Return the rows (K, B, F) of tables (K, C, F) for the labels (K, B) of a pass.

    Raises:
        ValueError: the pass has no labels.
    """
    if state.labels is None:
        raise ValueError("a conditional network needs the label of every sample, got none")
    num_classes, size = table.shape[1:]
    one_hot = (state.labels[..., None] == torch.arange(num_classes, device=table.device)).to(table.dtype)
    weight = table.transpose(1, 2).contiguous()
    return Linear("", num_classes, size).forward([weight, weight.new_zeros(len(table), size)], one_hot, state)
