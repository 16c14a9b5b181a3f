"""Generator and discriminator that are plain `torch.nn.Module` classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from gansweep.interfaces import Initialisation, Slot
from gansweep.layers import Network
from gansweep.layers.module_layer import ModuleLayer, constants, seeded, trained
from gansweep.layers.network import Params
from gansweep.layers.spectral_norm import FIRST_ITERATIONS
from gansweep.models.module_checks import examined, required_latent_dim
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


class ModuleNetwork(Network):
    """Network whose only layer is a `torch.nn.Module`.

    The initial parameters and buffers of a member are those of a module that is constructed while torch's
    global generator is seeded with the seed of the member's random generator.

    Args:
        construct: function that returns a new module.
        output_shape: shape of the output for one sample.
        initialisation: distribution of the weights, scales and embeddings of linear layers, convolutions,
            normalisations and embeddings, and of their biases and shifts; other parameters keep the values of
            the module. None: all of them do.
        is_random: the module draws random numbers in training.
    """

    def __init__(
        self,
        construct: Callable[[], nn.Module],
        output_shape: tuple[int, ...],
        initialisation: Initialisation | None = None,
        *,
        is_random: bool = False,
    ) -> None:
        self.construct, self.own_values = construct, initialisation is None
        layer = ModuleLayer(self.new(0), output_shape, is_random=is_random)
        super().__init__([layer], initialisation or _keep)

    def new(self, seed: int) -> nn.Module:
        """Return a new module with the initial values of a seed; torch's global generator does not change."""
        with seeded(seed):
            return self.construct()

    def initial(self, generator: torch.Generator) -> Tensor:
        """Return the initial parameters (P,) of one member, on the device of its random generator."""
        values = trained(self.new(generator.initial_seed()))
        return torch.cat([self._initial(slot, values[slot.name], generator).reshape(-1) for slot in self.slots])

    def _initial(self, slot: Slot, own: Tensor, generator: torch.Generator) -> Tensor:
        if self.own_values or (slot.role in ("weight", "bias") and slot.fan_in == 0):
            return own.detach().to(generator.device)
        return self.initialisation(slot, generator)

    def initial_buffers(
        self,
        num_members: int,
        device: torch.device | str = "cpu",
        params: Params | None = None,
        generators: Sequence[torch.Generator] = (),
    ) -> dict[str, Tensor]:
        """Return the initial buffers by name, (K, ...); those of seed 0 for all members without `generators`."""
        seeds = [generator.initial_seed() for generator in generators] or [0] * num_members
        modules = [self.new(seed) for seed in seeds]
        if params is not None and not self.own_values:
            for k, module in enumerate(modules):
                _start_spectral_norm(module, {s.name: p[k] for s, p in zip(self.slots, params, strict=True)})
        values = [constants(module) for module in modules]
        names = [slot.name for slot in self.buffers]
        return {name: torch.stack([own[name].detach() for own in values]).to(device) for name in names}

    def module(self, state: Mapping[str, Tensor], input_shape: Sequence[int] = (), title: str = "Member") -> nn.Module:
        """Return a new module of the user's class with the values of one member, on the CPU, in evaluation mode.

        Args:
            state: its parameters and buffers, as `state_dict` returns them.
            input_shape: not used.
            title: not used.

        Raises:
            ValueError: a name is missing or a shape differs.
        """
        self.row(dict(state))  # raises
        module = self.new(0)
        with torch.no_grad():
            for name, value in (trained(module) | constants(module)).items():
                value.copy_(state[name].reshape(value.shape))
        return module.eval()


def _keep(slot: Slot, generator: torch.Generator) -> Tensor:
    raise NotImplementedError(f"{slot.name}: the values of the module are used")


def _start_spectral_norm(module: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Set the parameters of a module, and let its parametrisations iterate, which spectral norm does in training."""
    with torch.no_grad():
        for name, parameter in trained(module).items():
            parameter.copy_(values[name].reshape(parameter.shape))
        module.train()
        for part in filter(parametrize.is_parametrized, module.modules()):
            parametrised: Any = part.parametrizations
            for name in parametrised:
                for _ in range(FIRST_ITERATIONS):
                    getattr(part, name)
