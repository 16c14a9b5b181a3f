"""A `torch.nn.Module`, which has no member axis, as one layer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from gansweep.device_errors import is_device_failure, is_out_of_memory
from gansweep.interfaces import Slot
from gansweep.layers.layer import Draw, Parameterless, Pass

SEED = Draw((62,), 0.5)  # bits of the seed of a forward pass; those of the first sample are used


class ModuleLayer(Parameterless):
    """The function of a `torch.nn.Module` for K members, each with its own parameters and buffers.

    The parameters and buffers of a member replace those of the module during its forward pass
    (`torch.func.functional_call`). New values of buffers, such as running statistics, are returned in
    `Pass.updates`. Parameters with `requires_grad=False` are buffers here.

    On a CPU the members are computed one after another. The batched kernels of `torch.func.vmap` sum in
    an order that depends on K, and products round differently at other alignments of the memory; each
    member therefore gets copies of its inputs in memory of their own, in derivatives of all orders too.
    On accelerators the members are computed in one `torch.func.vmap`, or one after another if an operation
    of the module does not support it.

    If the module draws random numbers in training, each member's pass is run with torch's global
    generator seeded from the member's masks. The state of the global generator is restored.

    Args:
        module: the module. Its parameters and buffers are replaced and not used.
        output_shape: shape of the output for one sample; an output with as many entries is reshaped.
        is_random: the module draws random numbers in training.
    """

    couples_samples = True  # it may contain batch norm; real and generated samples are separate passes
    piecewise_linear = False

    def __init__(self, module: nn.Module, output_shape: tuple[int, ...], *, is_random: bool = False) -> None:
        self.module, self.output_shape, self.is_random = module, output_shape, is_random
        self.slots = tuple(slot_of(module, name, p) for name, p in trained(module).items())
        self.buffers = tuple(Slot(name, tuple(b.shape), "statistic") for name, b in constants(module).items())
        self.draws = (SEED,) if is_random else ()
        self.supports_vmap = not is_random  # until it raises an error
        self._names = _canonical_names(module)
        self._shapes = [p.shape for p in trained(module).values()]

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return the output (K, B, *output_shape) for x (K, B, ...)."""
        buffers = {slot.name: state.buffers[slot.name] for slot in self.buffers}
        if x.device.type == "cpu" or not self.supports_vmap:
            y, updates = self.one_by_one(params, buffers, x, state)
        else:
            y, updates = self._together_if_possible(params, buffers, x, state)
        if state.training:
            state.updates.update(updates)
        return y

    def one_by_one(
        self, params: Sequence[Tensor], buffers: Mapping[str, Tensor], x: Tensor, state: Pass
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the output and the new buffers, one member after another."""
        columns = [_Unstack.apply(p) for p in (*params, x)]
        outputs, updates = [], []
        for k, (*values, sample) in enumerate(zip(*columns, strict=True)):
            own = {name: buffer[k].clone(memory_format=torch.contiguous_format) for name, buffer in buffers.items()}
            with seeded(self._seed(state, k), x.device):
                outputs.append(self._call(values, own, sample, state.training))
            updates.append({name: value.detach() for name, value in own.items()})
        return _Stack.apply(*outputs), {name: torch.stack([own[name] for own in updates]) for name in buffers}

    def together(
        self, params: Sequence[Tensor], buffers: Mapping[str, Tensor], x: Tensor, state: Pass
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the output and the new buffers of all members in one `vmap`."""

        def of_member(values: list[Tensor], given: dict[str, Tensor], sample: Tensor) -> tuple[Tensor, dict]:
            own = {name: buffer.clone() for name, buffer in given.items()}
            y = self._call(values, own, sample, state.training)
            return y, {name: value.detach() for name, value in own.items()}

        return vmap(of_member)(list(params), dict(buffers), x)

    def _together_if_possible(
        self, params: Sequence[Tensor], buffers: Mapping[str, Tensor], x: Tensor, state: Pass
    ) -> tuple[Tensor, dict[str, Tensor]]:
        try:
            return self.together(params, buffers, x, state)
        except (RuntimeError, ValueError) as error:  # of an operation without support for vmap
            if is_out_of_memory(error) or is_device_failure(error):
                raise
            self.supports_vmap = False
            return self.one_by_one(params, buffers, x, state)

    def _call(self, params: Sequence[Tensor], buffers: dict[str, Tensor], x: Tensor, training: bool) -> Tensor:
        """Return the output (B, *output_shape) of one member, and put the new values into `buffers`."""
        own = zip(self.slots, params, self._shapes, strict=True)
        given = {slot.name: p.reshape(shape) for slot, p, shape in own} | buffers
        values = {name: given[canonical] for name, canonical in self._names.items()}
        if self.module.training != training:
            self.module.train(training)
        y = functional_call(self.module, values, (x,), tie_weights=False)
        buffers.update({name: values[name] for name in buffers})  # of buffers that were assigned
        return y.reshape(len(x), *self.output_shape)

    def _seed(self, state: Pass, k: int) -> int | None:
        if not (self.is_random and state.training):
            return None
        return sum(1 << n for n, bit in enumerate(state.masks[0][k, 0].tolist()) if bit)


class _Unstack(torch.autograd.Function):
    """A tensor (K, ...) as K tensors (...), each in memory of its own."""

    @staticmethod
    def forward(ctx: Any, stacked: Tensor) -> tuple[Tensor, ...]:
        return tuple(part.clone(memory_format=torch.contiguous_format) for part in stacked)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _Stack.apply(*gradients)


class _Stack(torch.autograd.Function):
    """K tensors (...) as one tensor (K, ...); the adjoint of `_Unstack`."""

    @staticmethod
    def forward(ctx: Any, *parts: Tensor) -> Tensor:
        return torch.stack(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        return _Unstack.apply(*gradients)


def trained(module: nn.Module) -> dict[str, Tensor]:
    """Return the parameters of a module that are trained, by name."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def constants(module: nn.Module) -> dict[str, Tensor]:
    """Return the buffers of a module and its parameters that are not trained, by name."""
    frozen = {name: p for name, p in module.named_parameters() if not p.requires_grad}
    return frozen | dict(module.named_buffers())


def _canonical_names(module: nn.Module) -> dict[str, str]:
    """Return the name in `trained` or `constants` for every name of a parameter or buffer; shared ones have several."""
    canonical = {id(value): name for name, value in (trained(module) | constants(module)).items()}
    every = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    return {name: canonical[id(value)] for name, value in every}


@contextmanager
def seeded(seed: int | None, device: torch.device | str = "cpu") -> Iterator[None]:
    """Context manager: torch's global generator of a device starts at a seed, and its state is restored.

    Args:
        seed: the seed; None to change nothing.
        device: a CPU or a CUDA device.
    """
    if seed is None:
        yield
        return
    generator = global_generator(torch.device(device))
    before = generator.get_state()
    generator.manual_seed(seed)
    try:
        yield
    finally:
        generator.set_state(before)


def global_generator(device: torch.device) -> torch.Generator:
    """Return torch's global generator of a CPU or CUDA device.

    Raises:
        ValueError: other devices.
    """
    if device.type == "cpu":
        return torch.default_generator
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        return torch.cuda.default_generators[index]
    raise ValueError(f"device={device}: modules that draw random numbers are trained on cpu and cuda only")


NORMS = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)  # the first: batch, instance
MATRICES = (nn.Linear, nn.modules.conv._ConvNd)


def slot_of(module: nn.Module, name: str, value: Tensor) -> Slot:
    """Return the slot of a trained parameter; a parameter () has the shape (1,), because update rules expect an axis.

    Role and fan-in are defined for weights and biases of linear layers, convolutions, normalisations and
    embeddings, also parametrised ones. Other parameters are weights with fan_in=0.
    """
    path, _, leaf = name.rpartition(".")
    if ".parametrizations." in f".{path}":  # path.parametrizations.leaf.original
        path, _, leaf = f".{path}".rpartition(".parametrizations.")
        path = path.removeprefix(".")
    owner, leaf, shape = module.get_submodule(path), leaf.removesuffix("_orig"), tuple(value.shape) or (1,)
    if isinstance(owner, nn.Embedding):
        return Slot(name, shape, "embedding")
    if isinstance(owner, NORMS) and leaf in ("weight", "bias"):
        return Slot(name, shape, "scale" if leaf == "weight" else "shift")
    if isinstance(owner, MATRICES) and leaf in ("weight", "bias"):
        weight = shape if leaf == "weight" else tuple(owner.weight.shape)
        return Slot(name, shape, leaf, math.prod(weight[1:]))
    return Slot(name, shape)
