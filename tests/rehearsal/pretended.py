"""A CUDA device without a GPU: `pretended:0`, whose tensors hold CPU tensors and compute real numbers.

Above PyTorch's dispatcher everything is PyTorch's own: autograd, double backward, functorch, version counters, argument
parsing. Below it, `run` computes on the CPU and checks and counts what matters on CUDA:

    refused   tensors of two devices in one operation (except CPU scalars and index tensors), operations without a
              CUDA kernel, generator states that are not on the CPU
    counted   kernels, host synchronisations and uploads with their source line, floating-point operations and bytes
              of memory traffic, bytes of live tensors
    cast      under autocast, as CUDA does

Not covered: `device.type == "cuda"` is False; data types that only a CUDA kernel refuses; cuDNN, cuBLAS, the
fragmentation of the caching allocator; torch.compile.

`install()` changes PyTorch for the rest of the process.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections import Counter
from typing import Any

import torch
from tests.rehearsal.operations import (
    AUTOCAST_FLOAT32,
    AUTOCAST_LOWER,
    AUTOCAST_WIDEST,
    INDEXING,
    KERNELS,
    NO_KERNEL,
    SYNCHRONISE,
)
from torch.utils import _pytree as pytree
from torch.utils import backend_registration as registration
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode

NAME = "pretended"
DEVICE_TYPES = (NAME, "cuda")
ALLOCATION_BYTES = 512  # smallest block of CUDA's caching allocator
SUPPORTED = hasattr(registration, "_setup_privateuseone_for_python_backend")
aten: Any = torch.ops.aten


class MixedDevices(RuntimeError):
    """Tensors of different devices in one operation."""


class NoKernel(NotImplementedError):
    """An operation without a CUDA kernel."""


class Memory:
    """Bytes of all live tensors of the device, as `torch.cuda.memory_allocated` counts them."""

    def __init__(self) -> None:
        self.live = self.peak = 0
        self._holders: Counter[int] = Counter()

    def add(self, wrapper: torch.Tensor, inner: torch.Tensor) -> None:
        """Count the storage of `inner` until all of its wrappers are freed."""
        storage = inner.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if inner.device.type == "meta":
            key, size = id(inner), inner.numel() * inner.element_size()
        size = -(-size // ALLOCATION_BYTES) * ALLOCATION_BYTES
        if not self._holders[key]:
            self.live += size
            self.peak = max(self.peak, self.live)
        self._holders[key] += 1
        weakref.finalize(wrapper, self._remove, key, size)

    def _remove(self, key: int, size: int) -> None:
        self._holders[key] -= 1
        if not self._holders[key]:
            del self._holders[key]
            self.live -= size


MEMORY = Memory()


class PretendedTensor(torch.Tensor):
    """Tensor of the pretended device; `inner` holds its values on the CPU, or none on `meta`."""

    inner: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> PretendedTensor:
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            layout=inner.layout,
            device=torch.device(NAME, 0),
            requires_grad=False,
        )
        made.inner = inner
        MEMORY.add(made, inner)
        return made

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return run(func, args, kwargs or {})

    def tolist(self) -> Any:
        return self.detach().cpu().tolist()

    def numpy(self, *, force: bool = False) -> Any:
        if not force:
            raise TypeError(f"can't convert {NAME}:0 device type tensor to numpy. Use Tensor.cpu() first")
        return self.detach().cpu().numpy()

    def __array__(self, dtype=None, copy=None):
        return self.numpy()

    def __repr__(self, **_):
        return f"PretendedTensor({self.inner!r})"


class PretendedDevice(TorchDispatchMode):
    """Context that counts the operations of the pretended device, and in which factories may create tensors on it.

    Args:
        inner: "cpu" to compute, "meta" to count without memory and time; then all values are meaningless.
        float64: False refuses float64 tensors, as MPS does.
    """

    active: PretendedDevice | None = None

    def __init__(self, *, inner: str = "cpu", float64: bool = True) -> None:
        super().__init__()
        self.inner, self.float64 = inner, float64
        self.reset()

    def reset(self) -> None:
        """Set all counts to zero."""
        self.kernels = self.flops = self.traffic_bytes = self.upload_bytes = 0
        self.operations: Counter[str] = Counter()
        self.traffic: Counter[str] = Counter()  # bytes by operation
        self.waits: Counter[str] = Counter()  # host synchronisations by operation and source line
        self.uploads: Counter[str] = Counter()

    def __enter__(self):
        PretendedDevice.active = self
        self._lift = torch._C._only_lift_cpu_tensors()
        torch._C._set_only_lift_cpu_tensors(True)  # torch.tensor(list, device=...) passes through the mode
        return super().__enter__()

    def __exit__(self, *error):
        PretendedDevice.active = None
        torch._C._set_only_lift_cpu_tensors(self._lift)
        return super().__exit__(*error)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return run(func, args, kwargs or {})

    def launched(self, name: str) -> None:
        """Count the kernels of one operation."""
        self.operations[name] += 1
        self.kernels += KERNELS.get(name, 1)

    def moved(self, name: str, args: Any, inputs: list[torch.Tensor], outputs: list[torch.Tensor]) -> None:
        """Count the bytes that an operation reads and writes, each once, and the FLOP of matrix products."""
        moved = sum(map(_extent, inputs)) + sum(map(_extent, outputs))
        if name == "aten::index":  # only the selected rows are read
            moved += _extent(outputs[0]) - _extent(args[0])
        self.traffic_bytes += moved
        self.traffic[name] += moved
        factors = {"aten::bmm": 0, "aten::mm": 0, "aten::baddbmm": 1, "aten::addmm": 1}
        if name in factors:
            first, second = args[factors[name]], args[factors[name] + 1]
            self.flops += 2 * first.numel() * second.shape[-1]

    def waited(self, name: str) -> None:
        """Count a host synchronisation."""
        self.waits[f"{name} at {_source_lines()}"] += 1

    def copied(self, name: str, tensor: torch.Tensor, *, to_host: bool, non_blocking: bool) -> None:
        """Count a copy between host and device."""
        if to_host and not non_blocking:
            self.waited(f"{name} device to host")
        elif not to_host:
            self.uploads[f"{name} at {_source_lines()}"] += 1
            self.upload_bytes += tensor.numel() * tensor.element_size()


class Facts:
    """What the schema of an operation says."""

    def __init__(self, func: Any) -> None:
        schema = func._schema
        self.name = schema.name
        self.is_view = any(r.alias_info is not None and not r.alias_info.is_write for r in schema.returns)
        self.written = [
            (n, argument.name, argument.kwarg_only)
            for n, argument in enumerate(schema.arguments)
            if argument.alias_info is not None and argument.alias_info.is_write
        ]
        self.returns_written = [r.alias_info is not None and r.alias_info.is_write for r in schema.returns]
        self.takes_device = any(argument.name == "device" for argument in schema.arguments)
        self.launches = not self.is_view and self.name not in NO_KERNEL
        has_kernel = torch._C._dispatch_has_computed_kernel_for_dispatch_key
        try:  # a CPU build of PyTorch may not know CUDA's kernels
            self.on_cuda = has_kernel(func.name(), "CUDA") or not has_kernel("aten::mm", "CUDA")
        except RuntimeError:
            self.on_cuda = True

    def targets(self, args: Any, kwargs: Any) -> list[Any]:
        """Return the arguments that the operation writes to."""
        return [
            kwargs[name] if keyword_only else args[n]
            for n, name, keyword_only in self.written
            if (name in kwargs if keyword_only else n < len(args))
        ]


facts = functools.lru_cache(None)(Facts)


def run(func: Any, args: Any, kwargs: Any) -> Any:
    """Run an operation: unwrap its tensors, compute on the CPU, wrap the results, check and count."""
    known, device = facts(func), PretendedDevice.active
    inputs = _tensors(args, kwargs)
    target = kwargs.get("device") if known.takes_device else None
    if not any(isinstance(tensor, PretendedTensor) for tensor in inputs) and not _is_pretended(target):
        return func(*args, **kwargs)
    if known.name == "aten::_efficientzerotensor":  # zeros without memory can't be wrapped
        return PretendedTensor(torch.zeros(args[0], dtype=kwargs.get("dtype"), device=_inner_device()))
    if known.name == "aten::_to_copy":
        return _to_copy(func, args, kwargs)
    if known.name in ("aten::copy_", "aten::_copy_from", "aten::_copy_from_and_resize"):
        return _copy(known.name, args, kwargs)
    _check_devices(func, known.name, args, inputs)
    if known.name == "aten::_local_scalar_dense":
        if device is not None:
            device.waited(known.name)
        return 0.0 if _inner_device() == "meta" else _unwrap(args[0]).item()
    if device is not None:
        if not known.on_cuda:
            raise NoKernel(f"{func.name()} has no CUDA kernel, at {_source_lines()}")
        if known.name in SYNCHRONISE or (known.name in INDEXING and _has_mask(args[1])):
            device.waited(known.name)
        if known.launches:
            device.launched(known.name)
    results = _compute(func, known, args, kwargs, target)
    if device is not None and known.launches:
        outputs = [leaf for leaf in pytree.tree_leaves(results) if isinstance(leaf, torch.Tensor)]
        device.moved(known.name, args, inputs, outputs)
    return results


def _compute(func: Any, known: Facts, args: Any, kwargs: Any, target: Any) -> Any:
    inner_args, inner_kwargs = pytree.tree_map(_unwrap, (list(args), dict(kwargs)))
    if _is_pretended(target):
        inner_kwargs["device"] = _inner_device()
    if _inner_device() == "meta" and inner_kwargs.get("generator") is not None:
        inner_kwargs["generator"] = None
    result = func(*inner_args, **inner_kwargs)
    if torch.Tag.inplace_view in func.tags:  # t_, squeeze_: the shape of the wrapper has to follow
        with no_dispatch():
            func(*args, **kwargs)
        return args[0]
    if known.written and any(known.returns_written):
        results = list(result) if isinstance(result, (tuple, list)) else [result]
        targets = iter(known.targets(args, kwargs))
        pairs = zip(known.returns_written, results, strict=False)
        results = [next(targets) if written else _wrap(value) for written, value in pairs]
        return type(result)(results) if isinstance(result, (tuple, list)) else results[0]
    if known.written or (target is not None and not _is_pretended(target)):
        return result
    return pytree.tree_map(_wrap, result)


def _to_copy(func: Any, args: Any, kwargs: Any) -> Any:
    source, kwargs = args[0], dict(kwargs)
    target, was_pretended = kwargs.pop("device", None), isinstance(source, PretendedTensor)
    pretended = was_pretended if target is None else _is_pretended(target)
    non_blocking = kwargs.pop("non_blocking", False)
    kwargs.pop("pin_memory", None)
    inner = _unwrap(source)
    if _inner_device() == "meta" and was_pretended != pretended:
        place = "meta" if pretended else "cpu"
        made = torch.empty_like(inner, device=place, dtype=kwargs.get("dtype") or inner.dtype)
    else:
        made = func(inner, **kwargs)
    device = PretendedDevice.active
    if device is not None and was_pretended != pretended:
        device.copied("aten::_to_copy", inner, to_host=was_pretended, non_blocking=non_blocking)
    elif device is not None and was_pretended:
        device.launched("aten::_to_copy")
    return _wrap(made) if pretended else made


def _copy(name: str, args: Any, kwargs: Any) -> Any:
    target, source, device = args[0], args[1], PretendedDevice.active
    between = isinstance(target, PretendedTensor) != isinstance(source, PretendedTensor)
    non_blocking = bool(args[2] if len(args) > 2 else kwargs.get("non_blocking", False))
    if device is not None and between:
        device.copied(name, source, to_host=isinstance(source, PretendedTensor), non_blocking=non_blocking)
    elif device is not None:
        device.launched(name)
    if not between or _inner_device() != "meta":
        _unwrap(target).copy_(_unwrap(source))
    return target


def _check_devices(func: Any, name: str, args: Any, inputs: list[torch.Tensor]) -> None:
    """Refuse CPU tensors, except scalars and index tensors, which CUDA accepts too."""
    on_cpu = [tensor for tensor in inputs if not isinstance(tensor, PretendedTensor)]
    if all(tensor.ndim == 0 for tensor in on_cpu):
        return
    if name in INDEXING and isinstance(args[0], PretendedTensor):
        values = [value for value in args[2:3] if isinstance(value, torch.Tensor)]
        if all(isinstance(value, PretendedTensor) or value.ndim == 0 for value in values):
            if PretendedDevice.active is not None:
                PretendedDevice.active.copied(name, on_cpu[0], to_host=False, non_blocking=False)
            return
    shapes = ", ".join(
        f"{NAME if isinstance(tensor, PretendedTensor) else 'cpu'}{tuple(tensor.shape)}" for tensor in inputs
    )
    raise MixedDevices(f"{func.name()}: expected all tensors on the same device, but got {shapes}")


def _has_mask(indices: Any) -> bool:
    return any(isinstance(index, torch.Tensor) and index.dtype in (torch.bool, torch.uint8) for index in indices)


def _tensors(*trees: Any) -> list[torch.Tensor]:
    return [leaf for leaf in pytree.tree_leaves(trees) if isinstance(leaf, torch.Tensor)]


def _extent(tensor: torch.Tensor) -> int:
    """Return the bytes of a tensor's entries; broadcast dimensions count once."""
    size = tensor.element_size()
    for length, stride in zip(tensor.shape, tensor.stride(), strict=True):
        size *= length if stride else 1
    return size


def _is_pretended(device: Any) -> bool:
    return device is not None and torch.device(device).type == NAME


def _inner_device() -> str:
    return "cpu" if PretendedDevice.active is None else PretendedDevice.active.inner


def _unwrap(value: Any) -> Any:
    return value.inner if isinstance(value, PretendedTensor) else value


def _wrap(value: Any) -> Any:
    if not isinstance(value, torch.Tensor) or isinstance(value, PretendedTensor):
        return value
    device = PretendedDevice.active
    if device is not None and not device.float64 and value.dtype == torch.float64:
        raise TypeError(f"this device has no float64, at {_source_lines()}")
    return PretendedTensor(value)


def _source_lines(depth: int = 3) -> str:
    """Return file and line of the innermost calls in gansweep or its tests."""
    frame, found = sys._getframe(2), []
    while frame is not None and len(found) < depth:
        file = frame.f_code.co_filename
        if "/tests/rehearsal/pretended.py" not in file and ("/src/gansweep/" in file or "/tests/" in file):
            found.append(f"{file.rpartition('/src/gansweep/')[2].rpartition('/tests/')[2]}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(found) or "the backward pass"


# Installation


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
        return save(pytree.tree_map(_unwrap, content), *args, **kwargs)

    @functools.wraps(load)
    def load_wrapped(file, map_location=None, **kwargs):
        pretended = isinstance(map_location, (str, torch.device)) and _is_pretended(map_location)
        content = load(file, map_location="cpu" if pretended else map_location, **kwargs)
        return pytree.tree_map(_wrap, content) if pretended else content

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
        kinds = [tensor.dtype for tensor in _tensors(args, kwargs) if _is_castable(tensor)]
        widest = torch.float32 if torch.float32 in kinds else next(iter(kinds), None)
        dtype = {"lower": torch.get_autocast_dtype(NAME), "float32": torch.float32, "widest": widest}[policy]

        def cast(value: Any) -> Any:
            return value.to(dtype) if _is_castable(value) and value.dtype != dtype else value

        args, kwargs = pytree.tree_map(cast, (args, kwargs))
        return operation(*args, **kwargs)


def _is_castable(value: Any) -> bool:
    is_float = isinstance(value, torch.Tensor) and value.is_floating_point() and value.dtype != torch.float64
    return is_float and value.device.type == NAME
