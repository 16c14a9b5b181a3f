"""Installation of the pretended device in PyTorch: generators, files, autocast."""

from __future__ import annotations

import functools
from typing import Any

import torch
from tests.rehearsal.operations import AUTOCAST_FLOAT32, AUTOCAST_LOWER, AUTOCAST_WIDEST
from tests.rehearsal.pretended import (
    DEVICE_TYPES,
    NAME,
    SUPPORTED,
    PretendedDevice,
    PretendedTensor,
    aten,
    is_pretended,
    tensors_in,
    unwrap,
    wrap,
)
from torch.utils import _pytree as pytree
from torch.utils import backend_registration as registration

CPUGenerator = torch.Generator


class PretendedGenerator(CPUGenerator):
    """CPU generator that reports the pretended device and checks states as CUDA's generator does."""

    def __new__(cls, device=None):
        return CPUGenerator.__new__(cls)

    def __init__(self, device=None):
        pass

    @property
    def device(self):
        return torch.device(NAME, 0)

    def set_state(self, state):
        if isinstance(state, PretendedTensor) or state.device.type != "cpu" or state.dtype != torch.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        return super().set_state(state)


class _GeneratorType(type(CPUGenerator)):
    def __instancecheck__(cls, instance):
        return isinstance(instance, CPUGenerator)


class GeneratorFactory(metaclass=_GeneratorType):
    """Replacement of `torch.Generator`."""

    def __new__(cls, device="cpu"):
        return PretendedGenerator() if torch.device(device).type in DEVICE_TYPES else CPUGenerator(device)


class _Backend(registration._DummyBackendModule if SUPPORTED else object):
    def get_amp_supported_dtype(self):
        return [torch.bfloat16, torch.float16]


@functools.lru_cache(1)
def install() -> None:
    """Register the device, and replace `torch.Generator`, `torch.save` and `torch.load` by versions that know it."""
    registration._setup_privateuseone_for_python_backend(NAME, _Backend())
    _register_autocast()
    torch.Generator = GeneratorFactory
    save, load = torch.save, torch.load

    @functools.wraps(save)
    def save_inner(content, *args, **kwargs):
        for leaf in pytree.tree_leaves(content) if PretendedDevice.active is not None else ():
            if isinstance(leaf, PretendedTensor):
                PretendedDevice.active.copied("torch.save", leaf, to_host=True, non_blocking=False)
        return save(pytree.tree_map(unwrap, content), *args, **kwargs)

    @functools.wraps(load)
    def load_wrapped(file, map_location=None, **kwargs):
        pretended = isinstance(map_location, (str, torch.device)) and is_pretended(map_location)
        content = load(file, map_location="cpu" if pretended else map_location, **kwargs)
        return pytree.tree_map(wrap, content) if pretended else content

    torch.save, torch.load = save_inner, load_wrapped
    from torch.optim import optimizer

    optimizer._foreach_supported_types.append(PretendedTensor)  # torch.optim uses foreach as on CUDA


_libraries: list[torch.library.Library] = []  # kernels are removed when their library is freed


def _register_autocast() -> None:
    fallback = torch.library.Library("_", "IMPL", "AutocastPrivateUse1")
    fallback.fallback(torch.library.fallthrough_kernel)
    library = torch.library.Library("aten", "IMPL", "AutocastPrivateUse1")
    _libraries.extend((fallback, library))
    for names, policy in ((AUTOCAST_LOWER, "lower"), (AUTOCAST_FLOAT32, "float32"), (AUTOCAST_WIDEST, "widest")):
        for name in names:
            packet, _, overload = name.partition(".")
            operation = getattr(getattr(aten, packet, None), overload or "default", None)
            if operation is not None:  # else: not in this version of PyTorch
                library.impl(name, functools.partial(_autocast_call, operation, policy))


def _autocast_call(operation: Any, policy: str, *args: Any, **kwargs: Any) -> Any:
    with torch._C._ExcludeDispatchKeyGuard(torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastPrivateUse1)):
        kinds = [tensor.dtype for tensor in tensors_in(args, kwargs) if _is_castable(tensor)]
        widest = torch.float32 if torch.float32 in kinds else next(iter(kinds), None)
        dtype = {"lower": torch.get_autocast_dtype(NAME), "float32": torch.float32, "widest": widest}[policy]

        def cast(value: Any) -> Any:
            return value.to(dtype) if _is_castable(value) and value.dtype != dtype else value

        args, kwargs = pytree.tree_map(cast, (args, kwargs))
        return operation(*args, **kwargs)


def _is_castable(value: Any) -> bool:
    is_float = isinstance(value, torch.Tensor) and value.is_floating_point() and value.dtype != torch.float64
    return is_float and value.device.type == NAME
