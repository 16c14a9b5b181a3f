"""Generator and discriminator that are plain `torch.nn.Module` classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from gansweep.interfaces import Initialisation
from gansweep.models.module_checks import examined, required_latent_dim
from gansweep.models.module_network import ModuleNetwork
from gansweep.user_code import Factory


@dataclass(frozen=True)
class Modules:
    """A pair of `torch.nn.Module` classes, without member axis.

        G: z (B, latent_dim) -> samples (B, *sample_shape)
        D: samples (B, *sample_shape) -> logits (B, 1), (B,) or (B, 1, 1, 1)

    A class is given by its dotted path, or by `_target_` and its constructor arguments. If the constructor has
    an argument `sample_shape` or, with `latent_dim`, an argument of that name, it is passed. See
    `gansweep.layers.module_layer.ModuleLayer` for how the members are computed.

    Args:
        generator_class: class of the generator; `generator` in YAML files.
        discriminator_class: class of the discriminator; `discriminator` in YAML files.
        latent_dim: dimension of z; null for the generator's attribute `latent_dim`.
        initialisation: distribution of the initial parameters; null for those that the constructors draw.
    """

    generator_class: Factory
    discriminator_class: Factory
    latent_dim: int | None = None
    initialisation: Initialisation | None = None
    ALIASES: ClassVar[Mapping[str, str]] = {
        "generator": "generator_class",
        "discriminator": "discriminator_class",
    }
    compiles: ClassVar[bool] = False  # not supported by torch.compile in the trainer

    def __post_init__(self) -> None:
        if self.latent_dim is None:
            object.__setattr__(self, "latent_dim", required_latent_dim(self.generator_class))
        if not isinstance(self.latent_dim, int) or self.latent_dim < 1:
            raise ValueError(f"latent_dim={self.latent_dim}: expected 1 or more")

    def generator(self, sample_shape: tuple[int, ...]) -> ModuleNetwork:
        """Return the generator: z (K, B, latent_dim) -> samples (K, B, *sample_shape)."""
        factory = self._with(self.generator_class, sample_shape)
        return _network("generator", factory, (self.latent_dim,), tuple(sample_shape), self.initialisation)

    def discriminator(self, sample_shape: tuple[int, ...]) -> ModuleNetwork:
        """Return the discriminator: samples (K, B, *sample_shape) -> logits (K, B, 1)."""
        factory = self._with(self.discriminator_class, sample_shape)
        return _network("discriminator", factory, tuple(sample_shape), (1,), self.initialisation)

    def _with(self, factory: Factory, sample_shape: tuple[int, ...]) -> Factory:
        """Return the factory with the arguments that follow from the data and the model."""
        further: dict[str, Any] = {"sample_shape": tuple(sample_shape), "latent_dim": self.latent_dim}
        return Factory(
            factory.cls,
            {**factory.arguments, **{name: value for name, value in further.items() if factory.accepts(name)}},
        )


@lru_cache(maxsize=8)  # all cells of a sweep name the same few networks
def _network(
    player: str,
    factory: Factory,
    input_shape: tuple[int, ...],
    output_shape: tuple[int, ...],
    initialisation: Initialisation | None,
) -> ModuleNetwork:
    is_random = examined(player, factory, input_shape, output_shape)
    return ModuleNetwork(factory, output_shape, initialisation, is_random=is_random)
