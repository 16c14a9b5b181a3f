"""Network of a user's `torch.nn.Module`, with initial values of its own or of an initialisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from gansweep.interfaces import Initialisation, Slot
from gansweep.layers import Network
from gansweep.layers.module_layer import ModuleLayer, constants, seeded, trained
from gansweep.layers.network import Params

FIRST_ITERATIONS = 15  # power iterations of spectral norm before the first pass, as in torch


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
